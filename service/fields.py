"""Marshmallow fields, one per kind of input: a JSON value to one row of the tensor, or its fault and where it lies."""

import base64
import contextlib
import difflib
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from marshmallow import ValidationError, fields

from service import nested
from service.card import CategoryInput, ImageInput, Input, NumbersInput, TokensInput, alike
from service.nested import Misfit
from service.signature import Signature, TensorSpec
from service.tensors import Array
from service.text import MOST_CHARACTERS, Tokenizer

WORDS = "a string or a list of token ids"
PICTURE = "a PNG or JPEG picture in base64"
BLANKS = string.whitespace.encode()
MOST_ECHOED = 60
"""Characters of a client's own text that an answer repeats."""
MOST_PIXELS_AT_ONCE = 64_000_000
"""Of all pictures of a request: of each a few bytes may claim 16 million, and nobody else is answered meanwhile."""
MOST_LISTED = 200
"""Characters of a list of labels in an answer."""


class Tensor(fields.Field[Array]):
    """One row of a tensor: nested JSON lists to an array of the spec's dtype and shape, without the batch axis."""

    def __init__(self, spec: TensorSpec, expected: str | None = None) -> None:
        self.expected = expected or nested.expectation(spec.dtype, spec.dims)
        messages: dict[str, Any] = {"null": f"expected {self.expected}, got null"}
        super().__init__(required=True, data_key=spec.name, error_messages=messages)
        self.spec = spec

    def begin(self) -> None:
        """The rows of a request follow."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Array:
        try:
            return self.array(value)
        except Misfit as misfit:
            raise ValidationError(at(misfit.path, str(misfit))) from misfit

    def array(self, value: Any) -> Array:
        """The value as an array; raises nested.Misfit."""
        return nested.to_array(value, self.spec.dtype, self.spec.dims)

    def alike(self, other: "Tensor") -> bool:
        """Whether a value that both take becomes the same array."""
        same = type(self) is type(other) and self.spec.dtype == other.spec.dtype
        return same and alike(self.spec.dims, other.spec.dims)

    def other(self, value: Any) -> Misfit:
        """That the value is nothing this field takes."""
        return Misfit((), f"expected {self.expected}, got {nested.show(value)}")


class Tokens(Tensor):
    """One row of words: a string, or a list of token ids."""

    def __init__(self, spec: TensorSpec, tokens: TokensInput, tokenizer: Tokenizer) -> None:
        super().__init__(spec, WORDS)
        self.unsigned = np.dtype(f"u{spec.dtype.itemsize}")
        self.tokens = tokens
        self.tokenizer = tokenizer

    def array(self, value: Any) -> Array:
        """int ids (length,): masked padding is left out, so that an id list padded by its sender is answered alike."""
        ids = self._words(value) if isinstance(value, str) else self._ids(value)
        ids = ids.astype(self.spec.dtype, copy=False)
        is_word = ids if self.tokens.pad_id == 0 else ids != self.tokens.pad_id
        words = np.count_nonzero(is_word)
        if words == 0:
            raise Misfit((), "expected at least one word")
        if self.tokens.length is not None:
            return resize(ids, self.tokens.length, self.tokens.pad_id)
        if words > self.tokens.max_length:
            raise Misfit((), f"expected at most {self.tokens.max_length} words, got {words}")
        return ids if words == len(ids) else ids[is_word != 0]

    def alike(self, other: Tensor) -> bool:
        if not isinstance(other, Tokens) or not super().alike(other):
            return False
        mine, its = self.tokens, other.tokens
        padded = (mine.length, mine.pad_id) == (its.length, its.pad_id)
        return padded and self.tokenizer.reads_like(other.tokenizer)

    def _words(self, value: str) -> Array:
        if len(value) > MOST_CHARACTERS:
            raise Misfit((), f"expected at most {MOST_CHARACTERS} characters, got {len(value)}")
        return self.tokenizer.encode(value)

    def _ids(self, value: Any) -> Array:
        if type(value) is list and set(map(type, value)) == {int}:
            with contextlib.suppress(OverflowError):
                ids = np.array(value, self.spec.dtype)
                # A negative id becomes a huge one: one comparison for both ends.
                if np.maximum.reduce(ids.view(self.unsigned)) < self.tokens.words:
                    return ids
        return self._checked(value)

    def _checked(self, value: Any) -> Array:
        """The same for whatever else it may be; Misfit names the culprit."""
        if not isinstance(value, list | np.ndarray):
            raise self.other(value)
        if len(value) and isinstance(value[0], str):
            raise Misfit((), f"expected {WORDS}, got a list of strings; several rows are a list of objects")
        ids = nested.to_array(value, np.dtype(np.int64), (None,))
        strange = (ids < 0) | (ids >= self.tokens.words)
        if strange.any():
            wrong = int(np.flatnonzero(strange)[0])
            raise Misfit((wrong,), f"expected a token id from 0 to {self.tokens.words - 1}, got {ids[wrong]}")
        return ids


class Numbers(Tensor):
    """One row of numbers between bounds; an open first axis has so many steps at most."""

    def __init__(self, spec: TensorSpec, numbers: NumbersInput) -> None:
        dims = [known or size for known, size in zip(numbers.dims, spec.dims, strict=True)]
        super().__init__(replace(spec, shape=(None, *dims)))
        self.most_steps = numbers.max_length if dims and dims[0] is None else None
        self.bounds = numbers.minimum, numbers.maximum
        self.bounded = self.bounds != (None, None)
        with np.errstate(over="ignore"):  # a bound beyond the dtype is none
            self.low = spec.dtype.type(-np.inf if numbers.minimum is None else numbers.minimum)
            self.high = spec.dtype.type(np.inf if numbers.maximum is None else numbers.maximum)

    def array(self, value: Any) -> Array:
        """float (*dims)."""
        numbers = super().array(value)
        if self.most_steps is not None and len(numbers) > self.most_steps:
            raise Misfit((), f"expected at most {self.most_steps} steps, got {len(numbers)}")
        if self.bounded and not (numbers.min() >= self.low and numbers.max() <= self.high):
            wrong = int(np.flatnonzero(~((numbers >= self.low) & (numbers <= self.high)))[0])
            path = nested.path(wrong, numbers.shape)
            raise Misfit(path, f"expected a number {between(*self.bounds)}, got {nested.show(element(value, path))}")
        return numbers


class Image(Tensor):
    """One picture: PNG or JPEG, as bytes or in base64, or its pixels as nested numbers from 0 to 255."""

    def __init__(self, spec: TensorSpec, image: ImageInput) -> None:
        from service.images import decode, pixels_left  # loads Pillow: a service without pictures needs none

        super().__init__(replace(spec, shape=(None, *image.dims)), f"{PICTURE} or {nested.a_list(image.dims)}")
        self.dims = image.dims
        self.decode = decode
        self.pixels_left = pixels_left

    def begin(self) -> None:
        self.pixels_left.set(MOST_PIXELS_AT_ONCE)

    def array(self, value: Any) -> Array:
        """uint8 (height, width) or (height, width, 3)."""
        if isinstance(value, list | np.ndarray):
            return self._pixels(value)
        if type(value) is bytes:
            return self.decode(value, self.dims)
        text = value.get("b64") if type(value) is dict and len(value) == 1 else value
        if type(text) is not str:
            raise self.other(value)
        return self.decode(self._bytes(text), self.dims)

    def _pixels(self, value: Any) -> Array:
        try:
            return super().array(value)
        except Misfit as misfit:
            detail = str(misfit).replace("an integer", "a pixel, a whole number from 0 to 255")
            raise Misfit(misfit.path, detail) from None

    def _bytes(self, text: str) -> bytes:
        """Base64, with or without the head of a data URL; line breaks do not matter."""
        if text.startswith("data:"):
            head, _, text = text.partition(",")
            if not head.endswith(";base64"):
                raise Misfit((), "expected a data URL in base64, such as data:image/png;base64,…")
        try:
            return base64.b64decode(text.encode("ascii").translate(None, BLANKS), validate=True)
        except ValueError:
            raise Misfit((), f"expected {self.expected}, got a string that is no base64") from None


class Category(Tensor):
    """One label, or its number, counted from 0."""

    def __init__(self, spec: TensorSpec, category: CategoryInput) -> None:
        self.labels = category.labels
        self.numbers = {label: number for number, label in enumerate(self.labels)}
        super().__init__(spec, f"a label or its number from 0 to {len(self.labels) - 1}")

    def array(self, value: Any) -> Array:
        """int ()."""
        value = plain(value)
        if type(value) is str:
            number = self.numbers.get(value)
            if number is None:
                raise Misfit((), f"unknown label {value[:MOST_ECHOED]!r}{nearest(value, self.labels, 'labels')}")
        elif type(value) is int and 0 <= value < len(self.labels):
            number = value
        else:
            raise self.other(value)
        return np.array(number, self.spec.dtype)

    def alike(self, other: Tensor) -> bool:
        return isinstance(other, Category) and super().alike(other) and self.labels == other.labels


def build(
    signature: Signature, inputs: Mapping[str, Input], tokenizer: Callable[[TokensInput], Tokenizer]
) -> dict[str, Tensor]:
    """The fields of a model's inputs, in its order; those the card does not name are plain tensors.

    The card's inputs fit the signature; `tokenizer` finds one's own.
    """
    return {name: field(spec, inputs.get(name), tokenizer) for name, spec in signature.inputs.items()}


def field(spec: TensorSpec, meaning: Input | None, tokenizer: Callable[[TokensInput], Tokenizer]) -> Tensor:
    """The field of one input."""
    match meaning:
        case None:
            return Tensor(spec)
        case TokensInput():
            return Tokens(spec, meaning, tokenizer(meaning))
        case NumbersInput():
            return Numbers(spec, meaning)
        case ImageInput():
            return Image(spec, meaning)
        case CategoryInput():
            return Category(spec, meaning)


def resize(ids: Array, length: int, pad_id: int) -> Array:
    """Cut or padded at the end.

    >>> resize(np.array([5, 6]), 4, 0).tolist(), resize(np.array([5, 6, 7]), 2, 0).tolist()
    ([5, 6, 0, 0], [5, 6])
    """
    resized = np.full(length, pad_id, ids.dtype)
    resized[: len(ids)] = ids[:length]
    return resized


def between(low: float | None, high: float | None) -> str:
    """Bounds in a message; at least one is there.

    >>> between(0.0, 1), between(0.5, None), between(None, 100)
    ('from 0 to 1', 'of at least 0.5', 'of at most 100')
    """
    if high is None:
        return f"of at least {low:.15g}"
    return f"of at most {high:.15g}" if low is None else f"from {low:.15g} to {high:.15g}"


def element(value: Any, path: Sequence[int]) -> Any:
    """What lies there in a nesting.

    >>> element([[1, 2], [3, 4]], (1, 0))
    3
    """
    for index in path:
        value = value[index]
    return plain(value)


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's own; all else as it is."""
    return value.item() if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 else value


def nearest(word: str, known: Sequence[str], things: str) -> str:
    """The known word that an unknown one may have meant, or all of them, to end a message with.

    >>> nearest("Dres", ["dress", "shirt"], "labels"), nearest("hat", ["dress", "shirt"], "labels")
    (", did you mean 'dress'?", '; the labels are dress, shirt')
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:MOST_ECHOED].casefold(), list(folded), n=1)
    if near:
        return f", did you mean {folded[near[0]]!r}?"
    listed = ", ".join(known)
    return f"; the {things} are {listed if len(listed) <= MOST_LISTED else listed[: MOST_LISTED - 1] + '…'}"


def at(path: Sequence[int], message: str) -> Any:
    """A message as marshmallow nests it under its path.

    >>> at((3, 0), "no")
    {3: {0: ['no']}}
    """
    nest: Any = [message]
    for index in reversed(path):
        nest = {index: nest}
    return nest
