"""Marshmallow: the rows a model takes, built from its signature and card; all faults at once, each with a pointer."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import marshmallow
import numpy as np
from marshmallow import ValidationError, fields

from service import nested
from service.card import TokensInput
from service.errors import Fault, InvalidInput
from service.signature import Signature, TensorSpec
from service.tensors import Array, Row
from service.text import Tokenizer

MISSING = "Missing data for required field."
UNKNOWN = "Unknown field."
WORDS = "a string or a list of token ids"


class Tensor(fields.Field[Array]):
    """One row of a tensor: nested JSON lists to an array of the spec's dtype and shape, without the batch axis."""

    def __init__(self, spec: TensorSpec, expected: str | None = None) -> None:
        expected = expected or nested.expectation(spec.dtype, spec.dims)
        super().__init__(required=True, data_key=spec.name, error_messages={"null": f"expected {expected}, got null"})
        self.spec = spec

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Array:
        try:
            return self.array(value)
        except nested.Misfit as misfit:
            raise ValidationError(at(misfit.path, str(misfit))) from misfit

    def array(self, value: Any) -> Array:
        """The value as an array; raises nested.Misfit."""
        return nested.to_array(value, self.spec.dtype, self.spec.dims)


class Tokens(Tensor):
    """One row of words: a string, or a list of token ids."""

    def __init__(self, spec: TensorSpec, tokens: TokensInput, tokenizer: Tokenizer) -> None:
        super().__init__(spec, WORDS)
        self.tokens = tokens
        self.tokenizer = tokenizer

    def array(self, value: Any) -> Array:
        """int ids (length,): masked padding is left out, so that an id list padded by its sender is answered alike."""
        ids = self.tokenizer.encode(value) if isinstance(value, str) else self._ids(value)
        ids = ids.astype(self.spec.dtype, copy=False)
        is_word = ids != self.tokens.pad_id
        words = np.count_nonzero(is_word)
        if words == 0:
            raise nested.Misfit((), "expected at least one word")
        if self.tokens.length is not None:
            return resize(ids, self.tokens.length, self.tokens.pad_id)
        if words > self.tokens.max_length:
            raise nested.Misfit((), f"expected at most {self.tokens.max_length} words, got {words}")
        return ids if words == len(ids) else ids[is_word]

    def _ids(self, value: Any) -> Array:
        if type(value) is not list:
            raise nested.Misfit((), f"expected {WORDS}, got {nested.show(value)}")
        ids = nested.to_array(value, np.dtype(np.int64), (None,))
        unsigned = ids.view(np.uint64)  # a negative id becomes a huge one: one comparison for both ends
        if unsigned.max() >= self.tokens.words:
            wrong = int(np.flatnonzero(unsigned >= self.tokens.words)[0])
            raise nested.Misfit((wrong,), f"expected a token id from 0 to {self.tokens.words - 1}, got {ids[wrong]}")
        return ids


def resize(ids: Array, length: int, pad_id: int) -> Array:
    """Cut or padded at the end.

    >>> resize(np.array([5, 6]), 4, 0).tolist(), resize(np.array([5, 6, 7]), 2, 0).tolist()
    ([5, 6, 0, 0], [5, 6])
    """
    resized = np.full(length, pad_id, ids.dtype)
    resized[: len(ids)] = ids[:length]
    return resized


def at(path: Sequence[int], message: str) -> Any:
    """A message as marshmallow nests it under its path.

    >>> at((3, 0), "no")
    {3: {0: ['no']}}
    """
    nest: Any = [message]
    for index in reversed(path):
        nest = {index: nest}
    return nest


class Rows:
    """Loads rows of one model: JSON objects, keyed by input name, to arrays."""

    def __init__(
        self, signature: Signature, tokens: Mapping[str, tuple[TokensInput, Tokenizer]], example: Mapping[str, Any]
    ) -> None:
        self._fields: dict[str, Tensor] = {
            name: Tokens(spec, *tokens[name]) if name in tokens else Tensor(spec)
            for name, spec in signature.inputs.items()
        }
        # Inputs may have any name, but a schema's fields may not: "a.b" and "Meta" mean something to marshmallow.
        numbered: dict[str, fields.Field[Any]] = {
            f"input_{at}": field for at, field in enumerate(self._fields.values())
        }
        self._schema = marshmallow.Schema.from_dict(numbered)(unknown=marshmallow.RAISE)
        self.example = dict(example)

    def load(self, rows: Sequence[Any], place: str = "/{row}/{name}") -> list[Row]:
        """One mapping of arrays per row; InvalidInput lists every fault of every row.

        `place` is the pattern of the pointer to an input's value in the body.
        """
        loaded = [row for row in map(self._right, rows) if row is not None]
        if len(loaded) < len(rows):
            faults = [fault for number, row in enumerate(rows) for fault in self._wrong(row, number, place)]
            raise InvalidInput(faults[:MOST_FAULTS], self.example)
        return loaded

    def _right(self, row: Any) -> Row | None:
        """A right row's arrays; None of a wrong one, whose faults the schema then collects: it costs twice as much."""
        if type(row) is not dict or row.keys() != self._fields.keys():
            return None
        try:
            return {name: field.array(row[name]) for name, field in self._fields.items()}
        except nested.Misfit:
            return None

    def _wrong(self, row: Any, number: int, place: str) -> Iterator[Fault]:
        """The faults of one row, none if it is right."""
        if type(row) is not dict:
            pointer = place.removesuffix("/{name}").format(row=number)
            yield Fault(pointer, f"expected an object of named inputs, got {nested.show(row)}")
            return
        try:
            self._schema.load(row)
        except ValidationError as error:
            for name, nest in normalized(error).items():
                yield from self._explain(name, nest, place.format(row=number, name=escape(name)))

    def _explain(self, name: str, nest: Any, pointer: str) -> Iterator[Fault]:
        if nest == [UNKNOWN]:
            yield Fault(pointer[:MOST_POINTER], f"unknown input {name[:MOST_NAME]!r}{self._nearest(name)}")
        elif nest == [MISSING]:
            yield Fault(pointer, f"missing input {name!r}")
        else:
            yield from flatten(nest, pointer)

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name[:MOST_NAME], list(self._fields), n=1)
        return f", did you mean {near[0]!r}?" if near else f"; the inputs are {', '.join(self._fields)}"


MOST_NAME, MOST_POINTER = 60, 100
"""Characters of a name nobody knows, and of the pointer to it, that an answer repeats."""

MOST_FAULTS = 20
"""Faults named in one answer: enough to mend a body by, and no more than a client reads."""


def normalized(error: ValidationError) -> dict[str, Any]:
    """The error's messages by field."""
    messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return messages


def flatten(nest: Any, pointer: str) -> Iterator[Fault]:
    """Marshmallow's nested messages as faults."""
    if isinstance(nest, Mapping):
        for key, inner in nest.items():
            yield from flatten(inner, f"{pointer}/{escape(key)}")
    else:
        for message in nest:
            yield Fault(pointer, str(message))


def escape(key: Any) -> str:
    """A key in a JSON pointer (RFC 6901).

    >>> escape("a/b~c")
    'a~1b~0c'
    """
    return str(key).replace("~", "~0").replace("/", "~1")


class Query(marshmallow.Schema):
    """The query string of the native dialect."""

    class Meta:
        unknown = marshmallow.RAISE

    version = fields.Integer(validate=marshmallow.validate.Range(min=1))
    outputs = fields.String()
    top = fields.Integer(validate=marshmallow.validate.Range(min=0, max=1000))


QUERY = Query()


def query(arguments: Mapping[str, str]) -> tuple[int | None, str | None, int | None]:
    """(version, outputs, top) of a query string, None where it is silent; InvalidInput names every fault."""
    try:
        loaded = QUERY.load(dict(arguments))
    except ValidationError as error:
        raise InvalidInput(list(flatten(normalized(error), "?"))) from error
    return loaded.get("version"), loaded.get("outputs"), loaded.get("top")


def output_names(text: str | None, outputs: Sequence[str]) -> list[str]:
    """Comma-separated output names, all of them where none is named; InvalidInput names each that is none."""
    if text is None:
        return list(outputs)
    names = [name.strip() for name in text.split(",")]
    known = ", ".join(outputs)
    wrong = [
        Fault("?/outputs", f"unknown output {name!r}; the outputs are {known}") for name in names if name not in outputs
    ]
    if wrong:
        raise InvalidInput(wrong)
    return names
