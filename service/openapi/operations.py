"""One operation of a path: what all of them have, in the order in which people read it."""

from collections.abc import Mapping
from typing import Any

from service.openapi.models import Schema
from service.openapi.parameters import TRACED


def operation(name: str, tag: str, summary: str, responses: Mapping[str, Schema], **more: Any) -> Schema:
    """`name` is the operationId: unique, and the same as long as the model has its name.

    `more` may hold description, parameters and requestBody.
    """
    head = {"operationId": name, "tags": [tag], "summary": summary, "parameters": TRACED}
    return {**head, **more, "responses": dict(responses)}


def json_body(schema: Schema, examples: Mapping[str, Any] | None = None, *, required: bool = True) -> Schema:
    """A request body in JSON."""
    shown = {"examples": dict(examples)} if examples else {}
    return {"required": required, "content": {"application/json": {"schema": schema} | shown}}
