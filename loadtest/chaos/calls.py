"""TensorFlow Serving's gRPC API as a client asks it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from loadtest.chaos.forms import Headers, Rows

PREDICT = "/tensorflow.serving.PredictionService/Predict"
DTYPES = {"f4": 1, "f8": 2, "i4": 3, "u1": 4, "i2": 5, "i1": 6, "i8": 9, "b1": 10}
STRING = 7


def predict_request(rows: "Rows") -> "tuple[str, Headers, bytes]":
    """The method, no headers, and the message."""
    from service.grpc.messages import message

    request = message("tensorflow.serving.PredictRequest")()
    request.model_spec.name = rows.model
    if rows.version:
        request.model_spec.version.value = rows.version
    for name, array in rows.tensors.items():
        proto = request.inputs[name]
        for size in array.shape:
            proto.tensor_shape.dim.add().size = size
        if array.dtype.kind == "O":
            proto.dtype = STRING
            proto.string_val.extend(text.encode() for text in array.ravel())
        else:
            proto.dtype = DTYPES[f"{array.dtype.kind}{array.dtype.itemsize}"]
            proto.tensor_content = array.tobytes()
    return PREDICT, {}, request.SerializeToString()


def read(answer: bytes) -> tuple[int, Mapping[str, Any]]:
    """The version that answered, and its outputs, flat."""
    from service.grpc.messages import PredictResponse

    response = PredictResponse.FromString(answer)
    outputs = {name: numbers(proto) for name, proto in response.outputs.items()}
    return int(response.model_spec.version.value), outputs


def numbers(proto: Any) -> list[Any]:
    """A tensor's elements, in whichever field they stand."""
    names = {number: code for code, number in DTYPES.items()}
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, f"<{names[proto.dtype]}").tolist()
    fields = {1: "float_val", 2: "double_val", 9: "int64_val", 10: "bool_val", STRING: "string_val"}
    return list(getattr(proto, fields.get(proto.dtype, "int_val")))
