"""JSON Schemas (Draft 2020-12) of tensors: one element of a dtype, and elements nested as a shape says."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from service.openapi.models import Schema, ref
from service.signature import Shape

FLOATS: dict[str, Schema] = {
    "float16": {"minimum": -65504, "maximum": 65504},
    "float32": {"format": "float", "minimum": float(np.finfo("f4").min), "maximum": float(np.finfo("f4").max)},
    "float64": {"format": "double"},
}
"""What numbers of a dtype are like: JSON's own reach as far as float64."""

BASE64: Schema = {"type": "string", "contentEncoding": "base64"}
B64: Schema = ref("schemas", "tfs-bytes")
"""TensorFlow Serving's form of bytes in JSON."""
SCHEMAS: Schema = {
    "tfs-bytes": {
        "title": "Bytes",
        "type": "object",
        "properties": {"b64": BASE64},
        "required": ["b64"],
        "additionalProperties": False,
    }
}


def element(dtype: np.dtype[Any]) -> Schema:
    """One element as a client sends it.

    >>> element(np.dtype("bool")), element(np.dtype("int8"))
    ({'type': 'boolean'}, {'type': 'integer', 'format': 'int8', 'minimum': -128, 'maximum': 127})
    """
    match dtype.kind:
        case "b":
            return {"type": "boolean"}
        case "O":
            return {"type": "string"}
        case "i" | "u":
            limits = np.iinfo(dtype)
            return {"type": "integer", "format": dtype.name, "minimum": int(limits.min), "maximum": int(limits.max)}
        case _:
            return {"type": "number"} | FLOATS.get(dtype.name, {})


def unbounded(dtype: np.dtype[Any]) -> Schema:
    """One element as a model answers it: any number of its dtype, finite or not."""
    schema = element(dtype)
    return {key: schema[key] for key in ("type", "format") if key in schema} if schema["type"] == "number" else schema


def answered(dtype: np.dtype[Any]) -> Schema:
    """One element in strict JSON: a number that is not finite is null.

    >>> answered(np.dtype("float32"))
    {'type': ['number', 'null'], 'format': 'float'}
    """
    schema = unbounded(dtype)
    return schema | {"type": ["number", "null"]} if schema["type"] == "number" else schema


def one_of(words: Iterable[str]) -> Schema:
    """One of some words.

    >>> one_of(["wool"])
    {'type': 'string', 'enum': ['wool']}
    """
    return {"type": "string", "enum": list(words)}


def fixed(*parts: Schema) -> Schema:
    """A list of these, one after another."""
    return {"type": "array", "prefixItems": list(parts), "minItems": len(parts), "maxItems": len(parts)}


MOST_EXACT = 64
"""Of a longer list it is said that it has so many at least: of an exact number some clients get a type for each."""


def nested(inner: Schema, dims: Shape, least: int = 1, most: int | None = None) -> Schema:
    """Lists in lists, one level per axis; an open axis has `least` elements or more, an open first one `most` at most.

    >>> nested({"type": "boolean"}, (2,))
    {'type': 'array', 'items': {'type': 'boolean'}, 'minItems': 2, 'maxItems': 2}
    """
    schema = inner
    for axis, size in reversed(list(enumerate(dims))):
        longest = (size if size <= MOST_EXACT else None) if size is not None else most if axis == 0 else None
        schema = {"type": "array", "items": schema, "minItems": least if size is None else size}
        if longest is not None:
            schema["maxItems"] = longest
    return schema
