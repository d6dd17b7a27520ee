"""A stand-in for TensorFlow Serving that knows nothing of ours: tensorflow-serving-api's servicers over TensorFlow.

What it answers follows tensorflow_serving's predict_util.cc, get_model_metadata_impl.cc and get_model_status_impl.cc:
outputs stand in the field of their dtype unless told otherwise, metadata is what saved_model.pb says.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
    tf.half: "half_val",
    tf.bfloat16: "half_val",
}
STATES = get_model_status_pb2.ModelVersionStatus


class Model:
    """A version of a model, loaded."""

    def __init__(self, folder: Path) -> None:
        self.name, self.version = folder.parent.name, int(folder.name)
        self.loaded = tf.saved_model.load(str(folder))
        saved = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        self.signatures = dict(saved.meta_graphs[0].signature_def)
        self.state = STATES.AVAILABLE


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """PredictionService over models."""

    def __init__(self, models: list[Model]) -> None:
        self._models = models

    def Predict(self, request: Any, context: Any) -> Any:
        model = self._find(request.model_spec, context)
        name = request.model_spec.signature_name or "serving_default"
        wanted = model.signatures[name].inputs
        if set(request.inputs) != set(wanted):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"input size does not match signature: {sorted(wanted)}")
        given = {key: tf.constant(tf.make_ndarray(proto)) for key, proto in request.inputs.items()}
        try:
            answer = model.loaded.signatures[name](**given)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for key, tensor in answer.items():
            fill(response.outputs[key], tensor)
        return response

    def GetModelMetadata(self, request: Any, context: Any) -> Any:
        model = self._find(request.model_spec, context)
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        found = get_model_metadata_pb2.SignatureDefMap(signature_def=model.signatures)
        response.metadata["signature_def"].Pack(found)
        return response

    def _find(self, spec: Any, context: Any) -> Model:
        for model in self._models:
            if (model.name, model.version) == (spec.name, spec.version.value) and model.state == STATES.AVAILABLE:
                return model
        told = f"Servable not found for request: Specific({spec.name}, {spec.version.value})"
        context.abort(grpc.StatusCode.NOT_FOUND, told)
        raise AssertionError


class Status(model_service_pb2_grpc.ModelServiceServicer):
    """ModelService over models."""

    def __init__(self, models: list[Model]) -> None:
        self._models = models

    def GetModelStatus(self, request: Any, context: Any) -> Any:
        spec = request.model_spec
        response = get_model_status_pb2.GetModelStatusResponse()
        for model in self._models:
            if (model.name, model.version) == (spec.name, spec.version.value):
                response.model_version_status.add(version=model.version, state=model.state)
        if not response.model_version_status:
            told = f"Could not find version {spec.version.value} of model {spec.name}"
            context.abort(grpc.StatusCode.NOT_FOUND, told)
        return response


def fill(proto: Any, tensor: Any) -> None:
    """As Tensor::AsProtoField writes it."""
    proto.dtype = tensor.dtype.as_datatype_enum
    proto.tensor_shape.CopyFrom(tensor.shape.as_proto())
    values = tensor.numpy().ravel()
    if tensor.dtype in (tf.half, tf.bfloat16):
        values = values.view(np.uint16)
    getattr(proto, FIELDS[tensor.dtype]).extend(values.tolist())


class Servicer:
    """A server of the models in these folders, on any free port."""

    def __init__(self, *folders: Path) -> None:
        self.models = [Model(folder) for folder in folders]
        self._server = grpc.server(ThreadPoolExecutor(4))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(self.models), self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(Status(self.models), self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def close(self) -> None:
        """End it, and all calls under way."""
        self._server.stop(None).wait()
