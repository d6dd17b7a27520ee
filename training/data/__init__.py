"""Data providers: one module per model, named after it, each with a `TASK`. Written out, to be read."""

from training.data import (
    activity,
    adder,
    classifier,
    clothing_price,
    digits,
    help_desk,
    inception,
    majority,
    matrix_product,
    matrix_sum,
    profile,
    qa,
    residual,
    same_distribution,
    siamese_vectors,
    similarity,
    stereo_depth,
    titles,
)
from training.task import Task

TASKS: dict[str, Task] = {
    "similarity": similarity.TASK,
    "qa": qa.TASK,
    "profile": profile.TASK,
    "majority": majority.TASK,
    "same_distribution": same_distribution.TASK,
    "classifier": classifier.TASK,
    "adder": adder.TASK,
    "digits": digits.TASK,
    "siamese_vectors": siamese_vectors.TASK,
    "help_desk": help_desk.TASK,
    "titles": titles.TASK,
    "activity": activity.TASK,
    "clothing_price": clothing_price.TASK,
    "inception": inception.TASK,
    "residual": residual.TASK,
    "stereo_depth": stereo_depth.TASK,
    "matrix_sum": matrix_sum.TASK,
    "matrix_product": matrix_product.TASK,
}
