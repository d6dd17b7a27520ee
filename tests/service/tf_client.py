"""TensorFlow Serving's own client, in a process of its own: it loads TensorFlow.

`python -m tests.service.tf_client PORT` prints, in JSON, what a server of the toy and the slow model answers to
tensorflow-serving-api's stubs, and where our messages differ from theirs.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from service.grpc.messages import FILES, POOL
from tests.service.server import SECONDS

ROWS = [("the cat sat", [0.5, -1.0, 2.0]), ("very good", [1.0, 2.0, 3.0])]


class Client:
    """Both stubs on one channel."""

    def __init__(self, port: int) -> None:
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(channel)

    def predict(self, model: str, output_filter: tuple[str, ...] = (), **inputs: Any) -> dict[str, Any]:
        request = predict_pb2.PredictRequest(output_filter=output_filter)
        request.model_spec.name = model
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(value)
        response = self.prediction.Predict(request, timeout=SECONDS)
        return {name: tf.make_ndarray(proto).tolist() for name, proto in response.outputs.items()}

    def toy(self, output_filter: tuple[str, ...] = ()) -> dict[str, Any]:
        texts, numbers = zip(*ROWS, strict=True)
        return self.predict(
            "toy",
            output_filter,
            text=tf.make_tensor_proto(list(texts), shape=[2]),
            numbers=tf.make_tensor_proto(np.array(numbers, np.float32)),
        )

    def repeated(self) -> dict[str, Any]:
        """One value, which TensorFlow's own helper sends for all of a shape."""
        return self.predict(
            "toy",
            text=tf.make_tensor_proto(2, tf.int32, shape=[2, 3]),
            numbers=tf.make_tensor_proto(0.5, tf.float32, shape=[2, 3]),
        )

    def classify(self, signature: str) -> list[list[tuple[str, float]]]:
        request = classification_pb2.ClassificationRequest(input={"example_list": {"examples": examples()}})
        request.model_spec.name, request.model_spec.signature_name = "toy", signature
        found = self.prediction.Classify(request, timeout=SECONDS).result.classifications
        return [[(one.label, one.score) for one in row.classes] for row in found]

    def regress(self) -> list[float]:
        request = regression_pb2.RegressionRequest(input={"example_list": {"examples": examples()}})
        request.model_spec.name, request.model_spec.signature_name = "toy", "score"
        return [one.value for one in self.prediction.Regress(request, timeout=SECONDS).result.regressions]

    def metadata(self) -> dict[str, Any]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = "toy"
        found = get_model_metadata_pb2.SignatureDefMap()
        assert self.prediction.GetModelMetadata(request, timeout=SECONDS).metadata["signature_def"].Unpack(found)
        return full(found)

    def status(self) -> dict[str, Any]:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "toy"
        return full(self.models.GetModelStatus(request, timeout=SECONDS))

    def refused(self) -> dict[str, str]:
        """The codes of calls that fail."""
        late = tf.make_tensor_proto(np.array([[400_000]]))
        request = predict_pb2.PredictRequest(model_spec={"name": "slow"}, inputs={"spins": late})
        return {
            "unknown": code(lambda: self.predict("nobody")),
            "wrong": code(lambda: self.predict("toy")),
            "late": code(lambda: self.prediction.Predict(request, timeout=0.05)),
            "multi": code(lambda: self.prediction.MultiInference(inference_pb2.MultiInferenceRequest())),
            "reload": code(lambda: self.models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest())),
        }


def examples() -> list[tf.train.Example]:
    """The rows, as tf.Example."""
    return [
        tf.train.Example(
            features=tf.train.Features(
                feature={
                    "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()])),
                    "numbers": tf.train.Feature(float_list=tf.train.FloatList(value=numbers)),
                }
            )
        )
        for text, numbers in ROWS
    ]


def code(call: Callable[[], Any]) -> str:
    """How a call fails."""
    try:
        call()
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


def full(message: Any) -> dict[str, Any]:
    """A message as the REST dialect prints it."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def differences() -> Iterator[str]:
    """Where our messages, enums and services say something else than theirs."""
    theirs = descriptor_pool.Default()
    services = {
        **prediction_service_pb2.DESCRIPTOR.services_by_name,
        **model_service_pb2.DESCRIPTOR.services_by_name,
    }
    for name in FILES:
        file = POOL.FindFileByName(f"manifold/{name}")
        for message in file.message_types_by_name.values():
            yield from differing(message, theirs.FindMessageTypeByName(message.full_name))
        for enum in file.enum_types_by_name.values():
            yield from differing_enum(enum, theirs.FindEnumTypeByName(enum.full_name))
        for service in file.services_by_name.values():
            methods = {method.name: types(method) for method in service.methods}
            wanted = {method.name: types(method) for method in services[service.name].methods}
            if methods != wanted:
                yield f"{service.full_name}: {methods} is {wanted}"


def differing(ours: Descriptor, theirs: Descriptor) -> Iterator[str]:
    for field in ours.fields:
        wanted = theirs.fields_by_name.get(field.name)
        if wanted is None or described(field) != described(wanted):
            yield f"{field.full_name}: {described(field)} is {wanted and described(wanted)}"
    for nested in ours.nested_types:
        yield from differing(nested, theirs.nested_types_by_name[nested.name])
    for enum in ours.enum_types:
        yield from differing_enum(enum, theirs.enum_types_by_name[enum.name])


def described(field: FieldDescriptor) -> tuple[Any, ...]:
    """All that is on the wire, and the oneof."""
    kind = field.message_type or field.enum_type
    oneof = field.containing_oneof
    return field.number, field.type, field.is_repeated, field.is_packed, kind and kind.full_name, oneof and oneof.name


def differing_enum(ours: Any, theirs: Any) -> Iterator[str]:
    for name, value in ours.values_by_name.items():
        if name not in theirs.values_by_name or theirs.values_by_name[name].number != value.number:
            yield f"{ours.full_name}.{name}: {value.number}"


def types(method: Any) -> tuple[str, str]:
    return method.input_type.full_name, method.output_type.full_name


def main(port: int) -> None:
    client = Client(port)
    told = {
        "predicted": client.toy(),
        "filtered": client.toy(("sure",)),
        "repeated": client.repeated(),
        "mood": client.classify("mood"),
        "sure": client.classify("sure"),
        "score": client.regress(),
        "metadata": client.metadata(),
        "status": client.status(),
        "refused": client.refused(),
        "differences": list(differences()),
        "fields": sum(len(message.fields) for name in FILES for message in messages(name)),
    }
    print(json.dumps(told))


def messages(name: str) -> Iterator[Descriptor]:
    yield from POOL.FindFileByName(f"manifold/{name}").message_types_by_name.values()


if __name__ == "__main__":
    main(int(sys.argv[1]))
