"""TensorFlow Serving's REST API v1: predict by rows and by columns, status, metadata.

Routes, bodies and error codes as tensorflow_serving/model_servers/http_rest_api_handler.cc and util/json_tensor.cc have
them. Where their server answers wrongly or vaguely (wrapped integers, rows of unequal length, one error at a time),
ours answers rightly; a client that works with theirs works here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from flask import Blueprint, Response, request

from service import tensors
from service.catalog import Catalog, Served, State
from service.dialects.exchange import DUMP, deadline, describe, label, read_json
from service.dialects.strings import decoded, encoded, is_base64
from service.errors import Fault, InvalidInput, MalformedBody, ModelNotFound, ServiceError, VersionNotFound
from service.handle import ModelHandle, Prediction, Wait
from service.nested import show
from service.settings import Settings
from service.signature import TensorSpec

MODEL = r"models(?:/(?P<model>[^/:]+))?(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
PREDICT = re.compile(MODEL + r":(?P<verb>classify|regress|predict)", re.IGNORECASE)
STATUS = re.compile(MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)
MOST_VERSION = 2**63 - 1
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

DTYPES = {
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    "float16": "DT_HALF",
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


class Malformed(ServiceError):
    """Not a request of this API, or one its server refuses as an invalid argument."""

    status = 400
    title = "Malformed request"
    slug = "malformed-request"


class Unimplemented(ServiceError):
    """Part of the API that is not served here."""

    status = 501
    title = "Unimplemented"
    slug = "unimplemented"


def blueprint(catalog: Catalog, settings: Settings, wait: Wait) -> Blueprint:
    """The routes under /v1/ over a catalog."""
    tfs = Blueprint("tfs", __name__, url_prefix="/v1")
    tfs.register_error_handler(ServiceError, failed)

    @tfs.route("/", defaults={"rest": ""}, methods=METHODS)
    @tfs.route("/<path:rest>", methods=METHODS)
    def route(rest: str) -> Response:
        if request.method == "POST" and (match := PREDICT.fullmatch(rest)):
            handle = find(catalog, match)
            label(handle)
            if match["verb"].lower() != "predict":
                raise Unimplemented(f":{match['verb']} is not served; use :predict")
            return predict(handle, settings, wait)
        if request.method == "GET" and (match := STATUS.fullmatch(rest)):
            if match["metadata"]:
                return metadata(find(catalog, match))
            return status(catalog, match)
        raise Malformed(f"Malformed request: {request.method} {request.path}")

    return tfs


def find(catalog: Catalog, match: re.Match[str]) -> ModelHandle:
    """The handle a path names; its errors in the words of TensorFlow Serving."""
    name, version = target(match)
    try:
        return catalog.get(name, version)
    except (ModelNotFound, VersionNotFound) as error:
        asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise type(error)(f"Servable not found for request: {asked}") from None


def target(match: re.Match[str]) -> tuple[str, int | None]:
    """Model name and version of a path."""
    if match["model"] is None:
        raise Malformed("Missing model name in request.")
    if match["label"] is not None:
        raise Malformed(f"Unrecognized servable version label: {match['label']}")
    if match["version"] is None:
        return match["model"], None
    digits = match["version"].lstrip("0") or "0"
    if len(digits) > len(str(MOST_VERSION)) or int(digits) > MOST_VERSION:
        raise Malformed(f"Failed to convert version: {match['version']} to numeric.")
    return match["model"], int(digits)


def predict(handle: ModelHandle, settings: Settings, wait: Wait) -> Response:
    """Rows in, rows out; or columns in, columns out."""
    body = read_json()
    by_row = envelope(handle, body)
    rows = from_instances(handle, body["instances"]) if by_row else from_inputs(handle, body["inputs"])
    prediction = handle.predict(rows, deadline(settings), wait)
    names = list(handle.signature.outputs)
    answer = {"predictions": to_rows(prediction, names)} if by_row else {"outputs": to_columns(prediction, names)}
    return describe(Response(dump(answer, prediction), mimetype="application/json"), handle, prediction)


def envelope(handle: ModelHandle, body: Any) -> bool:
    """Check what surrounds the tensors; whether they come by row."""
    if not isinstance(body, dict):
        raise MalformedBody(f"expected a JSON object with 'instances' or 'inputs', got {show(body)}")
    signature = body.get("signature_name", "")
    if not isinstance(signature, str):
        raise MalformedBody("When specified, 'signature_name' key must be a string value.", "/signature_name")
    known = {"", "serving_default"} | ({"text"} if handle.card.inputs else set())
    if signature not in known:
        raise MalformedBody(f'Serving signature name: "{signature[:100]}" not found in signature def')
    if ("instances" in body) == ("inputs" in body):
        raise MalformedBody("expected exactly one of 'instances' and 'inputs'")
    return "instances" in body


def from_instances(handle: ModelHandle, instances: Any) -> list[tensors.Row]:
    """A list of rows: objects of named inputs, or, of a model with one input, bare values."""
    if not isinstance(instances, list):
        raise MalformedBody(f"expected 'instances' to be a list, got {show(instances)}", "/instances")
    if not instances:
        raise MalformedBody("No values in 'instances' array", "/instances")
    names = list(handle.signature.inputs)
    named = is_named(instances[0])
    for index, row in enumerate(instances):
        if is_named(row) != named:
            expected, got = ("object", "list") if named else ("value/list", "object")
            raise MalformedBody(f"Expecting {expected} but got {got} at item {index}", f"/instances/{index}")
    if not named:
        if len(names) > 1:
            raise MalformedBody(
                "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
                f"tensorinfo_map; the inputs are {', '.join(names)}"
            )
        return load(handle, [{names[0]: value} for value in instances], "/instances/{row}")
    return load(handle, instances, "/instances/{row}/{name}")


def is_named(instance: Any) -> bool:
    """Whether a row is an object of inputs, not a value; {"b64": "…"} is a value."""
    return isinstance(instance, dict) and not is_base64(instance)


def from_inputs(handle: ModelHandle, inputs: Any) -> list[tensors.Row]:
    """Whole tensors by name, or, of a model with one input, bare; names the model lacks are ignored, as theirs does."""
    names = list(handle.signature.inputs)
    named = is_named(inputs)
    if not named:
        if len(names) > 1:
            raise MalformedBody(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                f"tensorinfo_map; the inputs are {', '.join(names)}"
            )
        inputs = {names[0]: inputs}
    columns = {name: inputs[name] for name in names if name in inputs}
    faults = [
        Fault("/inputs", f"Missing named input: {name} in 'inputs' object.") for name in names if name not in columns
    ]
    faults += [
        Fault(f"/inputs/{name}", f"expected a list of rows, got {show(column)}")
        for name, column in columns.items()
        if not (isinstance(column, list) and column)
    ]
    if faults:
        raise InvalidInput(faults)
    counts = {len(column) for column in columns.values()}
    if len(counts) > 1:
        raise InvalidInput([Fault("/inputs", f"expected as many rows of every input, got {sorted(counts)}")])
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return load(handle, rows, "/inputs/{name}/{row}" if named else "/inputs/{row}")


def load(handle: ModelHandle, rows: Sequence[Any], place: str) -> list[tensors.Row]:
    """Rows as arrays; InvalidInput. `place` is the pattern of the pointers to their values."""
    if len(rows) > handle.max_queue_rows:
        raise InvalidInput(
            [Fault("", f"expected at most {handle.max_queue_rows} rows in one request, got {len(rows)}")]
        )
    strings = [spec for spec in handle.signature.inputs.values() if spec.dtype.kind == "O"]
    if strings:
        rows = [decode(row, strings) for row in rows]
    return handle.rows.load(rows, place)


def decode(row: Mapping[str, Any], strings: Sequence[TensorSpec]) -> dict[str, Any]:
    """A row with the base64 in its inputs of strings as bytes."""
    return {**row, **{spec.name: decoded(row[spec.name], len(spec.dims)) for spec in strings if spec.name in row}}


def to_rows(prediction: Prediction, names: list[str]) -> list[Any]:
    """One value per row where there is one output, else one object of named outputs."""
    if len(names) == 1:
        return column(prediction, names[0])
    columns = [column(prediction, name) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def column(prediction: Prediction, name: str) -> list[Any]:
    """One output of every row."""
    return prediction.in_order(lambda outputs: encoded(name, outputs[name]))


def to_columns(prediction: Prediction, names: list[str]) -> Any:
    """The bare tensor where there is one output, else an object of named tensors."""
    columns = {name: column(prediction, name) for name in names}
    ragged = [name for name, values in columns.items() if len({np.shape(value) for value in values}) > 1]
    if ragged:
        raise MalformedBody(f"rows of {', '.join(ragged)} differ in shape; ask by row, with 'instances'")
    return columns[names[0]] if len(names) == 1 else columns


def dump(answer: Any, prediction: Prediction) -> bytes:
    """JSON; numbers that are not finite as the bare tokens NaN, Infinity and -Infinity."""
    text = orjson.dumps(answer, option=DUMP)
    if b"null" not in text:  # what orjson makes of them; a string may hold the word as well, so look closer then
        return text
    outputs = [array for _, group in prediction.groups for array in group.values()]
    if all(array.dtype.kind != "f" or np.isfinite(array).all() for array in outputs):
        return text
    return json.dumps(answer, default=lambda array: array.tolist(), ensure_ascii=False).encode()


def status(catalog: Catalog, match: re.Match[str]) -> Response:
    """The state of every version of a model, or of one."""
    name, version = target(match)
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
    """One version's state; a version that failed to load says so without its server's paths."""
    failed = served.state is State.END and served.error
    return {
        "version": str(served.version.number),
        "state": served.state.value,
        "status": {
            "error_code": "UNKNOWN" if failed else "OK",
            "error_message": "could not be loaded" if failed else "",
        },
    }


def metadata(handle: ModelHandle) -> Response:
    """The signature, as GetModelMetadataResponse prints it."""
    signature = {
        "inputs": {name: tensor_info(spec) for name, spec in handle.signature.inputs.items()},
        "outputs": {name: tensor_info(spec) for name, spec in handle.signature.outputs.items()},
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }
    return answered(
        {
            "model_spec": {"name": handle.model, "signature_name": "", "version": str(handle.version)},
            "metadata": {"signature_def": {"signature_def": {"serving_default": signature}}},
        }
    )


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
    response = answered({"error": str(error)}, 400 if error.status == 422 else error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
