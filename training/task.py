"""What the columns of a model's data mean: the vocabulary in which a provider describes its inputs, outputs and rows.

Everything here ends up on the model's card, so that the service can speak of words, labels and units.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Table = dict[str, list[Any]]
"""Columns by name, all equally long. Text is `str`, a number `float`, a class its label (`str`)."""


@dataclass(frozen=True)
class Splits:
    """Rows to learn from, to stop early by, and to be judged on; nothing that would leak stands in two of them."""

    train: Table
    validation: Table
    test: Table


@dataclass(frozen=True)
class Tokens:
    """An input of words. Id 0 is padding, id 1 an unknown word, and `words` the number of embedding rows.

    With a `length` every row is padded at the end or cut to it: the model is defined so. Without one a row has as many
    ids as words, padding is masked, and more than `max_length` words are refused.
    """

    title: str
    words: int
    length: int | None = None
    max_length: int = 1_000


@dataclass(frozen=True)
class Number:
    """An output that is a quantity."""

    title: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Probability:
    """An output of one number, the probability of `labels[1]`; from `threshold` on that label is the answer."""

    title: str
    labels: tuple[str, str]
    threshold: float = 0.5


@dataclass(frozen=True)
class Probabilities:
    """An output of one probability per label. Without `labels`, those of the training rows, `at_most` of them."""

    title: str
    labels: tuple[str, ...] | None = None
    at_most: int = 500


Input = Tokens
Output = Number | Probability | Probabilities


@dataclass(frozen=True)
class Preset:
    """How much work one training run is: rows to generate, passes over them, rows per step, Adam's step size.

    With `decay` the step size warms up, then falls along a cosine to nothing over all epochs.
    """

    rows: int
    epochs: int
    batch: int = 64
    learning_rate: float = 1e-3
    patience: int = 3
    decay: bool = False


@dataclass(frozen=True)
class Task:
    """One model's data and meaning. `generate(rows, seed)` makes reproducible rows, split by entity or template.

    `example` is one row of inputs that reads well in a README; `baselines` name, per output, the trivial rule that the
    report sets beside the model: "majority", "mean", "median", or a function from inputs to predictions.
    """

    title: str
    description: str
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
    example: Mapping[str, Any]
    generate: Callable[[int, int], Splits]
    data: str
    presets: Mapping[str, Preset]
    baselines: Mapping[str, str | Callable[[Table], Sequence[float]]]
