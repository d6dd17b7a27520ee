"""TensorFlow Serving's REST API v1: predict by rows and by columns, classify, regress, status, metadata.

Routes, bodies and error codes as tensorflow_serving/model_servers/http_rest_api_handler.cc and util/json_tensor.cc have
them. Where their server answers wrongly or vaguely (wrapped integers, rows of unequal length, one error at a time),
ours answers rightly; a client that works with theirs works here.
"""

import json
from collections.abc import Mapping
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
from service.dialects.tfs import examples, heads, paths, told
from service.dialects.tfs.errors import Malformed, check_signature
from service.dialects.tfs.tensors import dump, from_inputs, from_instances, to_columns, to_rows
from service.errors import MalformedBody, ServiceError
from service.handle import ModelHandle, Prediction, Wait
from service.nested import show
from service.settings import Settings
from service.versions.catalog import Catalog
from service.web import current_request

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def blueprint(catalog: Catalog, settings: Settings, wait: Wait) -> Blueprint:
    """The routes under /v1/ over a catalog."""
    tfs = Blueprint("tfs", __name__, url_prefix="/v1")
    tfs.register_error_handler(ServiceError, failed)

    @tfs.route("/", defaults={"rest": ""}, methods=METHODS, strict_slashes=False)
    @tfs.route("/<path:rest>", methods=METHODS)
    def route(rest: str) -> Response:
        request = current_request()
        if request.method == "POST" and (match := paths.asked(rest)):
            handle = paths.find(catalog, match)
            label(handle)
            return ANSWERS[match["verb"].lower()](handle, settings, wait)
        if request.method == "GET" and (match := paths.STATUS.fullmatch(rest)):
            if match["metadata"]:
                return answered(told.metadata(paths.find(catalog, match)))
            return answered(told.status(catalog, *paths.target(catalog, match)))
        raise Malformed(f"Malformed request: {request.method} {request.path}")

    return tfs


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


def answered(body: Any, code: int = 200) -> Response:
    """A JSON response, laid out for people as theirs is."""
    return Response(json.dumps(body, indent=4, ensure_ascii=False), code, mimetype="application/json")


def failed(error: ServiceError) -> Response:
    """{"error": message}; what their server calls an invalid argument is a 400."""
    return with_hint(answered({"error": str(error)}, bad_request(error.status)), error)
