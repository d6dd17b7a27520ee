"""The Open Inference Protocol V2 over REST, which Triton, KServe and MLServer speak, with binary tensors.

    GET  /v2, /v2/health/live, /v2/health/ready
    GET  /v2/models/<model>[/versions/<version>][/ready]
    POST /v2/models/<model>[/versions/<version>]/infer    where no version is named, ?label= may stand
    POST /v2/repository/index, /v2/repository/models/<model>/load, …/unload

Tensors are what the model itself takes and gives; of an input on the card, a string per row does as well.
"""

import time
from typing import Any

from flask import Blueprint, Response, request

from service import VERSION
from service.dialects import exchange
from service.dialects.bodies import columns
from service.dialects.exchange import bad_request, json_response, label, parse_rows, read_body, with_hint
from service.dialects.oip import binary
from service.dialects.oip import repository as repository_routes
from service.dialects.oip import request as oip_request
from service.dialects.oip import tensors as oip_tensors
from service.dialects.oip.request import Inference
from service.errors import InvalidInput, ModelNotReady, ServiceError, VersionNotFound
from service.handle import ModelHandle, Prediction, Wait
from service.settings import Settings
from service.tensors import Group
from service.versions.catalog import Catalog
from service.versions.repository import Repository
from service.versions.served import State
from service.web import current_request

EXTENSIONS = ["binary_tensor_data", "model_repository", "parameters"]
PLACE = "/inputs/{name}/data/{row}"
PLATFORMS = {
    "onnx": "onnxruntime_onnx",
    "saved_model": "tensorflow_savedmodel",
    "tf_serving": "tensorflow_savedmodel",
}
"""Triton's names of what computes."""
MOST_DIGITS = 18


def blueprint(catalog: Catalog, settings: Settings, wait: Wait, repository: Repository | None = None) -> Blueprint:
    """The routes under /v2 over a catalog; without a repository nothing can be loaded or unloaded."""
    oip = Blueprint("oip", __name__, url_prefix="/v2")
    oip.register_error_handler(ServiceError, failed)

    @oip.get("")
    def server() -> Response:
        return json_response({"name": "manifold", "version": VERSION, "extensions": EXTENSIONS})

    @oip.get("/health/live")
    def live() -> Response:
        return json_response({"live": True})

    @oip.get("/health/ready")
    def ready() -> Response:
        unready = bool(catalog.unready())
        return json_response({"ready": not unready}, 503 if unready else 200)

    @oip.get("/models/<model>", defaults={"version": None})
    @oip.get("/models/<model>/versions/<version>")
    def model(model: str, version: str | None) -> Response:
        handle = find(catalog, model, version)
        return json_response(metadata(handle, catalog))

    @oip.get("/models/<model>/ready", defaults={"version": None})
    @oip.get("/models/<model>/versions/<version>/ready")
    def model_ready(model: str, version: str | None) -> Response:
        try:
            find(catalog, model, version)
        except ModelNotReady:
            return json_response({"name": model, "ready": False}, 503)
        return json_response({"name": model, "ready": True})

    @oip.post("/models/<model>/infer", defaults={"version": None})
    @oip.post("/models/<model>/versions/<version>/infer")
    def infer(model: str, version: str | None) -> Response:
        handle = find(catalog, model, version)
        asked = read(handle)
        prediction = handle.predict_groups(groups(handle, asked), deadline(settings, asked), wait)
        return exchange.describe(answer(handle, asked, prediction), handle, prediction)

    repository_routes.add_routes(oip, catalog, wait, repository)
    return oip


def find(catalog: Catalog, model: str, version: str | None) -> ModelHandle:
    """The handle a path, or `?label=`, names, for which the request is counted.

    ModelNotFound, VersionNotFound, ModelNotReady.
    """
    number = None
    if version is None:
        wanted = current_request().args.get("label") if current_request().query_string else None
        number = None if wanted is None else catalog.labelled(model, wanted)
    else:
        known = ", ".join(map(str, catalog.versions(model)))
        if not (version.isascii() and version.isdigit() and len(version) <= MOST_DIGITS):
            raise VersionNotFound(f"{model} is not served in version {version[:MOST_DIGITS]!r}; there is {known}")
        number = int(version)
    handle = catalog.get(model, number)
    label(handle)
    return handle


def metadata(handle: ModelHandle, catalog: Catalog) -> dict[str, Any]:
    """A model's versions, inputs and outputs."""
    available = [
        str(number) for number, served in catalog.versions(handle.model).items() if served.state is State.AVAILABLE
    ]
    return {
        "name": handle.model,
        "versions": available,
        "platform": PLATFORMS.get(handle.engine.name, handle.engine.name),
        "inputs": [oip_tensors.describe(spec) for spec in handle.signature.inputs.values()],
        "outputs": [oip_tensors.describe(spec) for spec in handle.signature.outputs.values()],
    }


def read(handle: ModelHandle) -> Inference:
    """The request's body, in JSON, in JSON and bytes, or in bytes alone."""
    head, data = binary.split(read_body(), request.headers.get(binary.HEADER))
    if head or not data:
        return oip_request.read(handle, parse_rows(head), data)
    return oip_request.read(handle, *binary.raw(handle.signature, data))


def groups(handle: ModelHandle, asked: Inference) -> list[Group]:
    """The rows as the batcher takes them; InvalidInput."""
    inputs = {name: asked.inputs[name] for name in handle.signature.inputs}
    try:
        return columns.groups(handle, inputs, PLACE)
    except InvalidInput as error:
        raise asked.located(error) from None


def deadline(settings: Settings, asked: Inference) -> float:
    """The time.monotonic() second at which the request gives up, by its header, its parameters or the settings."""
    latest = exchange.deadline(settings)
    return latest if asked.timeout is None else min(latest, time.monotonic() + asked.timeout)


def answer(handle: ModelHandle, asked: Inference, prediction: Prediction) -> Response:
    """The outputs asked for, each in JSON or in bytes behind it."""
    outputs, chunks = [], []
    for wanted in asked.outputs:
        array = oip_tensors.whole(prediction, wanted.name)
        output = {"name": wanted.name, "datatype": oip_tensors.datatype(array.dtype), "shape": array.shape}
        parameters = dict(wanted.parameters)
        if wanted.binary:
            chunks.append(binary.to_bytes(array))
            parameters["binary_data_size"] = len(chunks[-1])
        else:
            output["data"] = oip_tensors.to_json(array)
        outputs.append(output | ({"parameters": parameters} if parameters else {}))
    head = {
        "model_name": handle.model,
        "model_version": str(handle.version),
        **({} if asked.id is None else {"id": asked.id}),
        **({"parameters": asked.parameters} if asked.parameters else {}),
        "outputs": outputs,
    }
    return framed(json_response(head), chunks)


def framed(response: Response, chunks: list[bytes]) -> Response:
    """A JSON response with tensors behind it, if there are any."""
    if chunks:
        head = response.get_data()
        response.set_data(b"".join([head, *chunks]))
        response.headers[binary.HEADER] = str(len(head))
        response.mimetype = "application/octet-stream"
    return response


def failed(error: ServiceError) -> Response:
    """{"error": message}; what the protocol calls a bad request is a 400."""
    return with_hint(json_response({"error": str(error)}, bad_request(error.status)), error)
