"""TensorFlow Serving's messages about one model version: requests in bytes, and what responses say. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from service.device.wire import dtype_of
from service.errors import EngineFailed, ServiceError
from service.grpc.messages import (
    STATE,
    GetModelMetadataResponse,
    GetModelStatusResponse,
    PredictResponse,
    SignatureDefMap,
    message,
)
from service.grpc.tensors import NAMES, label, to_array, write
from service.nested import Misfit
from service.signature import Signature, TensorSpec
from service.tensors import Array, Tensors

PREDICT = "/tensorflow.serving.PredictionService/Predict"
METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"
STATUS = "/tensorflow.serving.ModelService/GetModelStatus"

SERVED = "serving_default"
FIELD = "signature_def"
AVAILABLE = "AVAILABLE"
DTYPES = {name: dtype for dtype, name in NAMES.items()}
MOST_BYTES = 2**31
"""Of a tensor of which a replica sends one value for all: no message of protobuf is larger."""

PredictRequest = message("tensorflow.serving.PredictRequest")
GetModelMetadataRequest = message("tensorflow.serving.GetModelMetadataRequest")
GetModelStatusRequest = message("tensorflow.serving.GetModelStatusRequest")


class OtherModel(ServiceError):
    """What the fleet serves under a version's name is no model that can be served here."""


class Target:
    """One version of one model in a fleet, and all that is asked of it."""

    def __init__(self, model: str, version: int) -> None:
        self.name = f"{model}/{version}"
        self._version = version
        spec = {"name": model, "version": {"value": version}}
        self.status = GetModelStatusRequest(model_spec=spec).SerializeToString()
        self.metadata = GetModelMetadataRequest(model_spec=spec, metadata_field=[FIELD]).SerializeToString()
        self._blank = PredictRequest(model_spec={**spec, "signature_name": SERVED}).SerializeToString()

    def request(self, tensors: Tensors) -> bytes:
        """A PredictRequest for a batch."""
        request = PredictRequest.FromString(self._blank)
        for name, array in tensors.items():
            write(array, request.inputs[name])
        data: bytes = request.SerializeToString()
        return data

    def state(self, response: bytes) -> str:
        """The version's state, by its name in a GetModelStatusResponse; "" if it is not there."""
        states = GetModelStatusResponse.FromString(response).model_version_status
        found = (STATE.values_by_number[one.state].name for one in states if one.version == self._version)
        return next(found, "")


def outputs(response: bytes, signature: Signature) -> dict[str, Array]:
    """The tensors of a PredictResponse; EngineFailed where they are not what the signature promises."""
    try:
        protos = PredictResponse.FromString(response).outputs
    except DecodeError as error:
        raise EngineFailed("what a replica answers is no PredictResponse") from error
    return {name: output(protos[name], spec) for name, spec in signature.outputs.items() if name in protos}


def output(proto: Any, spec: TensorSpec) -> Array:
    """One tensor, which may be empty but for its rows; EngineFailed."""
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if 0 in sizes[1:] and len(sizes) == len(spec.shape):
        return np.empty(sizes, spec.dtype)
    try:
        return to_array(proto, spec.dtype, spec.shape, MOST_BYTES)
    except Misfit as misfit:
        raise EngineFailed(f"output {spec.name!r}: {misfit}") from misfit


def signature(response: bytes) -> Signature:
    """The signature `serving_default` of a GetModelMetadataResponse; OtherModel."""
    found = SignatureDefMap()
    GetModelMetadataResponse.FromString(response).metadata[FIELD].Unpack(found)
    if SERVED not in found.signature_def:
        there = ", ".join(sorted(found.signature_def)) or "none"
        raise OtherModel(f"the fleet's model has no signature {SERVED!r} (found: {there})")
    served = found.signature_def[SERVED]
    return Signature(specs(served.inputs), specs(served.outputs))


def specs(infos: Mapping[str, Any]) -> dict[str, TensorSpec]:
    """One side of a SignatureDef, in the order of the names; OtherModel."""
    return {name: spec(name, infos[name]) for name in sorted(infos)}


def spec(name: str, info: Any) -> TensorSpec:
    """A TensorInfo; a shape of unknown rank becomes (), which cannot be batched. OtherModel."""
    kind = label(info.dtype)
    if kind not in DTYPES or info.WhichOneof("encoding") != "name":
        raise OtherModel(f"{name} is a tensor of {kind} that is not served here")
    sizes = [] if info.tensor_shape.unknown_rank else info.tensor_shape.dim
    return TensorSpec(name, dtype_of(DTYPES[kind]), tuple(None if dim.size < 0 else dim.size for dim in sizes))
