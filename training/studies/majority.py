"""Does every voter count the same? The weight that each vote was given, near equal if so."""

from collections.abc import Sequence

from training.studies.finding import Finding
from training.task import Preset, Splits
from training.train import Trained


def weights(trained: Trained, splits: Splits, preset: Preset, seed: int) -> Sequence[Finding]:
    """The kernel (9, 1), vote by vote, and the bias (1,): the answer is yes where their sum over votes is above 0."""
    kernel, bias = trained.model.get_weights()
    figures = {f"vote {number}": float(weight) for number, weight in enumerate(kernel[:, 0], start=1)}
    return [Finding("Weight of each vote", {**figures, "bias": float(bias[0])})]
