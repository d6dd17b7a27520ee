"""card.json: what a model means. Reads it, and turns raw outputs into labels, probabilities and units.

The file's contract is card.schema.json beside this module. A model without a card is served by its signature alone:
its outputs are plain numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from service.errors import ServiceError
from service.signature import Signature
from service.tensors import Array, strings

CARD = Path("assets.extra/card.json")
FORMAT = 1


class UnreadableCard(ServiceError):
    """The card is there, but not in a format this version reads."""


@dataclass(frozen=True)
class TokensInput:
    """An input of words: ids from 0 to `words - 1`; fixed `length`, or any up to `max_length` with padding masked."""

    words: int
    pad_id: int
    unknown_id: int
    length: int | None
    max_length: int
    vocabulary: str
    title: str = ""
    example: Any = None


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

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        unit = {"unit": self.unit} if self.unit else {}
        return [{"value": value, **unit} for value in values.reshape(len(values))]


@dataclass(frozen=True)
class ProbabilityOutput:
    """The probability of `labels[1]`, which is the answer from `threshold` on; the answer's probability is given."""

    labels: tuple[str, str]
    threshold: float = 0.5
    title: str = ""

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        no, yes = self.labels
        one = values.dtype.type(1)
        return [
            {"label": yes, "probability": p} if p >= self.threshold else {"label": no, "probability": one - p}
            for p in values.reshape(len(values))
        ]


@dataclass(frozen=True)
class ProbabilitiesOutput:
    """One probability per label."""

    labels: tuple[str, ...]
    title: str = ""

    def interpret(self, values: Array, top: int) -> Iterable[Any]:
        values = values.reshape(len(values), -1)
        best = np.argsort(-values, axis=1, kind="stable")[:, : max(top, 1)]
        chances = np.take_along_axis(values, best, axis=1)
        return [self._row(row, chance, top) for row, chance in zip(best.tolist(), chances, strict=True)]

    def _row(self, best: list[int], chances: Array, top: int) -> dict[str, Any]:
        pairs = [[self.labels[number], chance] for number, chance in zip(best, chances, strict=True)]
        answer = {"label": pairs[0][0], "probability": pairs[0][1]}
        return {**answer, "top": pairs} if top > 0 else answer


OUTPUTS: Mapping[str, type[Any]] = {
    "number": NumberOutput,
    "probability": ProbabilityOutput,
    "probabilities": ProbabilitiesOutput,
}


@dataclass(frozen=True)
class Card:
    """A model's meaning; the empty card means nothing beyond the signature."""

    title: str = ""
    inputs: Mapping[str, TokensInput] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    """The whole file, as it is shown to clients."""

    @property
    def example(self) -> dict[str, Any]:
        """One row of inputs that makes sense."""
        return {name: spec.example for name, spec in self.inputs.items()}

    @property
    def twin_agreed(self) -> bool:
        """Whether the ONNX twin gave the SavedModel's answers when it was made."""
        return bool(self.document.get("verified", {}).get("twin", {}).get("kept"))

    def output(self, name: str) -> Output:
        """How an output reads; raw where the card is silent."""
        return self.outputs.get(name, RAW)


RAW = RawOutput()


def read(folder: Path) -> Card:
    """The card of a version's folder, or the empty card; UnreadableCard if there is one that cannot be understood."""
    try:
        text = (folder / CARD).read_bytes()
    except FileNotFoundError:
        return Card()
    try:
        return parse(orjson.loads(text))
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # orjson.JSONDecodeError is a ValueError
        raise UnreadableCard(f"{folder / CARD} cannot be read: {type(error).__name__}: {error}") from error


def parse(document: Mapping[str, Any]) -> Card:
    """A card from its JSON; AttributeError, KeyError, TypeError or ValueError where it does not keep to the schema."""
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']!r}, this version reads format {FORMAT}")
    return Card(
        title=document["title"],
        inputs={name: parse_input(spec) for name, spec in document["inputs"].items()},
        outputs={name: parse_output(spec) for name, spec in document["outputs"].items()},
        document=document,
    )


def disagreements(card: Card, signature: Signature) -> list[str]:
    """What the card says of a model that has another signature, in words; [] if they fit."""
    strange = [f"there is no input {name!r}" for name in card.inputs if name not in signature.inputs]
    for name, output in card.outputs.items():
        if name not in signature.outputs:
            strange.append(f"there is no output {name!r}")
            continue
        size = signature.outputs[name].shape[-1]
        labels = len(output.labels) if isinstance(output, ProbabilitiesOutput) else 1
        if size is not None and size != labels:
            strange.append(f"output {name!r} has {size} values, the card {labels}")
    return strange


def parse_input(spec: Mapping[str, Any]) -> TokensInput:
    if spec["kind"] != "tokens":
        raise ValueError(f"input kind {spec['kind']!r}, this version reads 'tokens'")
    return TokensInput(**{key: value for key, value in spec.items() if key != "kind"})


def parse_output(spec: Mapping[str, Any]) -> Output:
    known = {key: tuple(value) if key == "labels" else value for key, value in spec.items() if key != "kind"}
    if spec["kind"] not in OUTPUTS:
        raise ValueError(f"output kind {spec['kind']!r}, this version reads {sorted(OUTPUTS)}")
    output: Output = OUTPUTS[spec["kind"]](**known)
    return output
