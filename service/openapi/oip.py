"""The Open Inference Protocol V2: a typed infer per model, metadata, health and the repository."""

from service.dialects.oip.binary import HEADER
from service.dialects.oip.tensors import DATATYPES
from service.openapi import examples
from service.openapi.models import Model, Schema, ref
from service.openapi.oip_models import request, response
from service.openapi.operations import json_body, operation
from service.openapi.parameters import ALWAYS, PREDICTED, TIMED, TRACED, any_model, any_version, version_of
from service.openapi.responses import PREDICTING, READING, answer, errors_of
from service.openapi.values import one_of
from service.settings import Settings

TAG = "Open Inference Protocol"

SCHEMAS: Schema = {
    "oip-parameters": {
        "title": "Parameters",
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    },
    "oip-tensor": {
        "title": "Tensor metadata",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "datatype": one_of(DATATYPES.values()),
            "shape": {"description": "-1 is any size.", "type": "array", "items": {"type": "integer", "minimum": -1}},
        },
        "required": ["name", "datatype", "shape"],
    },
    "oip-model": {
        "title": "Model metadata",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "versions": {"type": "array", "items": {"type": "string"}},
            "platform": {"type": "string"},
            "inputs": {"type": "array", "items": ref("schemas", "oip-tensor")},
            "outputs": {"type": "array", "items": ref("schemas", "oip-tensor")},
        },
        "required": ["name", "versions", "platform", "inputs", "outputs"],
    },
    "oip-server": {
        "title": "Server metadata",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "version": {"type": "string"},
            "extensions": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["name", "version", "extensions"],
    },
    "oip-live": {"type": "object", "properties": {"live": {"type": "boolean"}}, "required": ["live"]},
    "oip-ready": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "ready": {"type": "boolean"}},
        "required": ["ready"],
    },
    "oip-entry": {
        "title": "Version in the repository",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "version": {"type": "string"},
            "state": one_of(["READY", "UNAVAILABLE"]),
            "reason": {"type": "string"},
        },
        "required": ["name", "version", "state", "reason"],
    },
}

FRAME: Schema = {
    "name": HEADER,
    "in": "header",
    "description": "Bytes of JSON before the binary tensors; left out where all is JSON.",
    "schema": {"type": "integer", "minimum": 0},
}
EMPTY: Schema = {"type": "object", "maxProperties": 0}
DEPENDENTS: Schema = {"unload_dependents": {"description": "Triton's; no model depends on another here."}}
BINARY: Schema = {"application/octet-stream": {}}
"""JSON with binary tensors behind it."""


def schemas(model: Model) -> Schema:
    """The component schemas of a model: inference request and response."""
    return {f"{model.name}.oip-request": model.either(request), f"{model.name}.oip-answer": model.either(response)}


def paths(models: list[Model], names: list[str], settings: Settings) -> Schema:
    """POST …/infer of every model that answers, and what is known of all of them."""
    found: Schema = {}
    for model in models:
        found[f"/v2/models/{model.name}/infer"] = {"post": infer(model)}
        found[f"/v2/models/{model.name}/versions/{{version}}/infer"] = {"post": infer(model, pinned=True)}
    for suffix, name, pinned in (("", "", []), ("/versions/{version}", "_version", [any_version(models, str)])):
        parameters = [any_model(names), *pinned, *TRACED]
        found |= {
            f"/v2/models/{{model}}{suffix}": {"get": metadata(f"oip_model{name}", parameters)},
            f"/v2/models/{{model}}{suffix}/ready": {"get": model_ready(f"oip_model{name}_ready", parameters)},
        }
    return found | server() | repository(names)


def infer(model: Model, *, pinned: bool = False) -> Schema:
    """Tensors in, tensors out."""
    body = json_body(ref("schemas", f"{model.name}.oip-request"), examples.of(model, "tensors"))
    told = answer("The outputs.", ref("schemas", f"{model.name}.oip-answer"), PREDICTED)
    length = {HEADER: {"description": "Bytes of JSON before the binary tensors.", "schema": {"type": "string"}}}
    body["content"] |= BINARY
    told["content"] |= BINARY
    return operation(
        f"oip_infer{'_version' if pinned else ''}.{model.name}",
        model.name,
        f"Ask {'a version of ' if pinned else ''}{model.name} in the Open Inference Protocol",
        {"200": told | {"headers": told["headers"] | length}, **errors_of("oip", PREDICTING)},
        parameters=[*([version_of(model)] if pinned else []), FRAME, *TIMED],
        requestBody=body,
    )


def metadata(name: str, parameters: list[Schema]) -> Schema:
    """Versions, inputs and outputs."""
    return operation(
        name,
        TAG,
        "A model's inputs and outputs" if name == "oip_model" else "The inputs and outputs of one version",
        {"200": answer("The metadata.", ref("schemas", "oip-model")), **errors_of("oip", READING)},
        parameters=parameters,
    )


def model_ready(name: str, parameters: list[Schema]) -> Schema:
    """Whether a model answers."""
    return operation(
        name,
        TAG,
        "Whether a model answers" if name == "oip_model_ready" else "Whether a version answers",
        readiness("It does.", "It does not yet, or could not be loaded.") | errors_of("oip", (404, 405, 500)),
        parameters=parameters,
    )


def readiness(yes: str, no: str) -> Schema:
    """Ready, or not."""
    schema = ref("schemas", "oip-ready")
    return {"200": answer(yes, schema), "503": answer(no, schema)}


def server() -> Schema:
    """What is known of the server."""
    refused = errors_of("oip", (405, 500))
    calls = {
        "": (
            "oip_server",
            "Name, version and extensions",
            {"200": answer("The server.", ref("schemas", "oip-server"))},
        ),
        "/health/live": (
            "oip_live",
            "Whether the process lives",
            {"200": answer("It does.", ref("schemas", "oip-live"))},
        ),
        "/health/ready": ("oip_ready", "Whether every model answers", readiness("All do.", "Some do not.")),
    }
    return {
        f"/v2{suffix}": {"get": operation(name, TAG, summary, told | refused)}
        for suffix, (name, summary, told) in calls.items()
    }


def repository(names: list[str]) -> Schema:
    """The index; loading and unloading, where they are on."""
    asked = {"type": "object", "properties": {"ready": {"description": "Only those ready.", "type": "boolean"}}}
    entries = {"type": "array", "items": ref("schemas", "oip-entry")}
    index = operation(
        "oip_index",
        TAG,
        "Every version of every model",
        {"200": answer("The versions.", entries, ALWAYS), **errors_of("oip", (400, 405, 413, 415, 500))},
        requestBody=json_body(asked, {"ready": {"value": {"ready": True}}}, required=False),
    )
    unserved = any_model([])
    loaded = {"200": answer("It answers, in its newest versions.", EMPTY, ALWAYS)}
    unloaded = {"200": answer("What it accepted is answered; it takes no more.", EMPTY, ALWAYS)}
    return {
        "/v2/repository/index": {"post": index},
        "/v2/repository/models/{model}/load": {
            "post": change("load", "Serve what the store has of a model now", unserved, {}, loaded)
        },
        "/v2/repository/models/{model}/unload": {
            "post": change("unload", "Serve a model no longer", any_model(names), DEPENDENTS, unloaded)
        },
    }


def change(verb: str, summary: str, model: Schema, parameters: Schema, told: Schema) -> Schema:
    """Loading or unloading."""
    known = {"type": "object", "properties": parameters, "additionalProperties": False}
    return operation(
        f"oip_{verb}",
        TAG,
        f"{summary}, where there are API keys",
        told | errors_of("oip", (400, 403, 404, 405, 413, 415, 500, 504)),
        parameters=[model, *TRACED],
        requestBody=json_body({"type": "object", "properties": {"parameters": known}}, {}, required=False),
    )
