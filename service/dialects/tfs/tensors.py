"""The tensors of TensorFlow Serving's JSON: by rows (`instances`) or by columns (`inputs`), in and out again.

As tensorflow_serving/util/json_tensor.cc has them, strictly where it is lax: every fault is named, nothing is wrapped.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from service import tensors
from service.dialects.tfs.strings import decoded, encoded, is_base64
from service.errors import Fault, InvalidInput, MalformedBody
from service.handle import ModelHandle, Prediction
from service.nested import show
from service.outputs import JSON


def from_instances(handle: ModelHandle, instances: Any) -> list[tensors.Row]:
    """A list of rows: objects of named inputs, or, of a model with one input, bare values."""
    instances = listed(instances)
    if not isinstance(instances, list):
        raise MalformedBody(f"expected 'instances' to be a list, got {show(instances)}", "/instances")
    if not instances:
        raise MalformedBody("No values in 'instances' array", "/instances")
    handle.refuse_too_many(len(instances))
    names = list(handle.signature.inputs)
    named = is_named(instances[0])
    for index, row in enumerate(instances):
        if is_named(row) != named:
            expected, got = ("object", "list") if named else ("value/list", "object")
            raise MalformedBody(f"Expecting {expected} but got {got} at item {index}", f"/instances/{index}")
    if not named:
        if len(names) > 1:
            raise MalformedBody(
                "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
                f"tensorinfo_map; the inputs are {', '.join(names)}"
            )
        return load(handle, [{names[0]: value} for value in instances], "/instances/{row}")
    return load(handle, instances, "/instances/{row}/{name}")


def listed(column: Any) -> Any:
    """A column of rows as a list of them, if it came as an array."""
    if isinstance(column, np.ndarray):
        return column.tolist() if column.ndim == 1 else list(column)
    return column


def is_named(instance: Any) -> bool:
    """Whether a row is an object of inputs, not a value; {"b64": "…"} is a value."""
    return isinstance(instance, dict) and not is_base64(instance)


def from_inputs(handle: ModelHandle, inputs: Any) -> list[tensors.Row]:
    """Whole tensors by name, or, of a model with one input, bare; names the model lacks are ignored, as theirs does."""
    names = list(handle.signature.inputs)
    named = is_named(inputs)
    if not named:
        if len(names) > 1:
            raise MalformedBody(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                f"tensorinfo_map; the inputs are {', '.join(names)}"
            )
        inputs = {names[0]: inputs}
    columns = {name: listed(inputs[name]) for name in names if name in inputs}
    faults = [
        Fault("/inputs", f"Missing named input: {name} in 'inputs' object.") for name in names if name not in columns
    ]
    faults += [
        Fault(f"/inputs/{name}", f"expected a list of rows, got {show(column)}")
        for name, column in columns.items()
        if not (isinstance(column, list) and column)
    ]
    if faults:
        raise InvalidInput(faults)
    counts = {len(column) for column in columns.values()}
    if len(counts) > 1:
        raise InvalidInput([Fault("/inputs", f"expected as many rows of every input, got {sorted(counts)}")])
    handle.refuse_too_many(counts.pop())
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return load(handle, rows, "/inputs/{name}/{row}" if named else "/inputs/{row}")


def load(handle: ModelHandle, rows: Sequence[Any], place: str) -> list[tensors.Row]:
    """Rows of the signature's own shapes as arrays; InvalidInput. `place` is the pattern of pointers to values."""
    if handle.string_depths:
        rows = [decode(row, handle.string_depths) for row in rows]
    return handle.rows.strict.load(rows, place)


def decode(row: Any, depths: Mapping[str, int]) -> Any:
    """A row with the base64 of its strings decoded, so many lists deep."""
    if type(row) is not dict:
        return row
    for name, depth in depths.items():
        if holds_base64(row.get(name), depth):
            row = {**row, name: decoded(row[name], depth)}
    return row


def holds_base64(value: Any, depth: int) -> bool:
    """Whether a value is {"b64": "…"}, or may hold some, so many lists deep."""
    return type(value) is dict or (depth > 0 and type(value) is list)


def to_rows(prediction: Prediction, names: list[str]) -> list[Any]:
    """One value per row where there is one output, else one object of named outputs."""
    if len(names) == 1:
        return column(prediction, names[0])
    columns = [column(prediction, name) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def column(prediction: Prediction, name: str) -> list[Any]:
    """One output of every row."""
    return prediction.in_order(lambda outputs: encoded(name, outputs[name]))


def to_columns(prediction: Prediction, names: list[str]) -> Any:
    """The bare tensor where there is one output, else an object of named tensors."""
    columns = {name: column(prediction, name) for name in names}
    ragged = [name for name, values in columns.items() if len({np.shape(value) for value in values}) > 1]
    if ragged:
        raise MalformedBody(f"rows of {', '.join(ragged)} differ in shape; ask by row, with 'instances'")
    return columns[names[0]] if len(names) == 1 else columns


def dump(answer: Any, prediction: Prediction) -> bytes:
    """JSON; numbers that are not finite as the bare tokens NaN, Infinity and -Infinity."""
    text = orjson.dumps(answer, option=JSON)
    if b"null" not in text:  # what orjson makes of them; a string may hold the word as well, so look closer then
        return text
    outputs = [array for _, group in prediction.groups for array in group.values()]
    if all(array.dtype.kind not in "fV" or np.isfinite(array).all() for array in outputs):
        return text
    return json.dumps(answer, default=lambda array: array.tolist(), ensure_ascii=False).encode()
