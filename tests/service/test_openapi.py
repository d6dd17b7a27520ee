"""The OpenAPI document: valid, complete, as committed; kept by the service, example by example, error by error."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError
from openapi_spec_validator import validate

from service import VERSION
from service.card import Card, CategoryInput, NumbersInput
from service.openapi import document, models
from service.openapi.models import Described
from service.outputs import NumberOutput
from service.settings import Settings
from service.signature import Signature
from service.versions.catalog import Catalog
from service.versions.store import Version
from tests.service import described, fakes
from tests.service.artifacts import EXAMPLE, FABRICS, MOODS, MOST_DAYS, STYLES, SURE, VOCABULARY
from tests.service.described import SNAPSHOT, Promises
from tests.service.site import MAX_BODY_BYTES, MAX_QUEUE_ROWS, Site

COMMITTED = Promises(json.loads(SNAPSHOT.read_text(encoding="utf-8")))
EXAMPLES = {f"{name} {form}": (name, body) for name, form, body in COMMITTED.examples()}
ROW = {"text": EXAMPLE, "numbers": [0.5, -1, 2]}


@pytest.fixture
def site(toy_folder: Path, shop_folder: Path) -> Site:
    return described.site(toy_folder, shop_folder)


@pytest.fixture
def promises(site: Site) -> Promises:
    return Promises(described.built(site))


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """All objects in it."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(inner)


def of_fakes(*handles: Any) -> Promises:
    """The document of ready-made models."""
    catalog = fakes.catalog(handles)
    return Promises(document.build(models.served(catalog), catalog.models(), Settings()))


class TestDocument:
    def test_it_is_valid(self, promises: Promises):
        validate(promises.document)

    def test_its_schemas_are_valid(self, promises: Promises):
        for schema in promises.document["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)

    def test_programs_that_write_clients_can_read_it(self, promises: Promises):
        """They know no schemas that are true or false, and call a type by its title, where it has one."""
        schemas = promises.document["components"]["schemas"]
        for part in parts(schemas):
            assert part.get("items") is not False
            assert not any(isinstance(one, bool) for one in part.get("properties", {}).values())
        titles = [schema["title"] for schema in schemas.values() if "title" in schema]
        assert len(set(titles)) == len(titles)
        assert not [name for name, schema in schemas.items() if "." in name and "title" in schema]

    def test_it_is_as_committed(self, promises: Promises):
        hint = "the document has changed; look at it, then write it with: python -m tests.service.described"
        assert described.text(promises.document) == SNAPSHOT.read_text(encoding="utf-8"), hint

    def test_it_is_small(self):
        assert SNAPSHOT.stat().st_size < 300_000

    def test_it_has_the_projects_version(self, promises: Promises):
        assert promises.document["info"]["version"] == VERSION

    def test_every_operation_has_a_name_and_a_tag_of_its_own(self, promises: Promises):
        count = sum(len(methods) for methods in promises.document["paths"].values())
        assert len(promises.operations) == count
        told = [tag["name"] for tag in promises.document["tags"]]
        assert len(set(told)) == len(told)
        assert {tag for _, _, operation in promises.operations.values() for tag in operation["tags"]} == set(told)

    def test_every_model_is_asked_in_every_dialect(self, site: Site, promises: Promises):
        for model in site.catalog.models():
            asked = {f"/predict/{model}", f"/v1/models/{model}:predict", f"/v2/models/{model}/infer"}
            assert asked <= promises.document["paths"].keys()

    @pytest.mark.parametrize("verb", [":predict", ":classify"])
    @pytest.mark.parametrize("way", ["version", "label"])
    def test_a_version_is_asked_by_number_or_label(self, site: Site, promises: Promises, verb, way):
        floats = ROW | {"numbers": [0.5, -1.0, 2.0]}
        body = {"signature_name": "mood", "examples": [floats]} if verb == ":classify" else {"instances": [ROW]}
        path, method, operation = promises.operations[f"tfs_{verb[1:]}_{way}.toy"]
        assert (path, method) == (f"/v1/models/toy/{way}s/{{{way}}}{verb}", "post")
        assert [one["name"] for one in operation["parameters"] if "name" in one] == [way]
        for name, status in {"version": {"2": 200, "9": 404}, "label": {"stable": 200, "none": 400}}[way].items():
            answer = site.client.post(path.replace(f"{{{way}}}", name), json=body)
            assert answer.status_code == status
            promises.hold(operation["operationId"], answer)

    def test_every_route_is_documented(self, site: Site, promises: Promises):
        paths = [re.sub(r"\{\w+\}", "x", path) for path in promises.document["paths"]]
        routes = site.app.url_map.bind("localhost")
        documented = {
            routes.match(path, method=method.upper())[0]
            for path, methods in zip(paths, promises.document["paths"].values(), strict=True)
            for method in methods
        }
        pages = {name for name in site.app.view_functions if name.startswith("console.")}
        assert documented | {"openapi.part"} | pages == set(site.app.view_functions)

    def test_a_model_that_does_not_answer_yet_is_left_out_by_name(self):
        catalog = Catalog([Version("slow", 1, Path())], fakes.handle)  # type: ignore[arg-type]
        built = document.build(models.served(catalog), catalog.models(), Settings())
        validate(built)
        assert "/predict/slow" not in built["paths"]
        assert "do not answer yet: slow" in built["info"]["description"]

    def test_a_service_of_nothing_has_a_document(self):
        validate(document.build([], [], Settings()))

    def test_a_long_example_is_left_out(self):
        wide = Signature(fakes.specs(x=("float32", (None, 100_000))), fakes.specs(y=("float64", (None, 1))))
        promises = of_fakes(fakes.handle(fakes.FakeEngine(wide), fakes.Hand()))
        validate(promises.document)
        assert not {form for name, form, _ in promises.examples() if name != "oip_index"}


class TestInputs:
    def test_words_are_a_text_or_ids_of_the_vocabulary(self, promises: Promises):
        row = promises.schema("toy.row")
        for right in ("cat", "the zebra", [2, 3], [0, 2, 0], "é"):
            assert row.is_valid(ROW | {"text": right})
        for wrong in ("", " .,! ", [], [0, 0], [len(VOCABULARY)], [-1], [2.5], None, 7):
            assert not row.is_valid(ROW | {"text": wrong})

    def test_words_are_bytes_as_well_to_tensorflow_serving(self, site: Site, promises: Promises):
        in_bytes = ROW | {"text": {"b64": "dGhlIGNhdA=="}}
        for body in ({"instances": [in_bytes]}, {"inputs": {name: [value] for name, value in in_bytes.items()}}):
            assert site.tfs("toy", body).status_code == 200
            assert promises.schema("toy.tfs-request").is_valid(body)
        assert site.predict("toy", in_bytes).status_code == 422
        assert not promises.schema("toy.row").is_valid(in_bytes)

    def test_numbers_have_their_shape_and_bounds(self, promises: Promises):
        row, example = promises.schema("shop.row"), promises.document["components"]["examples"]["shop.row"]["value"]
        assert row.is_valid(example | {"worn": [[0, 1]] * MOST_DAYS})
        for wrong in ([[0, 1]] * (MOST_DAYS + 1), [[0, 1.5]], [[0]], [], [0, 1], [[0, "1"]]):
            assert not row.is_valid(example | {"worn": wrong})

    def test_a_picture_is_base64_or_pixels(self, promises: Promises):
        row, example = promises.schema("shop.row"), promises.document["components"]["examples"]["shop.row"]["value"]
        pixels = np.zeros((4, 6, 3), int).tolist()
        assert row.is_valid(example | {"photo": {"b64": example["photo"]}})
        assert row.is_valid(example | {"photo": pixels})
        for wrong in (pixels[:3], [[[256] * 3] * 6] * 4, 7, {"b65": ""}):
            assert not row.is_valid(example | {"photo": wrong})

    def test_labels_are_an_enum(self, promises: Promises):
        row, example = promises.schema("shop.row"), promises.document["components"]["examples"]["shop.row"]["value"]
        for right in (*FABRICS, 0, len(FABRICS) - 1):
            assert row.is_valid(example | {"fabric": right})
        for wrong in ("wolo", len(FABRICS), -1, None):
            assert not row.is_valid(example | {"fabric": wrong})

    def test_units_are_named(self):
        card = Card(
            inputs={"x": NumbersInput((None,), 4, "metres", 0.5, example=[1])}, outputs={"y": NumberOutput(unit="s")}
        )
        promises = of_fakes(fakes.handle(fakes.FakeEngine(fakes.VECTORS), fakes.Hand(), card=card))
        schemas = promises.document["components"]["schemas"]
        x = schemas["fake.row"]["properties"]["x"]
        assert (x["x-unit"], x["description"]) == ("metres", "Of at least 0.5, in metres.")
        assert schemas["fake.answer"]["properties"]["y"]["properties"]["unit"] == {"const": "s"}

    def test_inputs_are_all_there_and_no_other(self, promises: Promises):
        row = promises.schema("toy.row")
        assert not row.is_valid({"text": "cat"})
        assert not row.is_valid(ROW | {"wings": 2})

    def test_without_a_card_the_signature_speaks(self, promises: Promises):
        row = promises.schema("every.row")
        right = promises.document["components"]["examples"]["every.row"]["value"]
        assert row.is_valid(right)
        for name, wrong in {
            "flag": [1],
            "byte": [128],
            "count": [-1],
            "half": [1e6],
            "image": [[1, 2]],
            "name": 7,
        }.items():
            assert not row.is_valid(right | {name: wrong}), name

    def test_versions_that_differ_may_each_be_asked(self):
        hand = fakes.Hand()
        newer = Signature(fakes.specs(z=("int32", (None,))), fakes.specs(y=("float64", (None, 1))))
        card = Card(inputs={"z": CategoryInput(("a", "b"), example="b")})
        promises = of_fakes(
            fakes.handle(fakes.FakeEngine(newer), hand, version=2, card=card), fakes.handle(fakes.FakeEngine(), hand)
        )
        validate(promises.document)
        row = promises.schema("fake.row")
        assert row.is_valid({"z": "a"})
        assert row.is_valid({"x": [1.5]})
        assert not row.is_valid({"x": [1.5], "z": "a"})


class TestOutputs:
    def test_each_kind_has_its_form(self, promises: Promises):
        answer = promises.document["components"]["schemas"]["shop.answer"]["properties"]
        assert answer["price"]["properties"]["unit"] == {"const": "euros"}
        assert answer["style"]["properties"]["label"] == {"type": "string", "enum": list(STYLES)}
        assert answer["style"]["properties"]["threshold"] == {"const": SURE}
        mood = promises.document["components"]["schemas"]["toy.answer"]["properties"]["mood"]
        assert mood["properties"]["top"]["items"]["prefixItems"][0] == {"type": "string", "enum": list(MOODS)}
        assert "threshold" not in mood["properties"]

    @pytest.mark.parametrize("query", ["", "?top=0", "?top=2", "?outputs=style", "?outputs=size,price"])
    def test_answers_are_as_promised_whatever_is_asked_for(self, site: Site, promises: Promises, query):
        example = promises.document["components"]["examples"]["shop.row"]["value"]
        dark = example | {"photo": np.zeros((4, 6, 3), int).tolist(), "fabric": "cotton"}
        promises.hold("predict.shop", site.predict("shop", [example, dark], query))

    @pytest.mark.parametrize("form", ["application/msgpack", "application/x-npz"])
    def test_answers_in_other_forms_are_promised(self, site: Site, promises: Promises, form):
        response = site.predict("toy", ROW, accept=form)
        assert response.mimetype == form
        promises.hold("predict.toy", response)

    def test_numbers_that_are_not_finite_are_promised(self, site: Site, promises: Promises):
        response = site.predict(
            "every", {"flag": [True], "byte": [1], "count": [1], "half": [1], "image": [[1, 2]] * 2, "name": "n"}
        )
        promises.hold("predict.every", response)
        nothing = response.json | {"half": [None]}
        assert promises.schema("every.answer").is_valid(nothing)
        assert not promises.schema("every.answer").is_valid(response.json | {"count": [None]})


class TestExamples:
    def test_every_prediction_has_some(self):
        with_examples = {name for name, _ in EXAMPLES.values()}
        asked = {name for name, (_, _, operation) in COMMITTED.operations.items() if "requestBody" in operation}
        labelled = {name for name in asked if "_label." in name}  # which labels there are, the operator knows
        changes = {"oip_load", "oip_unload", "rule"}
        texts = {"tokens"}  # which inputs are texts, each model says
        assert with_examples == asked - labelled - changes - texts

    @pytest.mark.parametrize(("name", "body"), EXAMPLES.values(), ids=EXAMPLES)
    def test_it_is_what_is_asked_for_and_is_answered_as_promised(self, site: Site, promises: Promises, name, body):
        path, method, operation = promises.operations[name]
        content = operation["requestBody"]["content"]["application/json"]
        promises.validator(content["schema"]).validate(body)
        for parameter in map(promises.follow, operation["parameters"]):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
        response = site.client.open(path, method=method.upper(), json=body)
        assert response.status_code == 200, response.text
        promises.hold(name, response)

    def test_what_is_answered_otherwise_breaks_the_promise(self, site: Site, promises: Promises):
        response = site.predict("toy", ROW)
        response.set_data(response.get_data().replace(b"points", b"metres"))
        with pytest.raises(ValidationError, match="metres"):
            promises.hold("predict.toy", response)


def draining(site: Site) -> dict[str, Any]:
    site.fake.batcher.close()
    return {}


def full(site: Site) -> dict[str, Any]:
    site.queue(*[[[1.0]]] * MAX_QUEUE_ROWS)
    return {}


def late(site: Site) -> dict[str, Any]:
    site.hand.held = True
    return {"headers": {"X-Request-Timeout": "0.001"}}


def loading_still(site: Site) -> dict[str, Any]:
    site.catalog.expect([Version("fake", 1, Path())])
    return {}


TROUBLE: dict[str, tuple[int, Callable[[Site], dict[str, Any]]]] = {
    "malformed": (400, lambda _: {"data": b"{", "json": None}),
    "not finite": (422, lambda _: {"data": b"[NaN]", "json": None}),
    "too large": (413, lambda _: {"data": b" " * (MAX_BODY_BYTES + 1), "json": None}),
    "coded otherwise": (415, lambda _: {"headers": {"Content-Encoding": "br"}}),
    "invalid": (422, lambda _: {"json": {"inputs": [], "instances": [[[1]]]}}),
    "queue full": (429, full),
    "draining": (503, draining),
    "loading": (503, loading_still),
    "late": (504, late),
}
ASKED = {
    "native": ("predict.fake", "/predict/fake", lambda x: {"x": [x]}),
    "tfs": ("tfs_predict.fake", "/v1/models/fake:predict", lambda x: {"instances": [[x]]}),
    "oip": (
        "oip_infer.fake",
        "/v2/models/fake/infer",
        lambda x: {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [x]}]},
    ),
}


@pytest.mark.parametrize("dialect", ASKED)
class TestErrors:
    @pytest.mark.parametrize(("status", "cause"), TROUBLE.values(), ids=TROUBLE)
    def test_it_is_as_promised(self, site: Site, promises: Promises, dialect, status, cause):
        name, path, body = ASKED[dialect]
        response = site.client.post(path, **({"json": body(1)} | cause(site)))
        assert response.status_code == (400 if status == 422 and dialect != "native" else status)
        promises.hold(name, response)

    def test_of_the_engine_too(self, site: Site, promises: Promises, dialect):
        name, path, body = ASKED[dialect]
        response = site.client.post(path, json=body(fakes.RAISES))
        assert response.status_code == 500
        promises.hold(name, response)

    def test_of_another_method(self, site: Site, promises: Promises, dialect):
        name, path, _ = ASKED[dialect]
        response = site.client.open(path, method="TRACE")
        assert response.status_code == 405
        promises.hold(name, response)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("model", "/models/nobody"),
        ("model", "/models/toy?version=9"),
        ("predict.toy", "/predict/toy?version=9"),
        ("tfs_status", "/v1/models/nobody"),
        ("tfs_metadata", "/v1/models/nobody/metadata"),
        ("tfs_predict_version.toy", "/v1/models/toy/versions/9:predict"),
        ("oip_model", "/v2/models/nobody"),
        ("oip_model_ready", "/v2/models/nobody/ready"),
        ("oip_infer_version.toy", "/v2/models/toy/versions/9/infer"),
        ("oip_load", "/v2/repository/models/nobody/load"),
    ],
)
def test_what_is_not_served_is_not_found_as_promised(site: Site, promises: Promises, name, path):
    response = site.client.open(path, method=promises.operations[name][1].upper(), json=ROW)
    assert response.status_code == 404
    promises.hold(name, response)


def test_what_cannot_be_loaded_is_unready_as_promised(site: Site, promises: Promises):
    site.refuse()
    for name in ("ready", "oip_ready", "oip_model_ready"):
        response = site.client.get(promises.operations[name][0].replace("{model}", "fake"))
        assert response.status_code == 503
        promises.hold(name, response)
    for name in ("models", "tfs_status"):
        promises.hold(name, site.client.get(promises.operations[name][0].replace("{model}", "fake")))


class TestServed:
    def test_the_document_is_served(self, site: Site, promises: Promises):
        response = site.client.get("/openapi.json")
        assert response.json == promises.document
        promises.hold("openapi", response)

    def test_one_who_has_it_need_not_load_it_again(self, site: Site):
        tag = site.client.get("/openapi.json").headers["ETag"]
        response = site.client.get("/openapi.json", headers={"If-None-Match": tag})
        assert (response.status_code, response.data) == (304, b"")

    def test_it_follows_the_catalog(self, site: Site):
        served = site.catalog.versions("fake")[1]
        before = site.client.get("/openapi.json").json
        served.handle = None
        assert "/predict/fake" not in site.client.get("/openapi.json").json["paths"]
        served.handle = site.fake
        assert site.client.get("/openapi.json").json == before

    def test_the_page_loads_nothing_from_elsewhere(self, site: Site, promises: Promises):
        page = site.client.get("/docs")
        promises.hold("docs", page)
        parts = re.findall(r'(?:href|src)="(?!data:|\./)(.*?)"', page.text)
        assert "docs/swagger-ui-bundle.js" in parts
        for part in parts:
            response = site.client.get(f"/{part}")
            assert response.status_code == 200
            assert (
                response.mimetype
                == {"css": "text/css", "js": "text/javascript", "json": "application/json"}[part.rpartition(".")[2]]
            )
        assert "<script>" not in page.text
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy

    @pytest.mark.parametrize("name", ["nowhere.js", "blueprint.py", "%2e%2e/blueprint.py", "..%2fblueprint.py"])
    def test_the_page_has_no_other_parts(self, site: Site, name):
        assert site.client.get(f"/docs/{name}").status_code == 404


def test_a_model_is_named_as_its_card_says():
    hand = fakes.Hand()
    card = replace(Card(title="Two"), document={"description": "Doubles."})
    handle = fakes.handle(fakes.FakeEngine(), hand, card=card)
    version = Described(1, card, handle.signature, handle.rows.example)
    assert models.Model("fake", [version]).description == "Two\n\nDoubles.\n\nServed in version 1."
