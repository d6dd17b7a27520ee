"""TensorProto to array and back, as tensorflow/core/framework/tensor.proto has it: strictly where TensorFlow is lax.

Too few values are no tensor, unless it is one, which stands for all; nor are too many, nor values in another dtype's
field. TensorFlow repeats the last, drops the rest, and takes what is not there for zeros.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from service.dialects.oip.binary import MOST_STRINGS, text
from service.dialects.oip.tensors import sizes
from service.dialects.tfs.told import DTYPES
from service.grpc.messages import DATA_TYPE
from service.nested import Misfit, fits, out_of_range
from service.signature import Shape
from service.tensors import Array

NAMES = {**DTYPES, "bfloat16": "DT_BFLOAT16"}
"""TensorFlow's names of NumPy's dtypes."""

FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "int8": "int_val",
    "int16": "int_val",
    "int32": "int_val",
    "int64": "int64_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "object": "string_val",
}
"""Where the values of a dtype stand, if not in tensor_content."""

HALVES = np.dtype(np.uint16)
BITS = 35
"""Of the longest varint: five groups."""
MOST_AXES = 8
"""Sizes of a wrong shape that an answer repeats."""


def to_array(proto: Any, dtype: np.dtype[Any], wanted: Shape, most_bytes: int) -> Array:
    """A TensorProto of that dtype and shape (None fits any size but 0) as an array, over the bytes where it can.

    Misfit says what is wrong; also where one value would be repeated to more than `most_bytes`.
    """
    if proto.dtype != number(dtype):
        raise Misfit((), f"expected {NAMES[dtype.name]}, got {label(proto.dtype)}")
    shape = to_shape(proto.tensor_shape, wanted)
    if proto.tensor_content:
        return from_content(proto.tensor_content, dtype, shape)
    return from_values(getattr(proto, FIELDS[dtype.name]), dtype, shape, most_bytes)


def number(dtype: np.dtype[Any]) -> int:
    """TensorFlow's number of a dtype.

    >>> number(np.dtype("float32"))
    1
    """
    value: int = DATA_TYPE.values_by_name[NAMES[dtype.name]].number
    return value


def label(value: int) -> str:
    """TensorFlow's name of a dtype's number, or the number."""
    known = DATA_TYPE.values_by_number.get(value)
    return f"dtype {value}" if known is None else str(known.name)


def to_shape(proto: Any, wanted: Shape) -> list[int]:
    """A shape that agrees with the wanted one; Misfit."""
    shape = [dim.size for dim in proto.dim]
    agreed = (
        not proto.unknown_rank
        and len(shape) == len(wanted)
        and all(size >= 0 and expected in (None, size) for size, expected in zip(shape, wanted, strict=True))
    )
    if not agreed:
        shown = "an unknown rank" if proto.unknown_rank else shape if len(shape) <= MOST_AXES else f"{len(shape)} axes"
        raise Misfit((), f"expected shape {sizes(wanted)}, where -1 is any size, got {shown}")
    if 0 in shape:
        raise Misfit((), f"expected at least one row, and no axis of 0, got {shape}")
    return shape


def from_content(content: bytes, dtype: np.dtype[Any], shape: Sequence[int]) -> Array:
    """The array whose elements, little-endian, these bytes are; Misfit unless they fill its shape."""
    if dtype.kind == "O":
        return converted(strings(content, math.prod(shape)), dtype).reshape(shape)
    expected = math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise Misfit((), f"expected {expected} bytes in tensor_content for shape {list(shape)}, got {len(content)}")
    if dtype.kind == "b" and np.frombuffer(content, np.uint8).max() > 1:
        raise Misfit((), "expected bytes that are 0 or 1 in tensor_content")
    return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


def strings(content: bytes, count: int) -> list[bytes]:
    """Strings as TensorFlow packs them: first the lengths of all, as varints, then the strings; Misfit.

    >>> strings(b"\\x01\\x02abb", 2)
    [b'a', b'bb']
    """
    if count > MOST_STRINGS:
        raise Misfit((), f"expected at most {MOST_STRINGS} strings, got {count}")
    lengths, start = [], 0
    for _ in range(min(count, len(content))):
        length, start = varint(content, start)
        lengths.append(length)
    if len(lengths) != count or start + sum(lengths) != len(content):
        raise Misfit((), f"expected {count} strings in tensor_content, got {len(content)} bytes that are not")
    found = []
    for length in lengths:
        found.append(content[start : start + length])
        start += length
    return found


def varint(content: bytes, start: int) -> tuple[int, int]:
    """A number of up to 32 bits in groups of seven, the lowest first, and where it ends, at the last with the bytes.

    >>> varint(b"\\xac\\x02", 0)
    (300, 2)
    """
    value = shift = 0
    while start < len(content) and shift < BITS:
        byte = content[start]
        start += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return value, start


def from_values(values: Sequence[Any], dtype: np.dtype[Any], shape: Sequence[int], most_bytes: int) -> Array:
    """The array of these values, or of one value all over; Misfit."""
    count, given = math.prod(shape), len(values)
    if given not in (1, count):
        one = " or 1" if count > 1 else ""
        raise Misfit((), f"expected {count}{one} in {FIELDS[dtype.name]} for shape {list(shape)}, got {given}")
    if given < count and count * dtype.itemsize > most_bytes:
        raise Misfit((), f"shape {list(shape)} has more than {most_bytes} bytes")
    array = converted(values, dtype)
    return array.reshape(shape) if given == count else np.broadcast_to(array, shape)


def converted(values: Sequence[Any], dtype: np.dtype[Any]) -> Array:
    """Values of a field as an array of its dtype; Misfit if one is out of the dtype's range."""
    if dtype.kind == "O":
        found: Array = np.empty(len(values), object)
        found[:] = [text(value) for value in values]
        return found
    stored = HALVES if FIELDS[dtype.name] == "half_val" else dtype
    if stored.kind not in "iu" or stored.itemsize > HALVES.itemsize:
        return np.array(values, stored)
    wide = np.array(values, np.int32)
    if not (fits(int(wide.min()), stored) and fits(int(wide.max()), stored)):
        culprit = next(value for value in wide.tolist() if not fits(value, stored))
        raise Misfit((), out_of_range(culprit, stored))
    return wide.astype(stored).view(dtype)


def write(array: Array, proto: Any) -> None:
    """Fill a TensorProto: strings in string_val, all else in tensor_content."""
    proto.dtype = number(array.dtype)
    set_shape(array.shape, proto.tensor_shape)
    if array.dtype.kind == "O":
        proto.string_val.extend(
            [element if isinstance(element, bytes) else element.encode() for element in array.ravel()]
        )
    else:
        proto.tensor_content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def set_shape(shape: Sequence[int | None], proto: Any) -> None:
    """Fill a TensorShapeProto; -1 is any size."""
    for size in sizes(shape):
        proto.dim.add(size=size)
