"""Named arrays over a Unix socket between processes of one server: a header in JSON, then their bytes as they lie.

    4 bytes: length of the header | 8: length of the rest | the header | every array's bytes, each padded to 8

A large array is written from where it lies, and read into the memory its owner keeps: it is copied by the kernel only.
"""

import importlib
import socket
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from service.signature import Signature, TensorSpec
from service.tensors import Array, Tensors

LENGTHS = struct.Struct(">IQ")
ALIGNED = 8
JOINED = 65_536
"""Bytes up to which one copy is quicker than one more call of the kernel."""

Message = dict[str, Any]


def send(connection: socket.socket, message: Mapping[str, Any], tensors: Tensors | None = None) -> None:
    """Write one message and its arrays; strings leave as bytes in UTF-8."""
    given = {name: as_bytes(array) for name, array in (tensors or {}).items()}
    heads = [
        [name, array.dtype.name, array.shape, len(part)]
        for (name, array), part in zip((tensors or {}).items(), given.values(), strict=True)
    ]
    header = orjson.dumps({**message, "tensors": heads})
    parts = [part for data in given.values() for part in (data, bytes(-len(data) % ALIGNED))]
    start = LENGTHS.pack(len(header), sum(map(len, parts))) + header
    if sum(map(len, parts)) <= JOINED:
        connection.sendall(b"".join([start, *parts]))
        return
    for part in (start, *parts):
        connection.sendall(part)


def receive(connection: socket.socket) -> tuple[Message, dict[str, Array]]:
    """One message and its arrays, which are the caller's own; EOFError where the other side has gone.

    Nothing follows a message before it is answered: a short one is read by one call of the kernel.
    """
    start = at_least(connection, LENGTHS.size, b"")
    header_bytes, body_bytes = LENGTHS.unpack_from(start)
    begin = LENGTHS.size + header_bytes
    start = at_least(connection, begin, start)
    message: Message = orjson.loads(start[LENGTHS.size : begin])
    body = bytearray(body_bytes)
    here = len(start) - begin
    body[:here] = start[begin:]
    fill(connection, memoryview(body)[here:])
    tensors: dict[str, Array] = {}
    at = 0
    for name, dtype, shape, length in message.pop("tensors"):
        tensors[name] = as_array(memoryview(body)[at : at + length], dtype, shape)
        at += length + -length % ALIGNED
    return message, tensors


def at_least(connection: socket.socket, length: int, data: bytes) -> bytes:
    """So many bytes, or more, the first of which are `data`; EOFError."""
    while len(data) < length:
        got = connection.recv(JOINED)
        if not got:
            raise EOFError("the other side has gone")
        data += got
    return data


def fill(connection: socket.socket, view: memoryview) -> None:
    """Read until the memory is full; EOFError."""
    while view:
        got = connection.recv_into(view)
        if not got:
            raise EOFError("the other side has gone")
        view = view[got:]


def as_bytes(array: Array) -> memoryview | bytes:
    """An array's elements in C order; of strings their lengths (uint32), then their bytes.

    >>> as_bytes(np.array([["a"], [b"bcd"]], object)).hex(" ", 4)
    '01000000 03000000 61626364'
    """
    if array.dtype.kind != "O":
        return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    strings = [text.encode() if isinstance(text, str) else bytes(text) for text in array.ravel().tolist()]
    return np.array(list(map(len, strings)), "<u4").tobytes() + b"".join(strings)


def as_array(data: memoryview, dtype: str, shape: list[int]) -> Array:
    """The array that `as_bytes` wrote; strings come as bytes.

    >>> as_array(memoryview(as_bytes(np.array(["a", "bcd"], object))), "object", [2]).tolist()
    [b'a', b'bcd']
    """
    if dtype != "object":
        array: Array = np.frombuffer(data, dtype_of(dtype)).reshape(shape)
        return array
    count = int(np.prod(shape))
    ends = 4 * count + np.cumsum(np.frombuffer(data[: 4 * count], "<u4"), dtype=np.int64)
    starts = [4 * count, *ends.tolist()]
    strings: Array = np.empty(count, object)
    for number, (start, end) in enumerate(zip(starts, ends.tolist(), strict=False)):
        strings[number] = bytes(data[start:end])
    return strings.reshape(shape)


def dtype_of(name: str) -> np.dtype[Any]:
    """A dtype by its name; those that NumPy lacks, such as bfloat16, are ml_dtypes', TensorFlow's own dependency.

    >>> dtype_of("float32"), dtype_of("bfloat16").itemsize
    (dtype('float32'), 2)
    """
    try:
        return np.dtype(name)
    except TypeError:
        extension: type[np.generic] = getattr(importlib.import_module("ml_dtypes"), name)
        return np.dtype(extension)


def described(signature: Signature) -> Message:
    """A signature in JSON values."""
    sides = {"inputs": signature.inputs, "outputs": signature.outputs}
    return {side: [[one.name, one.dtype.name, one.shape] for one in specs.values()] for side, specs in sides.items()}


def signature_of(message: Mapping[str, Any]) -> Signature:
    """The signature that `described` wrote."""
    sides = [
        {name: TensorSpec(name, dtype_of(dtype), tuple(shape)) for name, dtype, shape in message[side]}
        for side in ("inputs", "outputs")
    ]
    return Signature(*sides)
