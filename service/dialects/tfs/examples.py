"""The examples that :classify and :regress of TensorFlow Serving take: features by name, the context's in every one.

    {"context": {"text": "the cat"}, "examples": [{"numbers": [0.5, 2.0]}, {"numbers": [1.5, 3.0]}]}

A feature is a value or a flat list of integers, of decimals or of strings, as tensorflow_serving/util/json_tensor.cc
has them; it becomes a row of the input of its name, as tf.io.parse_example would make one. Others are left aside.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from service import tensors
from service.dialects.oip.binary import text
from service.dialects.tfs.strings import is_base64
from service.errors import Fault, InvalidInput, MalformedBody
from service.handle import ModelHandle
from service.nested import show
from service.schemas import MOST_FAULTS, escape
from service.signature import TensorSpec
from service.tensors import Group

KINDS: Mapping[type, str] = {bool: "int64", int: "int64", float: "float", str: "bytes", dict: "bytes"}
TYPES: Mapping[type, str] = {dict: "Object", list: "Array", str: "String", bool: "Bool", int: "Number", float: "Number"}
MOST_INTEGER = 2**63 - 1
MOST_FEATURES = 10_000
"""Of one example: those that are no inputs are looked at, too."""


class Unshaped(ValueError):
    """The values of a feature do not fill a row."""


def read(handle: ModelHandle, body: Mapping[str, Any], method: str) -> list[Group]:
    """The rows as the batcher takes them; MalformedBody, or InvalidInput with every fault."""
    shared = features(body["context"]) if "context" in body else {}
    given = listed(body, method)
    handle.refuse_too_many(len(given))
    examples = [shared | features(example) for example in given]
    return groups(handle, examples, "/examples/{row}/{name}")


def groups(handle: ModelHandle, examples: Sequence[Mapping[str, Sequence[Any]]], place: str) -> list[Group]:
    """Examples, whose features are flat lists, as the batcher takes them; InvalidInput with every fault.

    `place` is the pattern of the pointer to a feature.
    """
    handle.refuse_too_many(len(examples))
    faults: list[Fault] = []
    rows = [row(handle, example, place.replace("{row}", str(at)), faults) for at, example in enumerate(examples)]
    if faults:
        raise InvalidInput(faults[:MOST_FAULTS], handle.rows.example)
    return tensors.pack(handle.rows.load(rows, place), handle.max_batch_rows, handle.engine.ragged)


def listed(body: Mapping[str, Any], method: str) -> list[Any]:
    """The examples of a body; MalformedBody."""
    if "examples" not in body:
        raise MalformedBody(f"When method is {method}, key 'examples' is expected and was not found")
    examples = body["examples"]
    if type(examples) is not list:
        raise MalformedBody("Expecting 'examples' value to be an list/array", "/examples")
    if not examples:
        raise MalformedBody("'examples' value is an empty array", "/examples")
    return examples


def features(example: Any) -> dict[str, list[Any]]:
    """The values of each feature of one example, all of a kind; MalformedBody."""
    if type(example) is not dict:
        raise MalformedBody(f"Example must be JSON object but got JSON {TYPES.get(type(example), 'Null')}")
    if len(example) > MOST_FEATURES:
        raise MalformedBody(f"Example has more than {MOST_FEATURES} features")
    return {name: values(name, given if type(given) is list else [given]) for name, given in example.items()}


def values(name: str, given: list[Any]) -> list[Any]:
    """A feature's values: integers for true and false, text or bytes for strings; MalformedBody."""
    types = set(map(type, given))
    shown = name[:40]
    if not types <= KINDS.keys() or (dict in types and not all(map(is_base64, filter(is_object, given)))):
        wrong = next(
            value for value in given if type(value) not in KINDS or (is_object(value) and not is_base64(value))
        )
        word = TYPES.get(type(wrong), "Null")
        raise MalformedBody(f"Feature: {shown} has element with unexpected JSON type: {word}")
    if len({KINDS[kind] for kind in types}) > 1:
        raise MalformedBody(f"Unexpected element type in feature: {shown} expecting type: {KINDS[type(given[0])]}")
    if int in types and max(given) > MOST_INTEGER:
        raise MalformedBody(f"Feature: {shown} has uint64 element. Only int64 is supported.")
    if bool in types:
        return list(map(int, given))
    return [string(value, shown) for value in given] if dict in types else given


def is_object(value: Any) -> bool:
    return type(value) is dict


def string(value: Any, name: str) -> str | bytes:
    """A string, or what {"b64": "…"} stands for."""
    if type(value) is str:
        return value
    try:
        return text(base64.b64decode(value["b64"], validate=True))
    except ValueError:
        raise MalformedBody(f"Feature: {name} has a value that is no base64") from None


def row(handle: ModelHandle, example: Mapping[str, Sequence[Any]], place: str, faults: list[Fault]) -> dict[str, Any]:
    """One example's inputs, as `Rows.load` takes them; those that do not fill a row are added to the faults."""
    found = {}
    for name, spec in handle.signature.inputs.items():
        if name not in example:
            continue  # `Rows.load` says that it is missing
        try:
            found[name] = value(example[name], spec, described=name in handle.card.inputs)
        except Unshaped as error:
            faults.append(Fault(place.format(name=escape(name)), str(error)))
    return found


def value(given: Sequence[Any], spec: TensorSpec, *, described: bool) -> Any:
    """One input of a row; Unshaped. Of an input on the card, a string is a row by itself."""
    if given and isinstance(given[0], str | bytes) and (described or not spec.dims):
        if len(given) != 1:
            raise Unshaped(f"expected one string, got {len(given)}")
        return given[0]
    if spec.dtype.kind == "b" and set(given) <= {0, 1}:
        given = list(map(bool, given))
    sizes = [-1 if size is None else size for size in spec.dims]
    if sizes.count(-1) > 1:
        raise Unshaped(f"a row of shape {sizes} cannot be told from a list of values; use :predict")
    flat = np.empty(len(given), object)
    flat[:] = given
    try:
        return flat.reshape(sizes).tolist()
    except ValueError:
        raise Unshaped(f"expected values of shape {sizes}, where -1 is any size, got {show(list(given))}") from None
