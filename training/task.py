"""What the columns of a model's data mean: the vocabulary in which a provider describes its inputs, outputs and rows.

Everything here ends up on the model's card, so that the service can speak of words, labels and units.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

Table = dict[str, list[Any]]
"""Columns by name, all equally long.

Text is `str`, a number `float`, several numbers a float array, a picture a uint8 array, a class its label (`str`).
"""

Dims = tuple[int | None, ...]
"""The shape of one row; None is an open length."""


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
    dtype: ClassVar[str] = "int32"

    @property
    def dims(self) -> Dims:
        """The shape of one row."""
        return (self.length,)


@dataclass(frozen=True)
class Numbers:
    """An input or output of numbers, float32: () is one, (9,) a vector, (2, 2) a matrix, (None, 128) a series.

    An open first axis has up to `max_length` steps; shorter rows of a batch end in steps of zeros, to be masked.
    """

    title: str
    dims: Dims = ()
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int = 1_000
    dtype: ClassVar[str] = "float32"


@dataclass(frozen=True)
class Image:
    """An input of pixels, uint8: (height, width) grey with one channel, (height, width, 3) red, green, blue."""

    title: str
    height: int
    width: int
    channels: int = 3
    dtype: ClassVar[str] = "uint8"

    @property
    def dims(self) -> tuple[int, ...]:
        """The shape of one row."""
        return (self.height, self.width) if self.channels == 1 else (self.height, self.width, self.channels)


@dataclass(frozen=True)
class Category:
    """An input of one label; the model gets its number, int32. Without `labels`, those of the training rows."""

    title: str
    labels: tuple[str, ...] | None = None
    at_most: int = 500
    dtype: ClassVar[str] = "int32"
    dims: ClassVar[Dims] = ()


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
    """An output of one probability per label. Without `labels`, those of the training rows, `at_most` of them.

    With `otherwise`, one of the labels, that is the answer wherever no label's probability reaches `threshold`.
    """

    title: str
    labels: tuple[str, ...] | None = None
    at_most: int = 500
    threshold: float = 0.0
    otherwise: str | None = None


Input = Tokens | Numbers | Image | Category
Output = Number | Numbers | Probability | Probabilities


@dataclass(frozen=True)
class Preset:
    """How much work one training run is: rows to generate, passes over them, rows per step, Adam's step size.

    With `decay` the step size warms up, then falls along a cosine to nothing over all epochs. No epochs: the model is
    served as it is built.
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

    `read(path, seed)` reads a file in a format of its own for `--data`, or returns None if it is in none of them.
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
    read: Callable[[Path, int], Splits | None] | None = None
