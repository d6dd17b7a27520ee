"""Parameters and headers that operations share."""

from collections.abc import Sequence

from service.openapi.models import Model, Schema, ref
from service.settings import Settings

REQUEST_ID = "^[A-Za-z0-9_.:/+=-]{1,128}$"

HEADERS: Schema = {
    "request-id": {
        "description": "The request's own id, or a fresh one.",
        "required": True,
        "schema": {"type": "string", "pattern": REQUEST_ID},
    },
    "model-version": {
        "description": "The version that answered.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"},
    },
    "server-timing": {
        "description": "What waiting and computing took, in milliseconds, and the batch's rows (W3C Server-Timing).",
        "required": True,
        "schema": {"type": "string"},
    },
    "retry-after": {
        "description": "Seconds after which trying again makes sense; left out where it makes none.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "retry-after-ms": {
        "description": "The same in milliseconds, where it was computed.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "www-authenticate": {"description": "How to show a key.", "required": True, "schema": {"type": "string"}},
}
RETRY: Schema = {"Retry-After": ref("headers", "retry-after"), "Retry-After-Ms": ref("headers", "retry-after-ms")}
ALWAYS: Schema = {"X-Request-Id": ref("headers", "request-id")}
PREDICTED: Schema = ALWAYS | {
    "X-Model-Version": ref("headers", "model-version"),
    "Server-Timing": ref("headers", "server-timing"),
}

TRACED = [ref("parameters", "request-id")]
"""What every operation takes."""
TIMED = [ref("parameters", "request-timeout"), ref("parameters", "drift"), *TRACED]
"""What every prediction takes."""


def shared(settings: Settings) -> Schema:
    """The component parameters."""
    return {
        "request-timeout": {
            "name": "X-Request-Timeout",
            "in": "header",
            "description": f"Seconds the answer may take; never more than {settings.request_timeout:g}.",
            "schema": {"type": "number", "exclusiveMinimum": 0},
        },
        "drift": {
            "name": "X-Drift",
            "in": "header",
            "description": "`off`: the rows are made up, and do not count for the model's drift.",
            "schema": {"type": "string"},
        },
        "request-id": {
            "name": "X-Request-Id",
            "in": "header",
            "description": "Comes back on the answer; one of another form is replaced.",
            "schema": {"type": "string", "pattern": REQUEST_ID},
        },
    }


def path(name: str, schema: Schema, description: str, example: str | int | None = None) -> Schema:
    """A part of the path."""
    shown = {} if example is None else {"example": example}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema} | shown


def any_model(names: Sequence[str]) -> Schema:
    """The name of a model, whether it answers yet or not."""
    return path("model", {"type": "string"} | among(names), "The model's name.")


def any_version(models: Sequence[Model], kind: type[int] | type[str] = int) -> Schema:
    """The number of any model's version."""
    numbers = sorted({number for model in models for number in model.numbers})
    schema = {"type": "integer" if kind is int else "string"} | among([kind(number) for number in numbers])
    return path("version", schema, "The version's number; not every model has each.")


def among(values: Sequence[str | int]) -> Schema:
    """One of these, or, where there are none yet, any."""
    return {"enum": list(values)} if values else {}


def version_of(model: Model) -> Schema:
    """One of a model's versions, in the path."""
    return path("version", {"type": "integer", "enum": model.numbers}, "A version that is served.", model.numbers[0])


LABEL = path("label", {"type": "string", "pattern": "^[^/:]+$"}, "A label that the operator has given to a version.")


def ways(version: Schema) -> list[tuple[str, str, list[Schema]]]:
    """How TensorFlow Serving's paths name a version, or none: a word, the part of the path, its parameters.

    >>> [(word, part) for word, part, _ in ways({})]
    [('', ''), ('version', '/versions/{version}'), ('label', '/labels/{label}')]
    """
    return [("", "", []), ("version", "/versions/{version}", [version]), ("label", "/labels/{label}", [LABEL])]


def query(name: str, schema: Schema, description: str) -> Schema:
    """A parameter of the query string."""
    return {"name": name, "in": "query", "description": description, "schema": schema}
