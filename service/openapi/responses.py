"""Responses that operations share: every error, by dialect and status, in that dialect's shape."""

import inspect
from collections.abc import Iterable, Mapping

from service import errors
from service.errors import ServiceError
from service.openapi.models import Schema, ref
from service.openapi.parameters import ALWAYS, RETRY
from service.openapi.values import one_of

REASONS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ServiceError)]

HTTP: Mapping[int, tuple[str, str]] = {
    404: ("not-found", "No such path."),
    405: ("method-not-allowed", "The path takes another method, which Allow names."),
    500: ("internal", "A defect of the service."),
}
"""What Flask refuses by itself: slug and reason."""

AS_400 = ("tfs", "oip")
"""Dialects that call an invalid input a bad request."""

OTHER: Mapping[str, Mapping[int, str]] = {
    "tfs": {400: "A path or method that TensorFlow Serving does not know; an output that a verb cannot answer."},
    "oip": {
        400: "Rows of an output that differ in shape; a model that cannot be loaded.",
        403: "There are no API keys, without which nobody changes what is served.",
    },
}
"""What only one dialect refuses."""

RETRIED = (429, 503)

READING = (404, 405, 500, 503)
"""Statuses of an operation that shows a model."""
PREDICTING = (400, 404, 405, 413, 415, 429, 500, 503, 504)
"""Statuses of a prediction."""

SCHEMAS: Schema = {
    "fault": {
        "title": "Fault",
        "type": "object",
        "properties": {
            "pointer": {"description": "JSON pointer (RFC 6901); one of the query begins with ?.", "type": "string"},
            "detail": {"description": "What is wrong there.", "type": "string"},
        },
        "required": ["pointer", "detail"],
        "additionalProperties": False,
    },
    "problem": {
        "title": "Problem",
        "description": "RFC 9457.",
        "type": "object",
        "properties": {
            "type": {"description": "urn:manifold:problem: and the problem's name.", "type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"description": "What happened.", "type": "string"},
            "faults": {"description": "All that is wrong.", "type": "array", "items": ref("schemas", "fault")},
            "example": {"description": "A row that would have worked.", "type": "object"},
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": False,
    },
    "error": {
        "title": "Error",
        "type": "object",
        "properties": {"error": {"description": "What happened.", "type": "string"}},
        "required": ["error"],
        "additionalProperties": False,
    },
}


def shared() -> Schema:
    """The component responses: `native-404`, `tfs-400` and so on."""
    return {
        f"{dialect}-{status}": failure(dialect, status)
        for dialect in ("native", "tfs", "oip")
        for status in statuses(dialect)
    }


def statuses(dialect: str) -> list[int]:
    """Every status with which a dialect refuses."""
    known = {own_status(dialect, kind.status) for kind in REASONS} | set(HTTP) | set(OTHER.get(dialect, {}))
    return sorted(known)


def own_status(dialect: str, status: int) -> int:
    """A status as a dialect has it."""
    return 400 if status == 422 and dialect in AS_400 else status


def failure(dialect: str, status: int) -> Schema:
    """One error of one dialect."""
    told = [inspect.getdoc(kind) or "" for kind in kinds_of(dialect, status) if kind is not ServiceError]
    told += [HTTP[status][1]] if status in HTTP else []
    told += [OTHER[dialect][status]] if status in OTHER.get(dialect, {}) else []
    headers = ALWAYS | (RETRY if status in RETRIED else {})
    headers |= {"WWW-Authenticate": ref("headers", "www-authenticate")} if status == 401 else {}
    return {"description": " ".join(told), "headers": headers, "content": body(dialect, status)}


def kinds_of(dialect: str, status: int) -> list[type[ServiceError]]:
    """The errors that a dialect answers with a status."""
    return [kind for kind in REASONS if own_status(dialect, kind.status) == status]


def body(dialect: str, status: int) -> Schema:
    """The error body of a dialect; natively it names the problem."""
    if dialect != "native":
        return {"application/json": {"schema": ref("schemas", "error")}}
    return {"application/problem+json": {"schema": ref("schemas", f"problem-{status}")}}


def schemas() -> Schema:
    """The component schemas of errors: `error`, `problem`, and `problem-404` and so on."""
    return SCHEMAS | {f"problem-{status}": problem(status) for status in statuses("native")}


def problem(status: int) -> Schema:
    """The problems of a status."""
    slugs = [kind.slug for kind in kinds_of("native", status)] + ([HTTP[status][0]] if status in HTTP else [])
    named = one_of(f"urn:manifold:problem:{slug}" for slug in dict.fromkeys(slugs))
    exact = {"properties": {"type": named, "status": {"type": "integer", "enum": [status]}}}
    return {"allOf": [ref("schemas", "problem"), exact]}


def errors_of(dialect: str, wanted: Iterable[int]) -> Schema:
    """The error responses of an operation."""
    return {str(status): ref("responses", f"{dialect}-{status}") for status in sorted(set(wanted))}


def answer(description: str, schema: Schema, headers: Schema = ALWAYS, examples: Schema | None = None) -> Schema:
    """A JSON response."""
    shown = {"examples": examples} if examples else {}
    return {"description": description, "headers": headers, "content": {"application/json": {"schema": schema} | shown}}
