"""The policy of a model, asked and changed by those who may."""

from service.openapi.health import TAG
from service.openapi.models import Schema, ref
from service.openapi.operations import json_body, operation
from service.openapi.parameters import ALWAYS, TRACED, any_model
from service.openapi.responses import answer, errors_of

VERSION: Schema = {"type": "integer", "minimum": 1, "maximum": 10**18}
MANY = [{"type": "integer", "minimum": 1}, {"const": "all"}, {"type": "array", "items": VERSION}]

SCHEMAS: Schema = {
    "policy": {
        "title": "Policy",
        "description": "What is wanted of a model, as serving.json has it.",
        "type": "object",
        "properties": {
            "versions": {"description": "So many of the newest, all, or exactly these; [] is none.", "anyOf": MANY},
            "labels": {"description": "Versions by label.", "type": "object", "additionalProperties": VERSION},
            "canary": {
                "description": "Gets so many percent of the requests that name no version.",
                "type": "object",
                "properties": {"version": VERSION, "percent": {"type": "number", "minimum": 0, "maximum": 100}},
                "required": ["version", "percent"],
                "additionalProperties": False,
            },
            "shadow": {"description": "Is asked as well, and only compared."} | VERSION,
            "nan": {"description": "What becomes of answers that are no number.", "enum": ["pass", "refuse"]},
        },
        "additionalProperties": False,
    },
    "ruled": {
        "title": "Policy and versions",
        "type": "object",
        "properties": {
            "policy": ref("schemas", "policy"),
            "versions": {"description": "Newest first.", "type": "array", "items": ref("schemas", "version")},
        },
        "required": ["policy", "versions"],
        "additionalProperties": False,
    },
}


def paths(names: list[str]) -> Schema:
    """GET and PUT of a policy."""
    told = {"200": answer("As it stands.", ref("schemas", "ruled")), "403": problem("Admin calls are off.")}
    parameters = [any_model(names), *TRACED]
    show = operation(
        "policy", TAG, "A model's policy", told | errors_of("native", (404, 405, 500)), parameters=parameters
    )
    change = operation(
        "rule",
        TAG,
        "Change a model's policy",
        told
        | {"409": problem("The policy file cannot be written.")}
        | errors_of("native", (400, 404, 405, 413, 415, 422, 500, 504)),
        parameters=parameters,
        requestBody=json_body(ref("schemas", "policy")),
    )
    return {"/admin/models/{model}/policy": {"get": show, "put": change}}


def problem(description: str) -> Schema:
    """A refusal of admin calls alone."""
    content = {"application/problem+json": {"schema": ref("schemas", "problem")}}
    return {"description": description, "headers": ALWAYS, "content": content}
