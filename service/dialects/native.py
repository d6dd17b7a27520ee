"""The dialect the README teaches: the body is the named inputs, the answer is the named outputs.

    POST /predict/<model>   one object, or a list of them (rows of any lengths), in JSON, MessagePack or .npz;
                            ?version= or ?label=, &outputs=a,b &top=
    GET  /models            what is served
    GET  /models/<model>    its card, signature, versions and an example
    POST /models/<model>/tokens     how it reads texts: their words, and which of these it never saw
    GET  /models/<model>/drift      how far what is asked and answered has moved from what it learnt

Errors are problem+json (RFC 9457).
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response

from service import reading, schemas, tensors
from service.dialects.bodies import columns, forms, npz, packed
from service.dialects.exchange import (
    deadline,
    describe,
    json_response,
    label,
    parse_rows,
    read_body,
    read_json,
    with_hint,
)
from service.dialects.oip.tensors import whole
from service.drift import report
from service.errors import Fault, InvalidInput, MalformedBody, ServiceError
from service.handle import ModelHandle, Prediction, Wait
from service.schemas import Asked
from service.settings import Settings
from service.signature import TensorSpec
from service.tensors import Group, Row
from service.versions.catalog import Catalog
from service.versions.served import Served
from service.web import current_request


def blueprint(catalog: Catalog, settings: Settings, wait: Wait) -> Blueprint:
    """The native routes over a catalog."""
    native = Blueprint("native", __name__)
    native.register_error_handler(ServiceError, problem)

    @native.post("/predict/<model>")
    def predict(model: str) -> Response:
        asked = query()
        handle = find(catalog, model, asked)
        names = schemas.output_names(asked.outputs, list(handle.signature.outputs))
        environ = current_request().environ
        form = forms.sent(environ.get("CONTENT_TYPE", ""))
        groups, many = read(handle, form, read_body(), settings)
        prediction = handle.predict_groups(groups, deadline(settings), wait)
        wanted = forms.wanted(environ.get("HTTP_ACCEPT", ""), form)
        if wanted == forms.NPZ:
            return describe(arrays(prediction, names), handle, prediction)
        top = settings.top if asked.top is None else asked.top
        answers = prediction.in_order(lambda outputs: handle.interpret(outputs, names, top))
        return describe(written(answers if many else answers[0], wanted), handle, prediction)

    @native.get("/models")
    def models() -> Response:
        return json_response([summary(name, catalog) for name in catalog.models()])

    @native.get("/models/<model>")
    def model(model: str) -> Response:
        handle = find(catalog, model, query())
        return json_response({**summary(model, catalog), **details(handle)})

    @native.post("/models/<model>/tokens")
    def tokens(model: str) -> Response:
        handle = find(catalog, model, query())
        return json_response(reading.read(handle.rows.fields, read_json()))

    @native.get("/models/<model>/drift")
    def drift(model: str) -> Response:
        handle = find(catalog, model, query())
        moved = report.document(handle.card.document, handle.watched)
        return json_response({"model": model, "version": handle.version, **moved})

    return native


SILENT = Asked()


def query() -> Asked:
    """What the query string says."""
    request = current_request()
    return schemas.query(request.args) if request.query_string else SILENT


def find(catalog: Catalog, model: str, asked: Asked) -> ModelHandle:
    """The handle asked for, for which the request is counted; ModelNotFound, VersionNotFound, ModelNotReady."""
    number = asked.version if asked.label is None else catalog.labelled(model, asked.label)
    handle = catalog.get(model, number)
    label(handle)
    return handle


def read(handle: ModelHandle, form: str, body: bytes, settings: Settings) -> tuple[list[Group], bool]:
    """The rows of a body in groups, and whether it has many; MalformedBody, InvalidInput."""
    if form == forms.NPZ:
        return columns.read(handle, npz.loads(body, settings.max_body_bytes)), True
    if form == forms.MSGPACK:
        value = packed.loads(body)
        if packed.is_batch(handle, value):
            return columns.read(handle, packed.unpacked(handle, value, "")), True
    else:
        value = parse_rows(body)
    many = isinstance(value, list)
    rows = value if many else [value]
    if form == forms.MSGPACK:
        handle.refuse_too_many(len(rows))
        rows = packed.opened(handle, rows, "/{row}" if many else "")
    return tensors.pack(load(handle, rows, many), handle.max_batch_rows, handle.engine.ragged), many


def arrays(prediction: Prediction, names: Sequence[str]) -> Response:
    """The outputs as the model gives them, in an .npz file."""
    return Response(npz.dumps({name: whole(prediction, name) for name in names}), mimetype=forms.NPZ)


def written(answer: Any, form: str) -> Response:
    """The outputs as the card reads them."""
    return Response(packed.dumps(answer), mimetype=form) if form == forms.MSGPACK else json_response(answer)


def load(handle: ModelHandle, rows: list[Any], many: bool) -> list[Row]:
    """Rows as arrays; InvalidInput."""
    if not rows:
        raise InvalidInput([Fault("", "expected at least one row, got an empty list")], handle.rows.example)
    handle.refuse_too_many(len(rows))
    return handle.rows.load(rows, "/{row}/{name}" if many else "/{name}")


def problem(error: ServiceError) -> Response:
    """RFC 9457: what went wrong, every fault with its place, and a body that would have worked."""
    body: dict[str, Any] = {
        "type": f"urn:manifold:problem:{error.slug}",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
    }
    if isinstance(error, InvalidInput):
        body["faults"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.faults]
        if error.example is not None:
            body["example"] = error.example
    if isinstance(error, MalformedBody) and error.pointer:
        body["faults"] = [{"pointer": error.pointer, "detail": str(error).removeprefix(f"{error.pointer}: ")}]
    return with_hint(json_response(body, error.status, "application/problem+json"), error)


def summary(model: str, catalog: Catalog) -> dict[str, Any]:
    """A model in the list."""
    versions = list(catalog.versions(model).values())
    titles = [handle.card.title for served in versions if (handle := served.handle) is not None]
    return {
        "name": model,
        "title": titles[0] if titles else "",
        "predict": f"/predict/{model}",
        "versions": [version(served) for served in versions],
    }


def version(served: Served) -> dict[str, Any]:
    """A version in the list."""
    handle = served.handle
    engine = {"engine": handle.engine.name, "device": handle.engine.device} if handle is not None else {}
    refused = {"reason": served.error} if served.error else {}
    return {"version": served.version.number, "state": served.state.value, **engine, **refused}


def details(handle: ModelHandle) -> dict[str, Any]:
    """Everything a client may want to know of one version."""
    return {
        "version": handle.version,
        "signature": {
            "inputs": {name: tensor(spec) for name, spec in handle.signature.inputs.items()},
            "outputs": {name: tensor(spec) for name, spec in handle.signature.outputs.items()},
        },
        "example": handle.rows.example,
        "card": dict(handle.card.document),
    }


def tensor(spec: TensorSpec) -> dict[str, Any]:
    """A tensor's dtype and shape; -1 is any size, axis 0 the row."""
    return {"dtype": spec.type, "shape": [-1 if size is None else size for size in spec.shape]}
