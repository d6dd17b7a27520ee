"""A fleet without a network: servers by address, which answer or fail as a test says, and a clock moved by hand."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np

from service.engines.tf_serving import messages
from service.engines.tf_serving.engine import TfServingEngine
from service.engines.tf_serving.failures import Failed
from service.engines.tf_serving.fleet import Fleet, Network
from service.engines.tf_serving.link import Answer
from service.engines.tf_serving.messages import Target
from service.grpc.messages import PredictResponse, message
from service.grpc.prediction import describe
from service.grpc.tensors import write
from service.signature import Signature
from tests.service.calls import new, spec
from tests.service.fakes import VECTORS, Clock, weighted

ModelSpec = message("tensorflow.serving.ModelSpec")

REFUSED = Failed("UNAVAILABLE", "failed to connect to all addresses; Connection refused")
RESET = Failed("UNAVAILABLE", "recvmsg:Connection reset by peer")
SLOW = Failed("DEADLINE_EXCEEDED", "Deadline Exceeded")
MISSING = Failed("NOT_FOUND", "Servable not found for request: Specific(fake, 1)")


def one(name: str, signature: Signature) -> bytes:
    """A GetModelMetadataResponse."""
    found = new("SignatureDefMap")
    served = found.signature_def[name]
    for side, tensors in ((served.inputs, signature.inputs), (served.outputs, signature.outputs)):
        for tensor in tensors.values():
            describe(tensor, side[tensor.name])
    response = new("GetModelMetadataResponse")
    response.metadata["signature_def"].Pack(found)
    return response.SerializeToString()


class Server:
    """One server of the model fake/1. `fails` are what its next calls raise, and `sick` what all of them do."""

    def __init__(self, signature: Signature = VECTORS, state: str = "AVAILABLE") -> None:
        self.metadata = one("serving_default", signature)
        self.state = state
        self.status = b""  # said in its place
        self.fails: list[Failed] = []
        self.sick: Failed | None = None
        self.mute: Failed | None = None
        self.batches: list[list[Any]] = []
        self.seconds: list[float] = []
        self.before: Callable[[], object] = lambda: None

    def answer(self, method: str, request: bytes, seconds: float) -> bytes:
        if method == messages.PREDICT:
            return self.predict(messages.PredictRequest.FromString(request), seconds)
        if self.mute is not None:
            raise self.mute
        if method == messages.METADATA:
            return self.metadata
        status = {"version": 1, "state": self.state}
        return self.status or new("GetModelStatusResponse", model_version_status=[status]).SerializeToString()

    def predict(self, request: Any, seconds: float) -> bytes:
        assert request.model_spec == ModelSpec(**spec("fake", 1), signature_name="serving_default")
        x = np.frombuffer(request.inputs["x"].tensor_content, np.float32).reshape(
            [dim.size for dim in request.inputs["x"].tensor_shape.dim]
        )
        self.batches.append(x.tolist())
        self.seconds.append(seconds)
        self.before()
        failed = self.fails.pop(0) if self.fails else self.sick
        if failed is not None:
            raise failed
        response = PredictResponse()
        for name, array in weighted({"x": x}).items():
            write(array, response.outputs[name])
        return response.SerializeToString()


class Wire:
    """A connection to whoever is at its address when it is asked."""

    def __init__(self, net: "Net", address: str) -> None:
        self._net = net
        self.address = address
        self.closed = False

    def call(self, method: str, request: bytes, seconds: float) -> bytes:
        server = self._net.servers.get(self.address)
        if server is None or self.closed:
            raise Failed(REFUSED.code, REFUSED.details)
        return server.answer(method, request, seconds)

    def begin(self, method: str, request: bytes, seconds: float) -> Answer:
        done: Future[bytes] = Future()
        try:
            done.set_result(self.call(method, request, seconds))
        except Failed as failed:
            done.set_exception(failed)
        return lambda: done.result(0)

    def close(self) -> None:
        self.closed = True


class Net:
    """Servers a, b, c … at their addresses, all behind the name "fleet:1" unless `behind` says otherwise."""

    def __init__(self, count: int = 3) -> None:
        self.servers = {f"{name}:1": Server() for name in "abcdefgh"[:count]}
        self.behind: dict[str, list[str]] = {"fleet:1": list(self.servers)}
        self.clock = Clock(100.0)
        self.wires: list[Wire] = []
        self.fleet = Fleet(["fleet:1"], Target("fake", 1), Network(self.connect, self.resolve, self.clock))

    def connect(self, address: str) -> Wire:
        self.wires.append(Wire(self, address))
        return self.wires[-1]

    def resolve(self, name: str) -> list[str]:
        if name not in self.behind:
            raise OSError(-2, "Name or service not known")
        return self.behind[name]

    def engine(self, seconds: float = 30.0) -> TfServingEngine:
        """Over all that are there; nobody looks at the fleet any more but the test."""
        return TfServingEngine(Target("fake", 1), self.fleet, seconds, patience=0)

    def __getitem__(self, name: str) -> Server:
        return self.servers[f"{name}:1"]

    def batches(self) -> list[int]:
        """How many each server was sent."""
        return [len(server.batches) for server in self.servers.values()]
