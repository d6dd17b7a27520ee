"""tensorflow.serving.PredictionService: one function per method, from request to response, over the one core.

As tensorflow_serving/servables/tensorflow/{predict,classification,regression}_service.cc and
tensorflow_serving/model_servers/{prediction_service_impl,get_model_metadata_impl}.cc have them.
"""

from typing import Any

from service.dialects.oip.tensors import whole
from service.dialects.tfs import heads, signatures
from service.dialects.tfs.errors import DEFAULT, Malformed, Unimplemented, check_signature
from service.grpc import examples, requests
from service.grpc.calls import Call, Context
from service.grpc.messages import (
    ClassificationResponse,
    GetModelMetadataResponse,
    PredictResponse,
    RegressionResponse,
    SignatureDefMap,
)
from service.grpc.tensors import number, set_shape, write
from service.handle import ModelHandle
from service.signature import TensorSpec
from service.tensors import Array
from service.wording import MOST_ECHOED

SIGNATURE_DEF = "signature_def"
METHOD = "tensorflow/serving/predict"


def predict(request: Any, call: Call, context: Context) -> Any:
    """Named tensors in, named tensors out; the outputs of the filter alone, if there is one."""
    handle = call.on(requests.find(context.catalog, request))
    check_signature(handle, request.model_spec.signature_name)
    groups, names = requests.read(handle, request, context.settings.max_body_bytes)
    prediction = call.ask(handle, groups, context)
    response = PredictResponse()
    name_model(response.model_spec, handle, request.model_spec.signature_name or DEFAULT)
    for name in names:
        write(whole(prediction, name), response.outputs[name])
    return response


def classify(request: Any, call: Call, context: Context) -> Any:
    """Examples in, of each every label and its score out, in the card's order."""
    handle = call.on(requests.find(context.catalog, request))
    name, labels = heads.classes(handle, head_signature(handle, request))
    response = ClassificationResponse()
    for row in heads.scores(column(handle, name, request, call, context)).tolist():
        found = response.result.classifications.add()
        for label, score in zip(labels, row, strict=True):
            found.classes.add(label=label, score=score)
    name_model(response.model_spec, handle, request.model_spec.signature_name or DEFAULT)
    return response


def regress(request: Any, call: Call, context: Context) -> Any:
    """Examples in, of each one value out."""
    handle = call.on(requests.find(context.catalog, request))
    name = heads.number(handle, head_signature(handle, request))
    response = RegressionResponse()
    for value in column(handle, name, request, call, context).ravel().tolist():
        response.result.regressions.add(value=value)
    name_model(response.model_spec, handle, request.model_spec.signature_name or DEFAULT)
    return response


def multi_inference(request: Any, call: Call, context: Context) -> Any:
    """Several signatures over the same examples: every output of one Predict does as much."""
    raise Unimplemented("MultiInference is not served; Predict answers every output at once")


def get_model_metadata(request: Any, call: Call, context: Context) -> Any:
    """The signature."""
    requests.target(context.catalog, request)
    if not request.metadata_field:
        raise Malformed("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != SIGNATURE_DEF:
            raise Malformed(f"Metadata field {field[:MOST_ECHOED]} is not supported")
    handle = call.on(requests.find(context.catalog, request))
    response = GetModelMetadataResponse()
    name_model(response.model_spec, handle, "")
    response.metadata[SIGNATURE_DEF].Pack(signature_map(handle))
    return response


def signature_map(handle: ModelHandle) -> Any:
    """A SignatureDefMap of what Predict takes and gives."""
    found = SignatureDefMap()
    for word, known in signatures.known(handle).items():
        signature = found.signature_def[word]
        signature.method_name = METHOD
        for side, specs in ((signature.inputs, known.inputs), (signature.outputs, known.outputs)):
            for name, spec in specs.items():
                describe(spec, side[name])
    return found


def describe(spec: TensorSpec, info: Any) -> None:
    """Fill a TensorInfo."""
    info.name = f"{spec.name}:0"
    info.dtype = number(spec.dtype)
    set_shape(spec.shape, info.tensor_shape)


def head_signature(handle: ModelHandle, request: Any) -> str:
    """The signature that a Classify or Regress names: an output's, or the model's own; Malformed."""
    name: str = request.model_spec.signature_name
    if name not in handle.signature.outputs:
        check_signature(handle, name)
    return name


def column(handle: ModelHandle, name: str, request: Any, call: Call, context: Context) -> Array:
    """One output of every example."""
    groups = examples.read(handle, request.input)
    return whole(call.ask(handle, groups, context), name)


def name_model(spec: Any, handle: ModelHandle, signature: str) -> None:
    """Fill a ModelSpec with who answered."""
    spec.name = handle.model
    spec.version.value = handle.version
    spec.signature_name = signature
