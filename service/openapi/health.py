"""What those who operate the service ask, and where its documentation is."""

from service.openapi.models import Schema
from service.openapi.operations import operation
from service.openapi.parameters import ALWAYS
from service.openapi.responses import answer, errors_of

TAG = "The service"

LIVE: Schema = {"type": "object", "properties": {"live": {"const": True}}, "required": ["live"]}
READY: Schema = {
    "type": "object",
    "properties": {
        "ready": {"type": "boolean"},
        "unready": {
            "description": "model/version to its state, or why it could not be loaded.",
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
    },
    "required": ["ready", "unready"],
}
INDEX: Schema = {
    "type": "object",
    "properties": {
        "service": {"const": "manifold"},
        "predict": {"description": "The paths to ask.", "type": "array", "items": {"type": "string"}},
    },
    "required": ["service", "predict"],
    "additionalProperties": {"type": "string"},
}


def paths() -> Schema:
    """Liveness, readiness, metrics; the index, this document, and the page that shows it."""
    told = {
        "/": ("index", "Where everything is", {"200": answer("The paths.", INDEX)}),
        "/healthz": ("live", "Whether the process lives", {"200": answer("It does.", LIVE)}),
        "/readyz": (
            "ready",
            "Whether every model answers",
            {"200": answer("All do.", READY), "503": answer("Some do not.", READY)},
        ),
        "/metrics": ("metrics", "Figures for Prometheus", {"200": text("text/plain", "Prometheus' text format.")}),
        "/openapi.json": ("openapi", "This document", {"200": answer("OpenAPI 3.1.", {"type": "object"}), "304": SAME}),
        "/docs": ("docs", "A page that shows this document", {"200": text("text/html", "The page.")}),
    }
    refused = errors_of("native", (405, 500))
    return {
        where: {"get": operation(name, TAG, summary, responses | refused)}
        for where, (name, summary, responses) in told.items()
    }


SAME: Schema = {"description": "If-None-Match names what is still current.", "headers": ALWAYS}


def text(mimetype: str, description: str) -> Schema:
    """A response that is not JSON."""
    return {"description": description, "headers": ALWAYS, "content": {mimetype: {"schema": {"type": "string"}}}}
