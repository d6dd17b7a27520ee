"""Tensors of the Open Inference Protocol: the names of datatypes, shapes, and data in JSON, in and out.

`data` is flat, row by row, or nested as the shape says. JSON has no numbers that are not finite: they come out as null.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from service import nested, tensors
from service.errors import ServiceError
from service.handle import Prediction
from service.nested import Misfit, show
from service.signature import BRAIN, TensorSpec
from service.tensors import Array

DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "bfloat16": "BF16",
    "float32": "FP32",
    "float64": "FP64",
    "object": "BYTES",
}
"""The protocol's names of NumPy's dtypes."""


class UnequalRows(ServiceError):
    """The rows of an output differ in shape, so that they make no tensor."""

    status = 400
    title = "Unequal rows"
    slug = "unequal-rows"


def describe(spec: TensorSpec) -> dict[str, Any]:
    """A tensor in a model's metadata; -1 is any size."""
    return {"name": spec.name, "datatype": datatype(spec.dtype), "shape": sizes(spec.shape)}


def datatype(dtype: np.dtype[Any]) -> str:
    """The protocol's name of a dtype.

    >>> datatype(np.dtype("float32"))
    'FP32'
    """
    return DATATYPES[dtype.name]


def sizes(shape: Sequence[int | None]) -> list[int]:
    """A shape in JSON.

    >>> sizes((None, 3))
    [-1, 3]
    """
    return [-1 if size is None else size for size in shape]


def from_json(data: Any, dtype: np.dtype[Any], shape: Sequence[int]) -> Array:
    """Flat or nested data as an array of that shape; Misfit."""
    if dtype.name == BRAIN:
        raise Misfit((), "BF16 has no values in JSON; send it as binary data")
    if not isinstance(data, list | np.ndarray):
        raise Misfit((), f"expected a list, got {show(data)}")
    if len(shape) > 1 and len(data) and isinstance(data[0], list | np.ndarray):
        return nested.to_array(data, dtype, tuple(shape))
    count = math.prod(shape)
    if len(data) != count:
        raise Misfit((), f"expected {count} elements of shape {list(shape)}, got {len(data)}")
    return nested.to_array(data, dtype, (count,)).reshape(shape)


def to_json(array: Array) -> Any:
    """An array's elements, flat, row by row: a list of strings, or an array that orjson can write."""
    if array.dtype.kind == "O":
        return tensors.strings(array.ravel())
    return np.ascontiguousarray(tensors.widened(array)).ravel()


def whole(prediction: Prediction, name: str) -> Array:
    """An output of all rows, in the request's order; UnequalRows."""
    parts = [outputs[name] for _, outputs in prediction.groups]
    if len(parts) == 1:
        return parts[0]
    if len({part.shape[1:] for part in parts}) > 1:
        raise UnequalRows(f"the rows of {name} differ in shape and make no tensor; ask for them one by one")
    array = np.empty((prediction.rows, *parts[0].shape[1:]), parts[0].dtype)
    for (positions, _), part in zip(prediction.groups, parts, strict=True):
        array[positions] = part
    return array
