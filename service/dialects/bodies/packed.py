"""MessagePack: what JSON says, in fewer bytes, and tensors whole.

A tensor is a map of three, wherever a value may stand; every array of an answer is one:

    {"dtype": "float32", "shape": [2, 3], "data": 24 bytes, little-endian, row by row}
"""

import math
from collections.abc import Sequence
from typing import Any

import msgpack
import numpy as np

from service.dialects.bodies import crowd
from service.dialects.bodies.columns import fitted, pointer
from service.errors import Fault, InvalidInput, MalformedBody, ServiceError, placed
from service.handle import ModelHandle
from service.nested import Misfit, show
from service.schemas import MOST_FAULTS, MOST_POINTER, escape
from service.tensors import Array

TENSOR = {"dtype", "shape", "data"}
DTYPES = (
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    "float16",
    "float32",
    "float64",
)
MOST_AXES = 16


def loads(body: bytes) -> Any:
    """A body's value; MalformedBody, BodyTooLarge. No container claims more elements than the body has bytes."""
    if not body:
        raise MalformedBody("the body is empty; send MessagePack")
    hooks = {} if len(body) <= crowd.MOST else dict.fromkeys(("list_hook", "object_hook"), crowd.counter())
    try:
        return msgpack.unpackb(body, **hooks)
    except ServiceError:
        raise
    except msgpack.StackError:
        raise MalformedBody("the body is nested too deep") from None
    except Exception as error:  # "other exceptions can be raised", says its documentation
        raise MalformedBody(f"the body is not MessagePack: {error or type(error).__name__}") from None


def dumps(value: Any) -> bytes:
    """A value with NumPy arrays and numbers in it."""
    packed: bytes = msgpack.packb(value, default=plain)
    return packed


def plain(value: Any) -> Any:
    """What MessagePack has for an array or a number of NumPy's."""
    if isinstance(value, np.ndarray) and value.ndim:
        data = value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
        return {"dtype": value.dtype.name, "shape": value.shape, "data": data}
    return value.item()


def is_batch(handle: ModelHandle, body: Any) -> bool:
    """Whether a body is many rows at once: an object of tensors, each of one axis more than a row of its input."""
    return (
        type(body) is dict
        and len(body) > 0
        and all(
            is_tensor(value)
            and isinstance(value["shape"], list)
            and (spec is None or len(value["shape"]) == len(spec.dims) + 1)
            for value, spec in ((value, handle.signature.inputs.get(name)) for name, value in body.items())
        )
    )


def is_tensor(value: Any) -> bool:
    """Whether a value is a map of three, with bytes in it."""
    return type(value) is dict and value.keys() == TENSOR and type(value["data"]) is bytes


def opened(handle: ModelHandle, rows: Sequence[Any], place: str) -> list[Any]:
    """Rows with their tensors as arrays of the model's dtypes; InvalidInput.

    `place` is the pattern of the pointer to a row.
    """
    found: list[Any] = []
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        if type(row) is not dict:
            found.append(row)
            continue
        try:
            at = place.format(row=number)
            found.append(fitted(handle, unpacked(handle, row, at), at + "/{name}"))
        except InvalidInput as error:
            faults += error.faults
            if len(faults) >= MOST_FAULTS:
                break
    if faults:
        raise InvalidInput(faults[:MOST_FAULTS], handle.rows.example)
    return found


def unpacked(handle: ModelHandle, values: dict[Any, Any], at: str) -> dict[str, Any]:
    """Named values with their tensors as arrays; InvalidInput. `at` is the pointer to the object they stand in."""
    found, faults = {}, []
    for name, value in values.items():
        try:
            if type(name) is not str:
                raise MalformedBody(placed(at, f"expected names in strings, got {show(name)}"), at)
            found[name] = array(value) if is_tensor(value) else value
        except Misfit as misfit:
            faults.append(Fault(pointer(f"{at}/{escape(name)}"[:MOST_POINTER], misfit.path), str(misfit)))
            if len(faults) == MOST_FAULTS:
                break
    if faults:
        raise InvalidInput(faults, handle.rows.example)
    return found


def array(tensor: dict[str, Any]) -> Array:
    """A tensor's array, over the bytes where they lie; Misfit."""
    name, shape, data = tensor["dtype"], tensor["shape"], tensor["data"]
    if name not in DTYPES:
        raise Misfit((), f"expected a dtype of {', '.join(DTYPES)}, got {show(name)}")
    if not (type(shape) is list and len(shape) <= MOST_AXES and all(type(size) is int and size > 0 for size in shape)):
        raise Misfit((), f"expected a shape of at most {MOST_AXES} sizes above 0, got {show(shape)}")
    dtype = np.dtype(name).newbyteorder("<")
    if len(data) != math.prod(shape) * dtype.itemsize:
        expected = math.prod(shape) * dtype.itemsize
        raise Misfit((), f"expected {expected} bytes of {name} in shape {shape}, got {len(data)}")
    if name == "bool" and max(data) > 1:
        raise Misfit((), "expected bytes that are 0 or 1")
    return np.frombuffer(data, dtype).reshape(shape)
