"""The service whose OpenAPI document is committed, and how an answer is held to a document.

Models of every kind of input and output, with cards and without. `python -m tests.service.described` writes the
document anew.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

from service import loading
from service.openapi import document, models
from service.settings import Settings
from service.versions.store import Version
from tests.service import artifacts, fakes
from tests.service.site import Site

SNAPSHOT = Path(__file__).with_name("openapi.json")
URI = "urn:openapi"


def site(toy_folder: Path, shop_folder: Path) -> Site:
    """The shop beside toy, fake and every."""
    hand = fakes.Hand()
    shop = loading.load(Version("shop", 1, shop_folder), Settings(engine="onnx"), lambda _: hand)
    site = Site(toy_folder, [shop])
    site.hand.drivers += hand.drivers
    return site


def built(site: Site) -> dict[str, Any]:
    """The document of a service."""
    return document.build(models.served(site.catalog), site.catalog.models(), site.settings)


def text(built: Mapping[str, Any]) -> str:
    """As it is committed."""
    return json.dumps(built, indent=1, ensure_ascii=False) + "\n"


def write() -> None:
    """Into the file that is committed."""
    with tempfile.TemporaryDirectory() as folder:
        stood = site(artifacts.toy(Path(folder), version=3), artifacts.shop(Path(folder)))
        SNAPSHOT.write_text(text(built(stood)), encoding="utf-8")


class Promises:
    """What a document says of requests and answers."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.registry = Registry().with_resource(URI, Resource(document, DRAFT202012))
        self.operations = {
            operation["operationId"]: (path, method, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    def follow(self, part: Mapping[str, Any]) -> Any:
        """A part of the document, or what it refers to."""
        if "$ref" not in part:
            return part
        found: Any = self.document
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        return found

    def validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        """Of a schema in the document, whose references begin at the document's root."""
        rooted = json.loads(json.dumps(schema).replace('"$ref": "#/', f'"$ref": "{URI}#/'))
        return Draft202012Validator(rooted, registry=self.registry)

    def schema(self, name: str) -> Draft202012Validator:
        """Of a component schema."""
        return self.validator({"$ref": f"#/components/schemas/{name}"})

    def examples(self) -> Iterator[tuple[str, str, Any]]:
        """Every example body: operationId, its name, the body."""
        for name, (_, _, operation) in self.operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            for media in content.values():
                for form, example in media.get("examples", {}).items():
                    yield name, form, self.follow(example)["value"]

    def hold(self, name: str, response: TestResponse) -> None:
        """AssertionError unless an answer is as documented: its status, headers, content type and body."""
        responses = self.operations[name][2]["responses"]
        assert str(response.status_code) in responses, response.text
        promised = self.follow(responses[str(response.status_code)])
        for header, described in promised["headers"].items():
            assert header in response.headers or not self.follow(described).get("required")
        assert response.mimetype in promised["content"]
        schema = promised["content"][response.mimetype].get("schema")
        if schema and response.is_json:
            self.validator(schema).validate(response.json)


if __name__ == "__main__":
    write()
