"""tf.Example to rows: the features that are a model's inputs, as tf.io.parse_example would take them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from service import tensors
from service.dialects.oip_binary import text
from service.dialects.tfs_errors import Malformed
from service.errors import Fault, InvalidInput
from service.handle import ModelHandle
from service.nested import show
from service.schemas import MOST_FAULTS, escape
from service.signature import TensorSpec
from service.tensors import Array, Group

PLACE = "/input/{row}/{name}"


class Unshaped(ValueError):
    """The values of a feature do not fill a row."""


def read(handle: ModelHandle, given: Any) -> list[Group]:
    """The rows of an Input as the batcher takes them; Malformed, or InvalidInput with every fault.

    Features that are no inputs are left aside. Of an input on the card, a string is one value of a row.
    """
    examples = list(features(given))
    if not examples:
        raise Malformed("Input is empty.")
    handle.refuse_too_many(len(examples))
    faults: list[Fault] = []
    rows = [read_row(handle, example, at, faults) for at, example in enumerate(examples)]
    if faults:
        raise InvalidInput(faults[:MOST_FAULTS], handle.rows.example)
    return tensors.pack(handle.rows.load(rows, PLACE), handle.max_batch_rows)


def features(given: Any) -> Iterator[Mapping[str, Any]]:
    """The features of each example, over those of the context that all share."""
    match given.WhichOneof("kind"):
        case "example_list":
            for example in given.example_list.examples:
                yield example.features.feature
        case "example_list_with_context":
            shared = given.example_list_with_context.context.features.feature
            for example in given.example_list_with_context.examples:
                yield {**shared, **example.features.feature}


def read_row(handle: ModelHandle, example: Mapping[str, Any], at: int, faults: list[Fault]) -> dict[str, Any]:
    """One example's inputs, as `Rows.load` takes them; values that do not fill a row are added to the faults."""
    row = {}
    for name, spec in handle.signature.inputs.items():
        kind = example[name].WhichOneof("kind") if name in example else None
        if kind is None:
            continue  # `Rows.load` says that it is missing
        try:
            row[name] = read_feature(kind, example[name], spec, handle.card.inputs.keys())
        except Unshaped as error:
            faults.append(Fault(PLACE.format(row=at, name=escape(name)), str(error)))
    return row


def read_feature(kind: str, feature: Any, spec: TensorSpec, described: Any) -> Any:
    """One input's value of a row; Unshaped."""
    if kind != "bytes_list":
        values = np.array(getattr(feature, kind).value, np.float32 if kind == "float_list" else np.int64)
        if spec.dtype.kind == "b" and set(values.tolist()) <= {0, 1} and values.dtype.kind == "i":
            values = values.astype(bool)
        return shaped(values, spec)
    strings = [text(value) for value in feature.bytes_list.value]
    if spec.name in described or not spec.dims:
        if len(strings) != 1:
            raise Unshaped(f"expected one string, got {len(strings)}")
        return strings[0]
    array: Array = np.empty(len(strings), object)
    array[:] = strings
    return shaped(array, spec).tolist()


def shaped(values: Array, spec: TensorSpec) -> Array:
    """Values as one row of an input, of which one axis may be open; Unshaped."""
    dims = [-1 if size is None else size for size in spec.dims]
    if dims.count(-1) > 1:
        raise Unshaped(f"a row of shape {dims} cannot be told from a list of values; use Predict")
    try:
        return values.reshape(dims)
    except ValueError:
        raise Unshaped(f"expected values of shape {dims}, where -1 is any size, got {show(values.tolist())}") from None
