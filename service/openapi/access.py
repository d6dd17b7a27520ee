"""What the document says where there are API keys: how one is shown, and which operation needs which scope."""

from collections.abc import Callable

from service.access.keys import Scope
from service.openapi.models import Schema
from service.openapi.responses import errors_of

ScopeOf = Callable[[str, str], Scope | None]
"""From a path and a method to the scope it needs."""

BEARER, HEADER = "key", "key-header"
SCHEMES: Schema = {
    BEARER: {"type": "http", "scheme": "bearer", "description": "An API key."},
    HEADER: {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The same key, in another header."},
}
REFUSED = (401, 403, 429)
DIALECTS = {"v1": "tfs", "v2": "oip"}


def secured(document: Schema, scope_of: ScopeOf) -> Schema:
    """The document, with a key on every operation that needs one."""
    document["components"]["securitySchemes"] = SCHEMES
    for path, methods in document["paths"].items():
        dialect = DIALECTS.get(path.split("/")[1], "native")
        for method, operation in methods.items():
            scope = scope_of(path, method.upper())
            if scope is not None:
                operation["security"] = [{BEARER: [scope.value]}, {HEADER: [scope.value]}]
                operation["responses"] = errors_of(dialect, REFUSED) | operation["responses"]
    return document
