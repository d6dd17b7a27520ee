"""card.json: what a model means, to those who send its inputs and read its outputs.

The file's contract is card.schema.json beside this module. A model without a card is served by its signature alone:
its inputs and outputs are plain numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import orjson

from service import files
from service.errors import ServiceError
from service.outputs import OUTPUTS, DescribedOutput, Output, RawOutput
from service.signature import Shape, Signature

CARD = Path("assets.extra/card.json")
FORMAT = 1


class UnreadableCard(ServiceError):
    """The card is there, but not in a format this version reads."""


@dataclass(frozen=True)
class TokensInput:
    """An input of words: ids from 0 to `words - 1`; fixed `length`, or any up to `max_length` with padding masked."""

    dtypes: ClassVar[str] = "integers"
    words: int
    pad_id: int
    unknown_id: int
    length: int | None
    max_length: int
    vocabulary: str
    title: str = ""
    example: Any = None

    @property
    def dims(self) -> Shape:
        """The shape of one row."""
        return (self.length,)


@dataclass(frozen=True)
class NumbersInput:
    """An input of numbers, each from `minimum` to `maximum`; one row has shape `dims`, () is a single number.

    An open first axis has up to `max_length` steps.
    """

    dtypes: ClassVar[str] = "numbers"
    dims: Shape
    max_length: int
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    title: str = ""
    example: Any = None


@dataclass(frozen=True)
class ImageInput:
    """An input of pixels: (height, width) or (height, width, 1) grey, (height, width, 3) red, green, blue.

    They are bytes from 0 to 255 or, with a `range`, floats: what black is, and what white.
    """

    dtypes: ClassVar[str] = "uint8 or floats"
    height: int
    width: int
    channels: int
    range: tuple[float, float] | None = None
    title: str = ""
    example: Any = None

    @property
    def dims(self) -> tuple[int, ...]:
        """The shape of a picture."""
        return (self.height, self.width) if self.channels == 1 else (self.height, self.width, self.channels)

    def shape(self, dims: Shape) -> tuple[int, ...]:
        """The shape of a row, where the model's has these `dims`: grey may have an axis of its own."""
        return (*self.dims, 1) if self.channels == 1 and dims[2:] in ((1,), (None,)) else self.dims


@dataclass(frozen=True)
class CategoryInput:
    """An input of one of the `labels`; the model gets its number, counted from 0, or the label where it takes strings.

    One row has shape `dims`, () or (1,).
    """

    dtypes: ClassVar[str] = "integers or strings"
    labels: tuple[str, ...]
    title: str = ""
    example: Any = None
    dims: Shape = ()


@dataclass(frozen=True)
class TextInput:
    """An input of text that the model reads itself; one row has shape `dims`, () or (1,)."""

    dtypes: ClassVar[str] = "strings"
    dims: Shape = ()
    title: str = ""
    example: Any = None


Input = TokensInput | NumbersInput | ImageInput | CategoryInput | TextInput

INPUTS: Mapping[str, type[Any]] = {
    "tokens": TokensInput,
    "numbers": NumbersInput,
    "image": ImageInput,
    "category": CategoryInput,
    "text": TextInput,
}

FLOATS = {"float16", "float32", "float64"}
INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}

DTYPES: Mapping[str, set[str]] = {
    "integers": INTEGERS,
    "numbers": {*INTEGERS, *FLOATS},
    "uint8 or floats": {"uint8", *FLOATS},
    "integers or strings": {*INTEGERS, "string"},
    "strings": {"string"},
}
"""The dtypes that a kind of input may have in the signature."""


@dataclass(frozen=True)
class Card:
    """A model's meaning; the empty card means nothing beyond the signature."""

    title: str = ""
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, DescribedOutput] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    """The whole file, as it is shown to clients."""

    @property
    def example(self) -> dict[str, Any]:
        """One row of inputs that makes sense."""
        return {name: spec.example for name, spec in self.inputs.items()}

    @property
    def has_words(self) -> bool:
        """Whether an input is text."""
        return any(isinstance(spec, TokensInput) for spec in self.inputs.values())

    @property
    def twin_agreed(self) -> bool:
        """Whether the ONNX twin gave the SavedModel's answers when it was made."""
        return bool(self.document.get("verified", {}).get("twin", {}).get("kept"))

    @property
    def reduced_tolerance(self) -> float | None:
        """How far the twin of reduced precision may be off the golden answers; None where none was kept."""
        reduced = self.document.get("verified", {}).get("reduced") or {}
        return float(reduced["tolerance"]) if reduced.get("kept") else None

    def output(self, name: str) -> Output:
        """How an output reads; raw where the card is silent."""
        return self.outputs.get(name, RAW)


RAW = RawOutput()


def read(folder: Path) -> Card:
    """The card of a version's folder, or the empty card; UnreadableCard if there is one that cannot be understood."""
    try:
        text = files.read(folder / CARD)
    except FileNotFoundError:
        return Card()
    except OSError as error:
        raise UnreadableCard(f"{folder / CARD} cannot be read: {error.strerror}") from error
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
        inputs={name: described(spec, INPUTS, "input") for name, spec in document["inputs"].items()},
        outputs={name: described(spec, OUTPUTS, "output") for name, spec in document["outputs"].items()},
        document=document,
    )


def described(spec: Mapping[str, Any], kinds: Mapping[str, type[Any]], side: str) -> Any:
    """An input or output from its JSON, of the class of its kind."""
    if spec["kind"] not in kinds:
        raise ValueError(f"{side} kind {spec['kind']!r}, this version reads {sorted(kinds)}")
    lists = ("labels", "dims", "range")
    known = {key: tuple(value) if key in lists else value for key, value in spec.items() if key != "kind"}
    return kinds[spec["kind"]](**known)


def disagreements(card: Card, signature: Signature) -> list[str]:
    """What the card says of a model that has another signature, in words; [] if they fit."""
    return [*strange_inputs(card, signature), *strange_outputs(card, signature)]


def strange_inputs(card: Card, signature: Signature) -> Iterator[str]:
    """Of the inputs, those the model lacks, or takes in another dtype or shape."""
    for name, spec in card.inputs.items():
        tensor = signature.inputs.get(name)
        if tensor is None:
            yield f"there is no input {name!r}"
        elif tensor.type not in DTYPES[spec.dtypes]:
            yield f"input {name!r} is {tensor.type}, the card says {spec.dtypes}"
        elif not alike(tensor.dims, spec.shape(tensor.dims) if isinstance(spec, ImageInput) else spec.dims):
            yield f"a row of input {name!r} has shape {shown(tensor.dims)}, the card says {shown(spec.dims)}"
        elif isinstance(spec, ImageInput) and (spec.range is None) is (tensor.type in FLOATS):
            told = "a range, which is for floats" if spec.range else "no range: what black is, and what white"
            yield f"input {name!r} is {tensor.type}, the card has {told}"
        elif isinstance(spec, TextInput | CategoryInput) and not tensor.single:
            yield f"a row of input {name!r} has shape {shown(tensor.dims)}, a text or category has () or (1)"


def strange_outputs(card: Card, signature: Signature) -> Iterator[str]:
    """Of the outputs, those the model lacks, or gives in another shape; a row of one number may go without an axis."""
    for name, output in card.outputs.items():
        tensor = signature.outputs.get(name)
        if tensor is None:
            yield f"there is no output {name!r}"
        elif not alike(tensor.dims, output.dims) and not (tensor.dims == () and output.dims == (1,)):
            yield f"a row of output {name!r} has shape {shown(tensor.dims)}, the card says {shown(output.dims)}"


def alike(left: Shape, right: Shape) -> bool:
    """Whether shapes agree wherever both are known.

    >>> alike((None, 3), (5, 3)), alike((3,), (3, 1))
    (True, False)
    """
    return len(left) == len(right) and all(None in pair or pair[0] == pair[1] for pair in zip(left, right, strict=True))


def shown(dims: Shape) -> str:
    """A shape in a message.

    >>> shown((None, 3))
    '(any, 3)'
    """
    return f"({', '.join('any' if size is None else str(size) for size in dims)})"
