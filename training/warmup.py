"""TensorFlow Serving's warm-up file: real requests for both signatures, asked by the server before it reports ready."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from training.golden import Group
from training.saved_model import IDS, TEXT
from training.task import Table

GROUPS = 4


def write(path: Path, model: str, groups: Sequence[Group], test: Table) -> None:
    """Records of the first golden groups, as ids and as text."""
    with tf.io.TFRecordWriter(str(path)) as file:
        for group in groups[:GROUPS]:
            text = {name: [test[name][place].encode() for place in group.places] for name in group.inputs}
            file.write(_record(model, IDS, dict(group.inputs)))
            file.write(_record(model, TEXT, text))


def _record(model: str, signature: str, inputs: dict[str, Any]) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
    serialized: bytes = log.SerializeToString()
    return serialized
