"""Schemathesis, which nobody here wrote, reads the OpenAPI document and asks everything it can think of.

Whatever it asks, the answer is documented: its status, its headers, its content type and its body; and what the
document allows is answered.
"""

import json
import os
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest
import schemathesis
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.transport import Response
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service import described
from tests.service.described import SNAPSHOT, Promises
from tests.service.site import Site

OF_HEADS = [status_code_conformance, content_type_conformance, response_headers_conformance]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
OPERATIONS = {
    name: f"{method.upper()} {path}"
    for name, (path, method, _) in Promises(json.loads(SNAPSHOT.read_text(encoding="utf-8"))).operations.items()
    if "_label." not in name  # the same as by number: test_openapi.py
}
BINARY = ("application/msgpack", "application/x-npz")

few = hypothesis.settings(
    max_examples=int(os.environ.get("OPENAPI_EXAMPLES", "8")),
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
"""The same requests every time; `make fuzz` asks more."""


for media_type in BINARY:

    @schemathesis.serializer(media_type)
    def noise(context: schemathesis.SerializationContext, value: Any) -> bytes:
        """No body of that type, most likely."""
        return repr(value).encode(errors="replace")


@pytest.fixture(scope="module")
def site(toy_folder: Path, shop_folder: Path) -> Site:
    return described.site(toy_folder, shop_folder)


@pytest.fixture(scope="module")
def schema(site: Site) -> BaseSchema:
    """The document over the app itself."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(described.built(site))))
    schema.app = site.app
    return schema


@pytest.fixture
def operation(schema: BaseSchema, name: str) -> APIOperation:
    return schema.find_operation_by_label(OPERATIONS[name])


def hold(case: Case) -> Response:
    """Ask; no defect of the service, and nothing that is not documented."""
    response = case.call(headers={"Accept-Encoding": "identity"})  # over WSGI it does not decode
    if response.status_code >= 500:
        assert response.status_code in (503, 504)  # of an engine that has no time left for it, or had none
        assert "X-Request-Timeout" in case.headers
    case.validate_response(
        response, checks=[*OF_HEADS, *([response_schema_conformance] if is_strict(response) else [])]
    )
    return response


def is_strict(response: Response) -> bool:
    """Whether JSON is such: TensorFlow Serving's NaN and Infinity are documented, but no schema knows them."""
    try:
        return response.headers["content-type"] != ["application/json"] or orjson.loads(response.content) is not None
    except orjson.JSONDecodeError:
        return False


def whole(value: Any) -> Any:
    """With integers written as such: 2.0 is an integer to JSON Schema, and none to the native dialect."""
    if isinstance(value, dict):
        return {key: whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("name", OPERATIONS)
class TestEveryOperation:
    def test_it_keeps_its_promises_at_the_limits_of_its_schemas(self, schema: BaseSchema, operation: APIOperation):
        generation = schema.config.generation_for(operation=operation)
        cases = list(schema.iter_coverage_cases(operation, generation_modes=MODES, generation_config=generation))
        assert cases
        for case in cases:
            hold(case)

    @pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
    def test_it_keeps_its_promises_whatever_is_asked(self, operation: APIOperation, mode: GenerationMode):
        @few
        @hypothesis.given(operation.as_strategy(generation_mode=mode))
        def ask(case: Case) -> None:
            hold(case)

        ask()


@pytest.mark.parametrize("name", ["predict.toy", "predict.fake", "predict.every"])
def test_what_the_document_allows_is_answered(operation: APIOperation):
    """Not of the shop: its pictures are strings that mostly show nothing."""

    @few
    @hypothesis.given(operation.as_strategy(headers={"X-Request-Timeout": "30"}))
    def ask(case: Case) -> None:
        hypothesis.assume(case.media_type == "application/json" and "label" not in (case.query or {}))
        case.body = whole(case.body)
        assert hold(case).status_code == 200

    ask()
