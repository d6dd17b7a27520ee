"""What raw outputs mean: labels, probabilities and units, one class per kind of output that a card may describe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import orjson

from service.signature import Shape
from service.tensors import Array, strings

JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
"""How answers are written as JSON by orjson: arrays and numbers of NumPy stand in them."""


class Output(Protocol):
    """How one output's rows, an array (rows, …), read in JSON."""

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        """One JSON value per row; of many labels, the `top` most probable."""


@dataclass(frozen=True)
class RawOutput:
    """An output that nobody described: its numbers, or its strings."""

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        return values if values.dtype.kind != "O" else strings(values)


@dataclass(frozen=True)
class NumberOutput:
    """A quantity, perhaps with a unit."""

    title: str = ""
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None

    @property
    def dims(self) -> Shape:
        """The shape of one row."""
        return (1,)

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        unit = {"unit": self.unit} if self.unit else {}
        return [{"value": value, **unit} for value in values.reshape(len(values))]


@dataclass(frozen=True)
class NumbersOutput:
    """An array of quantities, perhaps with a unit; `dims` is the shape of one row."""

    dims: Shape
    title: str = ""
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        unit = {"unit": self.unit} if self.unit else {}
        return [{"values": row, **unit} for row in np.ascontiguousarray(values)]


@dataclass(frozen=True)
class ProbabilityOutput:
    """The probability of `labels[1]`, which is the answer from `threshold` on; the answer's probability is given."""

    labels: tuple[str, str]
    threshold: float = 0.5
    title: str = ""

    @property
    def dims(self) -> Shape:
        """The shape of one row."""
        return (1,)

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        no, yes = self.labels
        one = values.dtype.type(1)
        return [
            {"label": yes, "probability": p} if p >= self.threshold else {"label": no, "probability": one - p}
            for p in values.reshape(len(values))
        ]


@dataclass(frozen=True)
class ProbabilitiesOutput:
    """One probability per label. With `otherwise`, that label is the answer where none reaches `threshold`.

    ValueError if `otherwise` is none of the labels.
    """

    labels: tuple[str, ...]
    threshold: float = 0.0
    otherwise: str | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if self.otherwise is not None and self.otherwise not in self.labels:
            raise ValueError(f"otherwise is {self.otherwise!r}, which is none of the labels")

    @property
    def dims(self) -> Shape:
        """The shape of one row."""
        return (len(self.labels),)

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        values = values.reshape(len(values), -1)
        best = np.argsort(-values, axis=1, kind="stable")[:, : max(top, 1)]
        chances = np.take_along_axis(values, best, axis=1)
        answers = [self._row(row, chance, top) for row, chance in zip(best.tolist(), chances, strict=True)]
        if self.otherwise is None:
            return answers
        fallback = {"label": self.otherwise, "threshold": self.threshold}
        own = values[:, self.labels.index(self.otherwise)]
        return [
            {**answer, **fallback, "probability": p} if unsure else answer
            for answer, p, unsure in zip(answers, own, chances[:, 0] < self.threshold, strict=True)
        ]

    def _row(self, best: list[int], chances: Array, top: int) -> dict[str, Any]:
        pairs = [[self.labels[number], chance] for number, chance in zip(best, chances, strict=True)]
        answer = {"label": pairs[0][0], "probability": pairs[0][1]}
        return {**answer, "top": pairs} if top > 0 else answer


DescribedOutput = NumberOutput | NumbersOutput | ProbabilityOutput | ProbabilitiesOutput

OUTPUTS: Mapping[str, type[Any]] = {
    "number": NumberOutput,
    "numbers": NumbersOutput,
    "probability": ProbabilityOutput,
    "probabilities": ProbabilitiesOutput,
}
