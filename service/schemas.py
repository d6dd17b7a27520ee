"""Marshmallow: the rows a model takes, a field per input; all faults at once, each with a pointer."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import marshmallow
from marshmallow import ValidationError, fields

from service import nested
from service.errors import Fault, InvalidInput
from service.fields import Tensor
from service.tensors import Row
from service.wording import MOST_ECHOED, nearest

MISSING = "Missing data for required field."
UNKNOWN = "Unknown field."


class Rows:
    """Loads rows of one model: JSON objects, keyed by input name, to arrays."""

    def __init__(self, inputs: Mapping[str, Tensor], example: Mapping[str, Any]) -> None:
        self.fields = dict(inputs)
        # Inputs may have any name, but a schema's fields may not: "a.b" and "Meta" mean something to marshmallow.
        numbered: dict[str, fields.Field[Any]] = {f"input_{at}": field for at, field in enumerate(self.fields.values())}
        self._schema = marshmallow.Schema.from_dict(numbered)(unknown=marshmallow.RAISE)
        self._begin = [field.begin for field in inputs.values() if type(field).begin is not Tensor.begin]
        self.example = dict(example)

    @cached_property
    def strict(self) -> "Rows":
        """The same for clients who keep to the signature: what has shape (1,) is a list, never its element alone."""
        return Rows({name: field.strict for name, field in self.fields.items()}, self.example)

    def unlike(self, other: "Rows") -> list[str]:
        """The other's inputs that are none here, or of which a value becomes another array there."""
        own = self.fields
        return [name for name, field in other.fields.items() if name not in own or not own[name].alike(field)]

    def load(self, rows: Sequence[Any], place: str = "/{row}/{name}") -> list[Row]:
        """One mapping of arrays per row; InvalidInput lists every fault of every row.

        `place` is the pattern of the pointer to an input's value in the body.
        """
        loaded: list[Row] = []
        for begin in self._begin:
            begin()
        for row in rows:
            right = self._right(row)
            if right is None:
                for begin in self._begin:
                    begin()
                faults = (fault for number, row in enumerate(rows) for fault in self._wrong(row, number, place))
                raise InvalidInput(list(islice(faults, MOST_FAULTS)), self.example)
            loaded.append(right)
        return loaded

    def _right(self, row: Any) -> Row | None:
        """A right row's arrays; None of a wrong one, whose faults the schema then collects: it costs twice as much."""
        if type(row) is not dict or row.keys() != self.fields.keys():
            return None
        try:
            return {name: field.array(row[name]) for name, field in self.fields.items()}
        except nested.Misfit:
            return None

    def _wrong(self, row: Any, number: int, place: str) -> Iterator[Fault]:
        """The faults of one row, none if it is right."""
        if type(row) is not dict:
            pointer = place.removesuffix("/{name}").format(row=number)
            yield Fault(pointer, f"expected an object of named inputs, got {nested.show(row)}")
            return
        strange = islice((name for name in row if name not in self.fields), MOST_FAULTS)
        try:
            self._schema.load({name: row[name] for name in (*(row.keys() & self.fields.keys()), *strange)})
        except ValidationError as error:
            for name, nest in normalized(error).items():
                yield from self._explain(name, nest, place.format(row=number, name=escape(name)))

    def _explain(self, name: str, nest: Any, pointer: str) -> Iterator[Fault]:
        if nest == [UNKNOWN]:
            hint = nearest(name, list(self.fields), "inputs")
            yield Fault(pointer[:MOST_POINTER], f"unknown input {name[:MOST_ECHOED]!r}{hint}")
        elif nest == [MISSING]:
            yield Fault(pointer, f"missing input {name!r}")
        else:
            yield from flatten(nest, pointer)


MOST_POINTER = 100
"""Characters of the pointer to an input nobody knows that an answer repeats."""

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


def bounded(expected: str, least: int, most: int | None = None) -> dict[str, Any]:
    """A field's validation, with one message for all that it refuses."""
    message = f"expected {expected}"
    rule = marshmallow.validate.Range(least, most, error=f"{message}, got {{input}}")
    return {"validate": rule, "error_messages": {"invalid": message}}


class Query(marshmallow.Schema):
    """The query string of the native dialect."""

    class Meta:
        unknown = marshmallow.RAISE

    version = fields.Integer(**bounded("an integer of at least 1", 1))
    label = fields.String()
    outputs = fields.String()
    top = fields.Integer(**bounded("an integer from 0 to 1000", 0, 1000))


QUERY = Query()


class Asked(NamedTuple):
    """What a query string says, None where it is silent."""

    version: int | None = None
    label: str | None = None
    outputs: str | None = None
    top: int | None = None


def query(arguments: Mapping[str, str]) -> Asked:
    """What a query string says; InvalidInput names every fault."""
    try:
        loaded = QUERY.load(dict(arguments))
    except ValidationError as error:
        faults = (fault for name, nest in normalized(error).items() for fault in wrong(name, nest))
        raise InvalidInput(list(islice(faults, MOST_FAULTS))) from error
    if {"version", "label"} <= loaded.keys():
        raise InvalidInput([Fault("?/label", "expected a version or a label, got both")])
    return Asked(**loaded)


def wrong(name: str, nest: Any) -> Iterator[Fault]:
    """The faults of one parameter of a query string."""
    pointer = f"?/{escape(name)}"[:MOST_POINTER]
    if nest == [UNKNOWN]:
        hint = nearest(name, list(QUERY.fields), "parameters")
        yield Fault(pointer, f"unknown parameter {name[:MOST_ECHOED]!r}{hint}")
    else:
        yield from flatten(nest, pointer)


def output_names(text: str | None, outputs: Sequence[str]) -> list[str]:
    """Comma-separated output names, all of them where none is named; InvalidInput names each that is none."""
    if text is None:
        return list(outputs)
    names = [name.strip() for name in text.split(",")]
    known = ", ".join(outputs)
    wrong = (
        Fault("?/outputs", f"unknown output {name[:MOST_ECHOED]!r}; the outputs are {known}")
        for name in names
        if name not in outputs
    )
    faults = list(islice(wrong, MOST_FAULTS))
    if faults:
        raise InvalidInput(faults)
    return names
