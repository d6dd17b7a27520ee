"""Bodies that work, one per model and form, made from the example row of its newest version."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from service.dialects.oip.tensors import datatype
from service.openapi.models import HEADS, Described, Model, Schema, ref

MOST_BYTES = 16_384
"""A larger example is left out: it would be read by nobody, and loaded by everybody."""


def shared(model: Model) -> Schema:
    """The component examples of a model."""
    return {f"{model.name}.{form}": {"summary": form, "value": value} for form, value in bodies(model).items()}


def of(model: Model, *forms: str) -> Schema:
    """The examples of an operation, by reference; those left out are none."""
    known = bodies(model)
    return {form: ref("examples", f"{model.name}.{form}") for form in forms if form in known}


def bodies(model: Model) -> dict[str, Any]:
    """Every body that is short enough."""
    version = model.newest
    row = dict(version.example)
    strict = listed(version)
    made = {
        "row": row,
        "rows": [row, row],
        "instances": {"instances": [strict]},
        "inputs": {"inputs": {name: [value] for name, value in strict.items()}},
        "tensors": tensors(version),
        **{verb: features(version, verb) for verb in HEADS if version.heads(verb) and is_flat(version)},
    }
    return {form: body for form, body in made.items() if len(orjson.dumps(body)) <= MOST_BYTES}


def listed(version: Described) -> dict[str, Any]:
    """The row as the signature has it: an only element in a list of one."""
    signature = version.signature.inputs
    return {
        name: [value] if signature[name].dims == (1,) and not isinstance(value, list) else value
        for name, value in version.example.items()
    }


def tensors(version: Described) -> dict[str, Any]:
    """The row in the Open Inference Protocol: strings where the card makes sense of them, else whole tensors."""
    return {"id": "1", "inputs": [tensor(name, value, version) for name, value in listed(version).items()]}


def tensor(name: str, value: Any, version: Described) -> Mapping[str, Any]:
    """One input of one row."""
    dtype = version.signature.inputs[name].dtype
    if isinstance(flat(value)[0], str) and name in version.card.inputs:
        return {"name": name, "datatype": "BYTES", "shape": [1], "data": flat(value)}
    shape = np.shape(np.array(value, object))
    return {"name": name, "datatype": datatype(dtype), "shape": [1, *shape], "data": flat(value)}


def is_flat(version: Described) -> bool:
    """Whether every input of the example can be told from a flat list of values."""
    return all(
        isinstance(value, str) or version.signature.inputs[name].dims.count(None) < 2
        for name, value in version.example.items()
    )


def features(version: Described, verb: str) -> dict[str, Any]:
    """The row as an example of :classify or :regress: strings, or flat lists of one kind of number."""
    return {
        "signature_name": version.heads(verb)[0],
        "examples": [
            {
                name: value if isinstance(value, str) else alike(flat(value), version.signature.inputs[name].dtype)
                for name, value in version.example.items()
            }
        ],
    }


def alike(values: list[Any], dtype: np.dtype[Any]) -> list[Any]:
    """Numbers with a point where the model takes such: 1 and 0.5 are of different kinds there."""
    return list(map(float, values)) if dtype.kind == "f" else values


def flat(value: Any) -> list[Any]:
    """All elements of a nesting.

    >>> flat([[1, 2], [3]]), flat(7)
    ([1, 2, 3], [7])
    """
    return [element for inner in value for element in flat(inner)] if isinstance(value, list) else [value]
