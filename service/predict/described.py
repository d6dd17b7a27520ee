"""A model's inputs in words, as its help has them, and a command line that works."""

import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from service import nested
from service.card import CategoryInput, ImageInput, Input, NumbersInput, TokensInput
from service.handle import ModelHandle
from service.signature import Shape, TensorSpec
from service.wording import MOST_LISTED, between

MOST_SHOWN = 300
"""Characters of an example that is shown."""
METAVARS = {"O": "TEXT", "b": "JSON"}
"""What stands for one element of a kind of dtype; all others are numbers."""
ELEMENTS = {**nested.NAMES, "O": "a text"}
"""One element by the kind of dtype."""


def metavar(spec: TensorSpec, meaning: Input | None) -> str:
    """What stands for an input's value."""
    match meaning:
        case TokensInput():
            return "TEXT"
        case ImageInput():
            return "PICTURE"
        case CategoryInput():
            return "LABEL"
    return METAVARS.get(spec.dtype.kind, "NUMBER") if spec.single else "JSON"


def described(spec: TensorSpec, meaning: Input | None) -> str:
    """An input in one sentence."""
    title = getattr(meaning, "title", "")
    return f"{title}: {kind(spec, meaning)}" if title else kind(spec, meaning)


def kind(spec: TensorSpec, meaning: Input | None) -> str:
    """What an input takes.

    >>> spec = TensorSpec("advert", np.dtype(object), (None, 1))
    >>> metavar(spec, None), kind(spec, None)
    ('TEXT', 'a text')
    """
    match meaning:
        case TokensInput(length=None):
            return f"a text of up to {meaning.max_length} words"
        case TokensInput():
            return f"a text, of which the first {meaning.length} words count"
        case NumbersInput():
            return numbers(meaning)
        case ImageInput():
            colour = "grey" if meaning.channels == 1 else "colour"
            return f"a PNG or JPEG file, {meaning.width} × {meaning.height} or of that aspect ratio, in {colour}"
        case CategoryInput(labels=labels):
            listed = ", ".join(labels)
            return f"one of {listed if len(listed) <= MOST_LISTED else listed[: MOST_LISTED - 1] + '…'}"
    return ELEMENTS[spec.dtype.kind] if spec.single else f"{nested.expectation(spec.dtype, spec.dims)} in JSON"


def numbers(meaning: NumbersInput) -> str:
    """What an input of numbers takes.

    >>> numbers(NumbersInput((), 1, unit="years", minimum=0))
    'a number, in years, of at least 0'
    >>> numbers(NumbersInput((1,), 1))
    'a number'
    >>> numbers(NumbersInput((None, 3), 100))
    'up to 100 × 3 numbers, in JSON, or a .npy or .csv file'
    """
    many = meaning.dims not in ((), (1,))
    text = f"{sizes(meaning.dims, meaning.max_length)} numbers" if many else "a number"
    text += f", in {meaning.unit}" if meaning.unit else ""
    if (meaning.minimum, meaning.maximum) != (None, None):
        text += f", {'each ' * many}{between(meaning.minimum, meaning.maximum)}"
    return text + (", in JSON, or a .npy or .csv file" if many else "")


def sizes(dims: Shape, most: int) -> str:
    """A row's sizes."""
    return " × ".join(f"up to {most}" if size is None else str(size) for size in dims)


def example(handle: ModelHandle, flags: Mapping[str, str]) -> str:
    """A command line that works: the example's own values where they can be typed."""
    start = f"python -m service predict {handle.model}"
    parts = [f"{flags[name]} {shlex.quote(text(value))}" for name, value in handle.rows.example.items()]
    line = " ".join([start, *parts])
    pictures = any(isinstance(meaning, ImageInput) for meaning in handle.card.inputs.values())
    return f"{start} --example" if pictures or len(line) > MOST_SHOWN else line


def text(value: Any) -> str:
    """A value as it is typed.

    >>> text("a b"), text([1, 2])
    ('a b', '[1, 2]')
    """
    return value if isinstance(value, str) else repr(value.tolist() if isinstance(value, np.ndarray) else value)
