"""Strings as TensorFlow Serving writes them in JSON: text, or {"b64": "…"} for any bytes."""

import base64
from typing import Any

import numpy as np

from service import tensors
from service.dialects.oip.binary import text
from service.tensors import Array

BYTES = "_bytes"
"""An output whose name ends so is always base64."""


def is_base64(value: Any) -> bool:
    """Whether a value is {"b64": "…"}."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def decoded(value: Any, depth: int) -> Any:
    """A nesting of so many lists with its {"b64": "…"} as text, or as bytes where it is none.

    What is no base64 stays, to be refused as no string.

    >>> decoded([{"b64": "Zg=="}, {"b64": "/w=="}, "f"], 1)
    ['f', b'\\xff', 'f']
    """
    if depth and isinstance(value, list):
        return [decoded(inner, depth - 1) for inner in value]
    if not is_base64(value):
        return value
    try:
        return text(base64.b64decode(value["b64"], validate=True))
    except ValueError:
        return value


def encoded(name: str, array: Array) -> Any:
    """An output's rows: numbers as they are, strings as text, or as base64 where the name asks for it.

    >>> encoded("y_bytes", np.array([b"f"], object)), encoded("y", np.array([b"f"], object))
    ([{'b64': 'Zg=='}], ['f'])
    """
    if array.dtype.kind != "O":
        return array
    if not name.endswith(BYTES):
        return tensors.strings(array)
    flat = [text if isinstance(text, bytes) else text.encode() for text in array.ravel()]
    coded = np.empty(len(flat), object)
    coded[:] = [{"b64": base64.b64encode(text).decode()} for text in flat]
    return coded.reshape(array.shape).tolist()
