"""TensorFlow Serving's warm-up file: real requests for every signature, asked by the server before it reports ready."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

Request = tuple[str, Mapping[str, Any]]
"""A signature, and the inputs it is asked with."""


def write(path: Path, model: str, requests: Iterable[Request]) -> None:
    """A record per request."""
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, inputs in requests:
            file.write(_record(model, signature, inputs))


def _record(model: str, signature: str, inputs: Mapping[str, Any]) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
    serialized: bytes = log.SerializeToString()
    return serialized
