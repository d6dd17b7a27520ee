"""The binary tensor extension of the Open Inference Protocol: tensors as bytes behind the JSON, both ways.

    Inference-Header-Content-Length: 123
    ╭─────────── 123 bytes ───────────╮╭── 24 bytes ──╮╭─ 8 ─╮
    {"inputs": [{… "binary_data_size": 24}, {… 8}], …} first tensor    second          little-endian, row by row

A string is its length in 4 bytes, then its bytes; true is 1, false 0. With a length of 0 there is no JSON: the body is
one row of the only input. As Triton's docs/protocol/extension_binary_data.md has them.
"""

import math
import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from service.dialects.oip.tensors import datatype, sizes
from service.errors import MalformedBody
from service.nested import Misfit
from service.signature import Signature, TensorSpec
from service.tensors import Array

HEADER = "Inference-Header-Content-Length"
MOST_DIGITS = 18
MOST_STRINGS = 1_000_000
"""Of one tensor: an empty one has a byte or four on the way, and fifty in memory."""


def split(body: bytes, length: str | None) -> tuple[bytes, memoryview]:
    """The JSON of a body, and the bytes behind it; without a length all is JSON. MalformedBody."""
    if length is None:
        return body, memoryview(b"")
    if not (length.isascii() and length.isdigit() and len(length) <= MOST_DIGITS):
        raise MalformedBody(f"expected {HEADER} to be a number of bytes, got {length[:40]!r}")
    if int(length) > len(body):
        raise MalformedBody(f"{HEADER} says {int(length)} bytes, the body has {len(body)}")
    return body[: int(length)], memoryview(body)[int(length) :]


def raw(signature: Signature, data: memoryview) -> tuple[dict[str, Any], memoryview]:
    """A body without JSON as a request: one row of the only input, every output as bytes; MalformedBody."""
    if len(signature.inputs) != 1:
        raise MalformedBody(
            f"{HEADER} is 0, which only a model of one input understands; the inputs are {', '.join(signature.inputs)}"
        )
    [spec] = signature.inputs.values()
    if spec.dtype.kind == "O":
        data = memoryview(struct.pack("<I", len(data)) + bytes(data))  # the whole body is one string
    tensor = {
        "name": spec.name,
        "datatype": datatype(spec.dtype),
        "shape": [1, *deduced(spec, len(data))],
        "parameters": {"binary_data_size": len(data)},
    }
    return {"inputs": [tensor], "parameters": {"binary_data_output": True}}, data


def deduced(spec: TensorSpec, size: int) -> list[int]:
    """The shape of a row of so many bytes, of which one axis may be open; MalformedBody."""
    if spec.dims.count(None) > 1 or (spec.dtype.kind == "O" and set(spec.dims) - {1, None}):
        raise MalformedBody(f"a shape {sizes(spec.shape)} cannot be deduced from bytes; send JSON before them")
    if spec.dtype.kind == "O":
        return [1] * len(spec.dims)
    known = math.prod(size for size in spec.dims if size is not None)
    left = size // (known * spec.dtype.itemsize or 1)
    return [left if size is None else size for size in spec.dims]


def from_bytes(data: memoryview, dtype: np.dtype[Any], shape: Sequence[int]) -> Array:
    """An array over the bytes where they lie, copied only if unaligned; Misfit unless they fill the shape."""
    count = math.prod(shape)
    if dtype.kind == "O":
        texts = strings(data, count)
        found: Array = np.empty(count, object)
        found[:] = texts
        return found.reshape(shape)
    expected = count * dtype.itemsize
    if len(data) != expected:
        raise Misfit((), f"expected {expected} bytes for {datatype(dtype)} of shape {list(shape)}, got {len(data)}")
    if dtype.kind == "b" and np.frombuffer(data, np.uint8).max() > 1:
        raise Misfit((), "expected bytes that are 0 or 1")
    array = np.frombuffer(data, dtype.newbyteorder("<")).reshape(shape)
    return array if array.dtype == dtype and array.flags.aligned else array.astype(dtype)


def strings(data: memoryview, count: int) -> list[str | bytes]:
    """So many strings, each as text where it is UTF-8; Misfit."""
    if count > MOST_STRINGS:
        raise Misfit((), f"expected at most {MOST_STRINGS} strings, got {count}")
    found: list[str | bytes] = []
    start = 0
    while len(found) < count:
        end = start + 4
        if end <= len(data):
            end += struct.unpack_from("<I", data, start)[0]
        if end > len(data):
            raise Misfit((), f"expected {count} strings in {len(data)} bytes, the {len(found) + 1}. goes beyond them")
        found.append(text(bytes(data[start + 4 : end])))
        start = end
    if start < len(data):
        raise Misfit((), f"expected {count} strings in {len(data)} bytes, they end after {start}")
    return found


def text(string: bytes) -> str | bytes:
    """A string as text, or as it is where it is none.

    >>> text(b"caf\\xc3\\xa9"), text(b"\\xff")
    ('café', b'\\xff')
    """
    try:
        return string.decode()
    except UnicodeDecodeError:
        return string


def to_bytes(array: Array) -> bytes:
    """An array's elements, row by row.

    >>> to_bytes(np.array([[1, 2]], "int16")), to_bytes(np.array(["a", b"bc"], object))
    (b'\\x01\\x00\\x02\\x00', b'\\x01\\x00\\x00\\x00a\\x02\\x00\\x00\\x00bc')
    """
    if array.dtype.kind != "O":
        return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    encoded = [element if isinstance(element, bytes) else element.encode() for element in array.ravel()]
    lengths = np.fromiter(map(len, encoded), "<u4", len(encoded)).view("V4").tolist()
    return b"".join(chain.from_iterable(zip(lengths, encoded, strict=True)))
