"""JSON Schemas of inputs: what the card's kinds take, as service/fields/ reads them."""

from service.card import CategoryInput, ImageInput, Input, NumbersInput, TextInput, TokensInput
from service.openapi.models import Described, Schema, named
from service.openapi.values import B64, BASE64, element, nested, one_of
from service.signature import Shape, TensorSpec
from service.wording import between

WORD = r"[^\t-\r -/:-@\[-`{-~]"
"""A character that is part of a word: no ASCII white space, no ASCII punctuation, as service/text.py splits."""

PICTURE = "A PNG or JPEG picture of {width} × {height}, or of that aspect ratio, in base64 or as a base64 data URL."


def row(version: Described, *, tfs: bool = False) -> Schema:
    """One row: every input by its name; with `tfs`, as TensorFlow Serving's clients send it."""
    told = {"description": f"{version.card.title}."} if version.card.title else {}
    return told | named(version.signature.inputs, lambda spec: of(spec, version, tfs=tfs))


def of(spec: TensorSpec, version: Described, *, tfs: bool = False) -> Schema:
    """One row of one input of a version."""
    return value(spec, version.card.inputs.get(spec.name), tfs=tfs)


def value(spec: TensorSpec, meaning: Input | None, *, tfs: bool = False) -> Schema:
    """One row of an input."""
    match meaning:
        case TokensInput():
            return titled(meaning, tokens(meaning, tfs=tfs))
        case NumbersInput():
            return titled(meaning, numbers(spec, meaning, tfs=tfs))
        case ImageInput():
            return titled(meaning, image(spec, meaning))
        case CategoryInput():
            return titled(meaning, shaped(category(meaning), spec.dims, tfs=tfs))
        case TextInput():
            return titled(meaning, raw(spec, tfs=tfs))
        case None:
            return raw(spec, tfs=tfs)


def raw(spec: TensorSpec, *, tfs: bool) -> Schema:
    """What the signature says of a row; strings of TensorFlow Serving's clients may be bytes in base64."""
    inner = element(spec.dtype)
    return shaped({"anyOf": [inner, B64]} if tfs and spec.dtype.kind == "O" else inner, spec.dims, tfs=tfs)


def shaped(one: Schema, dims: Shape, most: int | None = None, *, tfs: bool) -> Schema:
    """Elements nested as a row's shape says; an only element may come without its list, but for TensorFlow Serving."""
    whole = nested(one, dims, most=most)
    return {"anyOf": [one, whole]} if dims == (1,) and not tfs else whole


def titled(meaning: Input, schema: Schema) -> Schema:
    """With the card's title."""
    return ({"title": meaning.title} if meaning.title else {}) | schema


def tokens(meaning: TokensInput, *, tfs: bool) -> Schema:
    """A text, or the ids of its words."""
    size = f"cut or padded to {meaning.length} words" if meaning.length else f"at most {meaning.max_length} words"
    ids = {
        "description": f"Ids from the vocabulary; {meaning.unknown_id} is an unknown word, {meaning.pad_id} pads.",
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": meaning.words - 1},
        "contains": {"not": {"const": meaning.pad_id}},
        **({} if meaning.length else {"maxContains": meaning.max_length}),
    }
    text = {"description": f"A text of at least one word, {size}.", "type": "string", "pattern": WORD}
    return {"description": f"A text, or its token ids; {size}.", "anyOf": [text, *([B64] if tfs else []), ids]}


def numbers(spec: TensorSpec, meaning: NumbersInput, *, tfs: bool) -> Schema:
    """Numbers within bounds; an open first axis is as long as the card says, at most."""
    known = [given or size for given, size in zip(meaning.dims, spec.dims, strict=True)]
    inner = element(spec.dtype)
    inner |= {} if meaning.minimum is None else {"minimum": meaning.minimum}
    inner |= {} if meaning.maximum is None else {"maximum": meaning.maximum}
    return (
        described(quantity(meaning.unit, meaning.minimum, meaning.maximum))
        | unit(meaning.unit)
        | shaped(inner, tuple(known), meaning.max_length, tfs=tfs)
    )


def image(spec: TensorSpec, meaning: ImageInput) -> Schema:
    """A picture in base64, or its pixels."""
    told = PICTURE.format(width=meaning.width, height=meaning.height)
    pixels = nested(element(spec.dtype), meaning.shape(spec.dims))
    colours = "grey" if meaning.channels == 1 else "red, green, blue"
    black, white = meaning.range or (0, 255)
    return {
        "description": f"{told} Or its pixels, {colours}, from {black:g} to {white:g}.",
        "anyOf": [BASE64 | {"contentMediaType": "image/png"}, B64, pixels],
    }


def category(meaning: CategoryInput) -> Schema:
    """A label, or its number."""
    number = {"description": "The label's number.", "type": "integer", "minimum": 0, "maximum": len(meaning.labels) - 1}
    return {"anyOf": [{"description": "A label."} | one_of(meaning.labels), number]}


def quantity(unit: str | None, low: float | None, high: float | None) -> str:
    """Bounds and unit in words.

    >>> quantity("years", 0, None), quantity(None, None, None)
    ('of at least 0, in years', '')
    """
    bounds = "" if low is None and high is None else between(low, high)
    return ", ".join(part for part in (bounds, f"in {unit}" if unit else "") if part)


def described(text: str) -> Schema:
    """A description, if there is one."""
    return {"description": text[0].upper() + text[1:] + "."} if text else {}


def unit(name: str | None) -> Schema:
    """A unit for programs; JSON Schema has no word for it."""
    return {"x-unit": name} if name else {}
