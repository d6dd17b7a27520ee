"""What a model must show beyond its metrics: one module per model. Written out, to be read."""

from training.studies import clothing_price, help_desk, majority, residual, same_distribution
from training.studies.finding import Study

STUDIES: dict[str, Study] = {
    "majority": majority.weights,
    "same_distribution": same_distribution.swap,
    "help_desk": help_desk.answered,
    "clothing_price": clothing_price.branches,
    "residual": residual.skips,
}
