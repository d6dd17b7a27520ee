"""What a model takes and gives in the Open Inference Protocol: its requests and answers, tensor by tensor."""

from typing import Any

import numpy as np

from service.dialects.oip.tensors import datatype
from service.openapi.models import Described, Schema, any_of, ref
from service.openapi.values import answered, element, nested, one_of
from service.signature import Shape, TensorSpec

BYTES = np.dtype(object)
SIZE: Schema = {"type": "integer", "minimum": 0}


def request(version: Described) -> Schema:
    """Tensors in any order, each once; the outputs asked for."""
    tensors = [tensor for spec in version.signature.inputs.values() for tensor in forms(spec, version)]
    count = len(version.signature.inputs)
    asked = {
        "type": "object",
        "properties": {
            "name": one_of(version.signature.outputs),
            "parameters": ref("schemas", "oip-parameters"),
        },
        "required": ["name"],
    }
    return {
        "type": "object",
        "properties": {
            "id": {"description": "Comes back on the answer.", "type": "string"},
            "parameters": ref("schemas", "oip-parameters"),
            "inputs": {"type": "array", "items": any_of(tensors), "minItems": count, "maxItems": count},
            "outputs": {"description": "All, where none is named.", "type": "array", "items": asked},
        },
        "required": ["inputs"],
    }


def forms(spec: TensorSpec, version: Described) -> list[Schema]:
    """The forms of an input: what the model takes, or, of one on the card, a string per row."""
    own = tensor(spec.name, spec.dtype, spec.shape, element(spec.dtype))
    if spec.name not in version.card.inputs:
        return [own]
    strings = element(BYTES)
    return [own, tensor(spec.name, BYTES, (None,), strings), tensor(spec.name, BYTES, (None, 1), strings)]


def response(version: Described) -> Schema:
    """The outputs asked for."""
    specs = version.signature.outputs.values()
    tensors = [tensor(spec.name, spec.dtype, spec.shape, answered(spec.dtype)) for spec in specs]
    return {
        "type": "object",
        "properties": {
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "parameters": ref("schemas", "oip-parameters"),
            "outputs": {"type": "array", "items": any_of(tensors), "minItems": 1},
        },
        "required": ["model_name", "model_version", "outputs"],
        "additionalProperties": False,
    }


def tensor(name: str, dtype: np.dtype[Any], shape: Shape, inner: Schema) -> Schema:
    """A tensor in JSON: its data flat, or nested as its shape says; or behind the JSON."""
    flat = {"type": "array", "items": inner}
    return {
        "description": f"The tensor {name}.",
        "type": "object",
        "properties": {
            "name": {"const": name},
            "datatype": {"const": datatype(dtype)},
            "shape": sizes(shape),
            "parameters": ref("schemas", "oip-parameters"),
            "data": flat if len(shape) == 1 else any_of([flat, nested(inner, shape, least=0)]),
        },
        "required": ["name", "datatype", "shape"],
        "additionalProperties": False,
    }


def sizes(shape: Shape) -> Schema:
    """A shape: in words only, for programs that write clients know no lists of such parts."""
    told = ", ".join("any" if size is None else str(size) for size in shape)
    axes = len(shape)
    return {"description": f"({told}).", "type": "array", "items": SIZE, "minItems": axes, "maxItems": axes}
