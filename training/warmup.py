"""TensorFlow Serving's warm-up file: real requests for every signature, asked by the server before it reports ready."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from training.encode import Encoder, tokens
from training.golden import Group
from training.saved_model import IDS, TEXT
from training.task import Table

GROUPS = 4


def write(path: Path, model: str, encoder: Encoder, groups: Sequence[Group], test: Table) -> None:
    """Records of the first golden groups: as tensors and, where inputs are words, as text."""
    texts = tokens(encoder.task)
    with tf.io.TFRecordWriter(str(path)) as file:
        for group in groups[:GROUPS]:
            file.write(_record(model, IDS, dict(group.inputs)))
            if texts:
                text = {name: [test[name][place].encode() for place in group.places] for name in texts}
                file.write(_record(model, TEXT, {**group.inputs, **text}))


def _record(model: str, signature: str, inputs: dict[str, Any]) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
    serialized: bytes = log.SerializeToString()
    return serialized
