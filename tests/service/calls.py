"""TensorFlow Serving's gRPC API as a client speaks it, over a real socket, to a service that is moved by hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np

from service.access.guard import Guard
from service.beside import Side
from service.grpc.front import Front
from service.grpc.messages import MODEL_SERVICE, PREDICTION_SERVICE, message
from service.grpc.tensors import label
from service.handle import ModelHandle, Wait
from service.settings import Settings
from service.signature import Signature
from service.tensors import Array
from service.versions.catalog import Catalog
from tests.service import fakes
from tests.service.server import SECONDS

METHODS = {
    name: method for service in (PREDICTION_SERVICE, MODEL_SERVICE) for name, method in service.methods_by_name.items()
}
PATHS = {name: f"/{method.containing_service.full_name}/{name}" for name, method in METHODS.items()}
DTYPES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_HALF": "float16",
    "DT_INT8": "int8",
    "DT_INT16": "int16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_UINT8": "uint8",
    "DT_UINT16": "uint16",
    "DT_UINT32": "uint32",
    "DT_UINT64": "uint64",
    "DT_BOOL": "bool",
    "DT_STRING": "object",
}


class Client:
    """Calls of one server's methods."""

    def __init__(self, port: int, credentials: grpc.ChannelCredentials | None = None) -> None:
        self.port = port
        target, options = f"127.0.0.1:{port}", [("grpc.max_receive_message_length", -1)]
        self.channel = (
            grpc.secure_channel(target, credentials, options) if credentials else grpc.insecure_channel(target, options)
        )

    def start(self, method: str, request: Any, seconds: float = SECONDS, metadata: Any = None) -> Any:
        """A call under way; of a request that is bytes already, too."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        return self.channel.unary_unary(PATHS[method]).future(data, timeout=seconds, metadata=metadata)

    def call(self, method: str, request: Any, seconds: float = SECONDS) -> Any:
        """The response; grpc.RpcError."""
        response = message(METHODS[method].output_type.full_name)
        return response.FromString(self.start(method, request, seconds).result())

    def refused(self, method: str, request: Any, seconds: float = SECONDS) -> tuple[str, str]:
        """Code and message of a call that fails."""
        error = self.start(method, request, seconds).exception()
        assert error is not None
        return error.code().name, error.details()

    def predict(self, model: str, inputs: Mapping[str, Any], **more: Any) -> dict[str, Array]:
        """Every output, by name."""
        response = self.call("Predict", predict(model, inputs, **more))
        return {name: array(proto) for name, proto in response.outputs.items()}


@contextmanager
def serving(settings: Settings, catalog: Catalog, wait: Wait, guard: Guard | None = None) -> Iterator[Client]:
    """A front on any free port, on a loop of its own, and its client."""
    front = Front(settings, catalog, wait, guard)
    side = Side(front, 0)
    client = Client(front.port)
    try:
        yield client
    finally:
        client.channel.close()
        side.close()


def new(name: str, **fields: Any) -> Any:
    """A message of tensorflow.serving."""
    return message(f"tensorflow.serving.{name}")(**fields)


def spec(model: str, version: int | None = None, **more: Any) -> dict[str, Any]:
    """A ModelSpec."""
    return {"name": model, **({} if version is None else {"version": {"value": version}}), **more}


def tensor(value: Any, dtype: str = "DT_FLOAT") -> Any:
    """A TensorProto whose elements stand in tensor_content, strings in string_val."""
    elements = np.array(value, DTYPES[dtype])
    proto = message("tensorflow.TensorProto")(dtype=dtype, tensor_shape=shape(*elements.shape))
    if dtype == "DT_STRING":
        proto.string_val.extend(text if isinstance(text, bytes) else text.encode() for text in elements.ravel())
    else:
        proto.tensor_content = elements.tobytes()
    return proto


def shape(*sizes: int) -> dict[str, Any]:
    """A TensorShapeProto."""
    return {"dim": [{"size": size} for size in sizes]}


def array(proto: Any) -> Array:
    """An output's elements."""
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if label(proto.dtype) == "DT_STRING":
        return np.array(list(proto.string_val), object).reshape(sizes)
    return np.frombuffer(proto.tensor_content, DTYPES[label(proto.dtype)]).reshape(sizes)


def predict(model: str, inputs: Mapping[str, Any], output_filter: Any = (), **more: Any) -> Any:
    """A PredictRequest; inputs that are no TensorProto are taken as floats."""
    request = new("PredictRequest", model_spec=spec(model, **more), output_filter=output_filter)
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(
            value if hasattr(value, "dtype") and hasattr(value, "tensor_shape") else tensor(value)
        )
    return request


def examples(*rows: Mapping[str, Any], context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An Input: rows of features, each a list of strings, of integers or of other numbers."""
    listed = {"examples": [example(row) for row in rows]}
    if context is None:
        return {"example_list": listed}
    return {"example_list_with_context": {**listed, "context": example(context)}}


def example(row: Mapping[str, Any]) -> Any:
    """An Example."""
    found = message("tensorflow.Example")()
    for name, values in row.items():
        kinds = {type(value) for value in values}
        kind = "bytes_list" if kinds <= {str, bytes} else "int64_list" if kinds == {int} else "float_list"
        encoded = [value.encode() if isinstance(value, str) else value for value in values]
        getattr(found.features.feature[name], kind).value.extend(encoded)
    return found


def mirror(*tensors: tuple[str, str, tuple[int | None, ...]], hand: fakes.Hand, **more: Any) -> ModelHandle:
    """A model called mirror that gives what it gets: (name, dtype, shape)."""
    specs = fakes.specs(**{name: (dtype, sizes) for name, dtype, sizes in tensors})
    return fakes.handle(fakes.FakeEngine(Signature(specs, specs), dict, immune=True), hand, name="mirror", **more)
