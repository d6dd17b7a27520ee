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


class Tensor(fields.Field[Array]):
    """One row of a tensor: nested JSON lists to an array of the spec's dtype and shape, without the batch axis."""

    def __init__(self, spec: TensorSpec) -> None:
        super().__init__(required=True)
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
        super().__init__(spec)
        self.tokens = tokens
        self.tokenizer = tokenizer

    def array(self, value: Any) -> Array:
        """int ids (length,): masked padding is left out, so that an id list padded by its sender is answered alike."""
        ids = self.tokenizer.encode(value) if isinstance(value, str) else self._ids(value)
        ids = ids.astype(self.spec.dtype, copy=False)
        if not ids.any():
            raise nested.Misfit((), "expected at least one word")
        length = self.tokens.length
        if length is not None:
            return resize(ids, length, self.tokens.pad_id)
        if not ids.all():
            ids = ids[ids != self.tokens.pad_id]
        if len(ids) > self.tokens.max_length:
            raise nested.Misfit((), f"expected at most {self.tokens.max_length} words, got {len(ids)}")
        return ids

    def _ids(self, value: Any) -> Array:
        if type(value) is not list:
            raise nested.Misfit((), f"expected a string or a list of token ids, got {nested.show(value)}")
        ids = nested.to_array(value, np.dtype(np.int64), (None,))
        if ids.min() < 0 or ids.max() >= self.tokens.words:
            wrong = int(np.flatnonzero((ids < 0) | (ids >= self.tokens.words))[0])
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
        declared: dict[str, fields.Field[Any]] = {
            name: Tokens(spec, *tokens[name]) if name in tokens else Tensor(spec)
            for name, spec in signature.inputs.items()
        }
        self._schema = marshmallow.Schema.from_dict(declared)(unknown=marshmallow.RAISE)
        self._names = list(declared)
        self.example = dict(example)

    def load(self, rows: Sequence[Any], pointers: Sequence[str]) -> list[Row]:
        """One mapping of arrays per row; InvalidInput lists every fault of every row, `pointers[i]` before row i's."""
        loaded: list[Row] = []
        faults: list[Fault] = []
        for row, pointer in zip(rows, pointers, strict=True):
            if type(row) is not dict:
                faults.append(Fault(pointer, f"expected an object of named inputs, got {nested.show(row)}"))
                continue
            try:
                loaded.append(self._schema.load(row))
            except ValidationError as error:
                faults += self._explain(normalized(error), pointer)
        if faults:
            raise InvalidInput(faults[:MOST_FAULTS], self.example)
        return loaded

    def _explain(self, messages: Mapping[str, Any], pointer: str) -> Iterator[Fault]:
        for name, nest in messages.items():
            if nest == [UNKNOWN]:
                yield Fault(f"{pointer}/{escape(name)}", f"unknown input {name!r}{self._nearest(name)}")
            elif nest == [MISSING]:
                yield Fault(f"{pointer}/{escape(name)}", f"missing input {name!r}")
            else:
                yield from flatten(nest, f"{pointer}/{escape(name)}")

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name[:100], self._names, n=1)
        return f", did you mean {near[0]!r}?" if near else f"; the inputs are {', '.join(self._names)}"


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
