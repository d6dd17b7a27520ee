"""TensorFlow Serving's REST API v1: predict by rows and by columns, classify, regress, status, metadata.

Routes, bodies and error codes as tensorflow_serving/model_servers/http_rest_api_handler.cc and util/json_tensor.cc have
them. Where their server answers wrongly or vaguely (wrapped integers, rows of unequal length, one error at a time),
ours answers rightly; a client that works with theirs works here.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response

from service.dialects.exchange import (
    bad_request,
    deadline,
    describe,
    label,
    parse_rows,
    read_body,
    read_json,
    with_hint,
)
from service.dialects.tfs import examples, heads, signatures
from service.dialects.tfs.errors import Malformed, check_signature, labelled
from service.dialects.tfs.tensors import dump, from_inputs, from_instances, to_columns, to_rows
from service.errors import MalformedBody, ModelNotFound, ServiceError, VersionNotFound
from service.handle import ModelHandle, Prediction, Wait
from service.nested import show
from service.settings import Settings
from service.signature import Signature, TensorSpec
from service.versions.catalog import Catalog
from service.versions.served import Served, State
from service.web import current_request

MODEL = r"models(?:/(?P<model>[^/:]+))?(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
PREDICT = re.compile(MODEL + r":(?P<verb>classify|regress|predict)", re.IGNORECASE)
STATUS = re.compile(MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)
MOST_VERSION = 2**63 - 1
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

DTYPES = {
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    "float16": "DT_HALF",
    "bfloat16": "DT_BFLOAT16",
    "int8": "DT_INT8",
    "int16": "DT_INT16",
    "int32": "DT_INT32",
    "int64": "DT_INT64",
    "uint8": "DT_UINT8",
    "uint16": "DT_UINT16",
    "uint32": "DT_UINT32",
    "uint64": "DT_UINT64",
    "bool": "DT_BOOL",
    "object": "DT_STRING",
}


def blueprint(catalog: Catalog, settings: Settings, wait: Wait) -> Blueprint:
    """The routes under /v1/ over a catalog."""
    tfs = Blueprint("tfs", __name__, url_prefix="/v1")
    tfs.register_error_handler(ServiceError, failed)

    @tfs.route("/", defaults={"rest": ""}, methods=METHODS, strict_slashes=False)
    @tfs.route("/<path:rest>", methods=METHODS)
    def route(rest: str) -> Response:
        request = current_request()
        if request.method == "POST" and (match := asked(rest)):
            handle = find(catalog, match)
            label(handle)
            return ANSWERS[match["verb"].lower()](handle, settings, wait)
        if request.method == "GET" and (match := STATUS.fullmatch(rest)):
            if match["metadata"]:
                return metadata(find(catalog, match))
            return status(catalog, match)
        raise Malformed(f"Malformed request: {request.method} {request.path}")

    return tfs


@lru_cache(1024)
def asked(path: str) -> re.Match[str] | None:
    """Of which model a path asks what, if it does."""
    return PREDICT.fullmatch(path)


@lru_cache(1024)
def model_in(path: str) -> str | None:
    """The model that a path names, if it does.

    >>> model_in("models/qa/versions/2:predict"), model_in("models/qa"), model_in("models/qa/elsewhere")
    ('qa', 'qa', None)
    """
    match = asked(path) or STATUS.fullmatch(path)
    return match["model"] if match else None


@lru_cache(1024)
def template(path: str) -> str:
    """The route of a path: names in the place of what varies; "" where there is none.

    >>> template("models/qa/versions/2:predict"), template("models/qa/metadata"), template("models/qa/elsewhere")
    ('/v1/models/<model>/versions/<version>:predict', '/v1/models/<model>/metadata', '')
    """
    match = asked(path) or STATUS.fullmatch(path)
    if match is None:
        return ""
    for name in ("label", "version", "model"):  # from the last to the first, so that places stay
        if match[name] is not None:
            path = f"{path[: match.start(name)]}<{name}>{path[match.end(name) :]}"
    return f"/v1/{path.lower()}"


def find(catalog: Catalog, match: re.Match[str]) -> ModelHandle:
    """The handle a path names; its errors in the words of TensorFlow Serving."""
    name, version = target(catalog, match)
    try:
        return catalog.get(name, version)
    except (ModelNotFound, VersionNotFound) as error:
        asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise type(error)(f"Servable not found for request: {asked}") from None


def target(catalog: Catalog, match: re.Match[str]) -> tuple[str, int | None]:
    """Model name and version of a path."""
    if match["model"] is None:
        raise Malformed("Missing model name in request.")
    if match["label"] is not None:
        return match["model"], labelled(catalog, match["model"], match["label"])
    if match["version"] is None:
        return match["model"], None
    digits = match["version"].lstrip("0") or "0"
    if len(digits) > len(str(MOST_VERSION)) or int(digits) > MOST_VERSION:
        raise Malformed(f"Failed to convert version: {match['version']} to numeric.")
    return match["model"], int(digits)


def predict(handle: ModelHandle, settings: Settings, wait: Wait) -> Response:
    """Rows in, rows out; or columns in, columns out."""
    body = envelope(parse_rows(read_body()), "'instances' or 'inputs'")
    check_signature(handle, signature(body))
    by_row = is_by_row(body)
    rows = from_instances(handle, body["instances"]) if by_row else from_inputs(handle, body["inputs"])
    prediction = handle.predict(rows, deadline(settings), wait)
    names = list(handle.signature.outputs)
    answer = {"predictions": to_rows(prediction, names)} if by_row else {"outputs": to_columns(prediction, names)}
    return dumped(answer, handle, prediction)


def classify(handle: ModelHandle, settings: Settings, wait: Wait) -> Response:
    """Examples in, of each every label and its score out, in the card's order."""
    body = envelope(read_json(), "'examples'")
    name, labels = heads.classes(handle, head_signature(handle, body))
    groups = examples.read(handle, body, "classify")
    prediction = handle.predict_groups(groups, deadline(settings), wait)
    results = prediction.in_order(
        lambda outputs: [list(zip(labels, row, strict=True)) for row in heads.scores(outputs[name])]
    )
    return dumped({"results": results}, handle, prediction)


def regress(handle: ModelHandle, settings: Settings, wait: Wait) -> Response:
    """Examples in, of each one value out."""
    body = envelope(read_json(), "'examples'")
    name = heads.number(handle, head_signature(handle, body))
    groups = examples.read(handle, body, "regress")
    prediction = handle.predict_groups(groups, deadline(settings), wait)
    return dumped({"results": prediction.in_order(lambda outputs: outputs[name].reshape(-1))}, handle, prediction)


ANSWERS = {"predict": predict, "classify": classify, "regress": regress}


def dumped(answer: Any, handle: ModelHandle, prediction: Prediction) -> Response:
    """What a model answers, as JSON."""
    return describe(Response(dump(answer, prediction), content_type="application/json"), handle, prediction)


def envelope(body: Any, expected: str) -> dict[str, Any]:
    """The body, which is an object; MalformedBody says with what."""
    if type(body) is not dict:
        raise MalformedBody(f"expected a JSON object with {expected}, got {show(body)}")
    return body


def signature(body: Mapping[str, Any]) -> str:
    """The signature that a body names, "" if none; MalformedBody."""
    name = body.get("signature_name", "")
    if type(name) is not str:
        raise MalformedBody("When specified, 'signature_name' key must be a string value.", "/signature_name")
    return name


def head_signature(handle: ModelHandle, body: Mapping[str, Any]) -> str:
    """The signature that examples are for: an output's, or the model's own; MalformedBody, Malformed."""
    name = signature(body)
    if name not in handle.signature.outputs:
        check_signature(handle, name)
    return name


def is_by_row(body: Mapping[str, Any]) -> bool:
    """Whether the tensors of a body come by row; MalformedBody."""
    if ("instances" in body) == ("inputs" in body):
        raise MalformedBody("expected exactly one of 'instances' and 'inputs'")
    return "instances" in body


def status(catalog: Catalog, match: re.Match[str]) -> Response:
    """The state of every version of a model, or of one."""
    name, version = target(catalog, match)
    try:
        versions = catalog.versions(name)
        if version is not None and version not in versions:
            raise VersionNotFound
    except (ModelNotFound, VersionNotFound) as error:
        wanted = (
            f"Could not find any versions of model {name}"
            if version is None
            else f"Could not find version {version} of model {name}"
        )
        raise type(error)(wanted) from None
    listed = [served for number, served in versions.items() if version in (None, number)]
    return answered({"model_version_status": [state(served) for served in listed]})


def state(served: Served) -> Mapping[str, Any]:
    """One version's state, and why it was refused, if it was."""
    failed = served.state is State.END and served.error
    return {
        "version": str(served.version.number),
        "state": served.state.value,
        "status": {
            "error_code": "UNKNOWN" if failed else "OK",
            "error_message": failed or "",
        },
    }


def metadata(handle: ModelHandle) -> Response:
    """The signatures, as GetModelMetadataResponse prints them."""
    found = {name: described(signature) for name, signature in signatures.known(handle).items()}
    return answered(
        {
            "model_spec": {"name": handle.model, "signature_name": "", "version": str(handle.version)},
            "metadata": {"signature_def": {"signature_def": found}},
        }
    )


def described(signature: Signature) -> Mapping[str, Any]:
    """A SignatureDef message in JSON."""
    return {
        "inputs": {name: tensor_info(spec) for name, spec in signature.inputs.items()},
        "outputs": {name: tensor_info(spec) for name, spec in signature.outputs.items()},
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }


def tensor_info(spec: TensorSpec) -> Mapping[str, Any]:
    """A TensorInfo message in JSON; sizes are strings there."""
    dims = [{"size": str(-1 if size is None else size), "name": ""} for size in spec.shape]
    shape = {"dim": dims, "unknown_rank": False}
    return {"dtype": DTYPES[spec.dtype.name], "tensor_shape": shape, "name": f"{spec.name}:0"}


def answered(body: Any, code: int = 200) -> Response:
    """A JSON response, laid out for people as theirs is."""
    return Response(json.dumps(body, indent=4, ensure_ascii=False), code, mimetype="application/json")


def failed(error: ServiceError) -> Response:
    """{"error": message}; what their server calls an invalid argument is a 400."""
    return with_hint(answered({"error": str(error)}, bad_request(error.status)), error)
