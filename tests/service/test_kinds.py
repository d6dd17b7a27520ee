"""A model of a picture, a label and a series answers in every dialect, whatever form its inputs come in."""

import base64
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.card import Card, CategoryInput, ImageInput, NumbersInput, TextInput
from service.openapi import document, models
from service.settings import Settings
from service.signature import Signature
from tests.service import described, fakes, oip
from tests.service.artifacts import FABRICS, MOST_DAYS, PHOTO, STYLES, SURE, png, shop_card
from tests.service.described import Promises
from tests.service.oip import infer, tensor
from tests.service.site import Site

EXAMPLE = {name: spec["example"] for name, spec in shop_card("shop", 1)["inputs"].items()}
DARK = PHOTO // 4
ROWS = [
    {"photo": PHOTO, "fabric": "wool", "worn": [[0.5, 0.25]]},
    {"photo": DARK, "fabric": "linen", "worn": [[0, 1], [1, 0], [0.5, 0.5]]},
    {"photo": DARK, "fabric": "cotton", "worn": [[0.25, 0.75]]},
]


def wrapped(pixels: np.ndarray) -> str:
    """Base64 in lines, as command lines print it."""
    return base64.encodebytes(base64.b64decode(png(pixels))).decode()


PHOTOS: dict[str, Callable[[np.ndarray], Any]] = {
    "nested": np.ndarray.tolist,
    "base64": png,
    "lines": wrapped,
    "data URL": lambda pixels: f"data:image/png;base64,{png(pixels)}",
    "b64": lambda pixels: {"b64": png(pixels)},
}


def native(site: Site, rows: Sequence[Any]) -> TestResponse:
    return site.predict("shop", list(rows))


def instances(site: Site, rows: Sequence[Any]) -> TestResponse:
    return site.tfs("shop", {"instances": list(rows)})


def inputs(site: Site, rows: Sequence[Any]) -> TestResponse:
    return site.tfs("shop", {"inputs": {name: [row[name] for row in rows] for name in EXAMPLE}})


DIALECTS = {"native": native, "tfs by row": instances, "tfs by column": inputs}


@pytest.fixture
def site(toy_folder: Path, shop_folder: Path) -> Site:
    """A service of the shop, beside the others."""
    return described.site(toy_folder, shop_folder)


def expected(site: Site, row: dict[str, Any]) -> dict[str, list[float]]:
    """What the engine says of a row of pixels, a label and days."""
    outputs = site.catalog.get("shop").engine.run(
        {
            "photo": row["photo"][np.newaxis],
            "fabric": np.array([FABRICS.index(row["fabric"])], np.int32),
            "worn": np.array([row["worn"]], np.float32),
        }
    )
    return {name: array[0].tolist() for name, array in outputs.items()}


def read(response: TestResponse) -> list[dict[str, Any]]:
    """The outputs of every row as plain numbers, whatever the dialect; of the style, the chances by label."""
    assert response.status_code == 200, response.text
    if isinstance(response.json, list):
        return [
            {
                "price": [row["price"]["value"]],
                "size": row["size"]["values"],
                "style": [dict(row["style"]["top"])[label] for label in STYLES],
            }
            for row in response.json
        ]
    if "predictions" in response.json:
        return response.json["predictions"]
    columns = response.json["outputs"]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("ask", DIALECTS.values(), ids=DIALECTS)
class TestInEveryDialect:
    @pytest.mark.parametrize("photo", PHOTOS.values(), ids=PHOTOS)
    def test_a_picture_may_come_in_any_form(self, site: Site, ask, photo):
        answers = read(ask(site, [row | {"photo": photo(row["photo"])} for row in ROWS]))
        for row, answer in zip(ROWS, answers, strict=True):
            for name, values in expected(site, row).items():
                assert answer[name] == pytest.approx(values, rel=1e-5, abs=1e-6)

    def test_a_label_may_come_as_its_number(self, site: Site, ask):
        rows = [row | {"photo": png(row["photo"])} for row in ROWS]
        by_number = [row | {"fabric": FABRICS.index(row["fabric"])} for row in rows]
        assert read(ask(site, by_number)) == read(ask(site, rows))

    def test_the_cards_example_is_answered(self, site: Site, ask):
        assert len(read(ask(site, [EXAMPLE, EXAMPLE]))) == 2

    @pytest.mark.parametrize(
        ("change", "place", "detail"),
        [
            ({"photo": png(PHOTO[:, :3])}, "photo", "got 3 × 4; crop it first"),
            ({"photo": "%"}, "photo", "got a string that is no base64"),
            ({"photo": {"b64": "AAAA"}}, "photo", "expected a PNG or JPEG picture, got 3 other bytes"),
            ({"photo": PHOTO[0].tolist()}, "photo", "expected 4 elements, got 6"),
            ({"fabric": "wolo"}, "fabric", "unknown label 'wolo', did you mean 'wool'?"),
            ({"fabric": 3}, "fabric", "expected a label or its number from 0 to 2, got 3"),
            ({"worn": [[0, 0], [0, 7]]}, "worn", "expected a number from 0 to 1, got 7"),
            ({"worn": [[0, 0]] * (MOST_DAYS + 1)}, "worn", f"expected at most {MOST_DAYS} steps, got {MOST_DAYS + 1}"),
        ],
        ids=["aspect", "no base64", "no picture", "rank", "misspelt", "number", "range", "steps"],
    )
    def test_a_fault_is_named_with_its_place(self, site: Site, ask, change, place, detail):
        response = ask(site, [EXAMPLE, EXAMPLE | change])
        assert response.status_code == (422 if ask is native else 400)
        message = response.json["detail" if ask is native else "error"]
        assert place in message.split(":")[0]
        assert detail in message


class TestNatively:
    def test_the_place_leads_to_the_element(self, site: Site):
        [fault] = site.predict("shop", [EXAMPLE, EXAMPLE | {"worn": [[0, 0], [0, 7]]}]).json["faults"]
        assert fault["pointer"] == "/1/worn/1/1"

    def test_answers_have_their_units_and_labels(self, site: Site):
        values = expected(site, ROWS[0])
        answer = site.predict("shop", ROWS[0] | {"photo": png(PHOTO)}, "?top=0").json
        assert answer["price"] == {"value": pytest.approx(values["price"][0]), "unit": "euros"}
        assert answer["size"] == {"values": pytest.approx(values["size"]), "unit": "cm"}

    def test_an_unsure_answer_is_the_other_label_with_its_own_probability(self, site: Site):
        rows = [row | {"photo": png(row["photo"])} for row in ROWS]
        answers = [row["style"] for row in site.predict("shop", rows, "?top=0").json]
        chances = [expected(site, row)["style"] for row in ROWS]
        assert {max(row) >= SURE for row in chances} == {True, False}
        for answer, row in zip(answers, chances, strict=True):
            if max(row) >= SURE:
                assert answer == {"label": STYLES[np.argmax(row)], "probability": pytest.approx(max(row))}
            else:
                own = pytest.approx(row[STYLES.index("plain")])
                assert answer == {"label": "plain", "probability": own, "threshold": SURE}

    def test_a_fault_comes_with_the_cards_example_which_works(self, site: Site):
        response = site.predict("shop", {})
        assert response.json["example"] == EXAMPLE
        assert site.predict("shop", response.json["example"]).status_code == 200

    def test_the_model_shows_its_card_and_signature(self, site: Site):
        shown = site.client.get("/models/shop").json
        assert shown["card"] == shop_card("shop", 1)
        assert shown["example"] == EXAMPLE
        assert shown["signature"]["inputs"] == {
            "photo": {"dtype": "uint8", "shape": [-1, 4, 6, 3]},
            "fabric": {"dtype": "int32", "shape": [-1]},
            "worn": {"dtype": "float32", "shape": [-1, -1, 2]},
        }


class TestAsTensorFlowServing:
    def test_a_model_without_words_has_no_signature_text(self, site: Site):
        response = site.tfs("shop", {"signature_name": "text", "instances": [EXAMPLE]})
        assert response.status_code == 400
        assert response.json["error"] == 'Serving signature name: "text" not found in signature def'

    @pytest.mark.parametrize("form", ["base64", "b64", "nested"])
    def test_an_only_picture_needs_no_name(self, toy_folder: Path, form):
        hand = fakes.Hand()
        signature = Signature(fakes.specs(x=("uint8", (None, 4, 6, 3))), fakes.specs(y=("float64", (None, 1))))
        card = Card(inputs={"x": ImageInput(4, 6, 3)})
        engine = fakes.FakeEngine(signature, immune=True)
        site = Site(toy_folder, [fakes.handle(engine, hand, name="only", card=card)])
        site.hand.drivers += hand.drivers
        weighted = fakes.weighted({"x": PHOTO[np.newaxis]})["y"].tolist()
        photo = PHOTOS[form](PHOTO)
        assert site.tfs("only", {"instances": [photo]}).json == {"predictions": weighted}
        assert site.tfs("only", {"inputs": [photo]}).json == {"outputs": weighted}


def test_an_input_the_card_does_not_name_has_zeros_for_an_example():
    hand = fakes.Hand()
    signature = Signature(
        fakes.specs(x=("int32", (None,)), y=("float32", (None, None, 2))), fakes.specs(z=("float64", (None, 1)))
    )
    card = Card(inputs={"x": CategoryInput(("a", "b"), example="b")})
    shown = fakes.handle(fakes.FakeEngine(signature), hand, card=card)
    assert shown.rows.example == {"x": "b", "y": [[0.0, 0.0], [0.0, 0.0]]}


ADVERT = (
    ("advert", "object", (None, 1)),
    ("shop", "object", (None,)),
    ("brand", "object", (None, 1)),
    ("size", "int32", (None, 1)),
    ("age", "float32", (None, 1)),
    ("code", "object", (None, 1)),
)
"""A model as Keras makes it of `Input((1,))`, with texts and labels that it reads itself; `code` is not on its card."""
MEANING = Card(
    inputs={
        "advert": TextInput((1,), "Advert", "like new"),
        "shop": TextInput((), "Shop", "the corner"),
        "brand": CategoryInput(("b", "a"), example="a", dims=(1,)),
        "size": CategoryInput(("s", "m"), example="m", dims=(1,)),
        "age": NumbersInput((1,), 1, minimum=0, example=3),
    }
)
BARE = {"advert": "like new", "shop": "the corner", "brand": "a", "size": "m", "age": 3, "code": "c"}
LISTED = {name: value if name == "shop" else [value] for name, value in BARE.items()}
TAKEN = LISTED | {"size": [1]}
"""What the model gets, and gives again."""


@pytest.fixture(scope="module")
def advert() -> tuple[FlaskClient, Promises]:
    hand = fakes.Hand()
    handle = oip.mirror(*ADVERT, hand=hand, card=MEANING)
    catalog = fakes.catalog([handle])
    promises = Promises(document.build(models.served(catalog), catalog.models(), Settings()))
    return oip.client_of(handle, hand=hand), promises


def npz(**columns: Any) -> bytes:
    """A file of columns."""
    file = io.BytesIO()
    np.savez(file, **columns)
    return file.getvalue()


class TestSingles:
    @pytest.mark.parametrize("row", [BARE, LISTED, BARE | {"age": [3]}], ids=["bare", "listed", "mixed"])
    def test_an_only_element_needs_no_list(self, advert, row):
        client, promises = advert
        assert promises.schema("mirror.row").is_valid(row)
        assert client.post("/predict/mirror", json=[row, row]).json == [TAKEN, TAKEN]
        for form, body in {"msgpack": msgpack.packb([row]), "x-npz": npz(**{n: [v] for n, v in row.items()})}.items():
            headers = {"Content-Type": f"application/{form}", "Accept": "application/json"}
            assert client.post("/predict/mirror", data=body, headers=headers).json == [TAKEN]

    def test_an_array_without_a_card_needs_no_axis_either(self):
        hand = fakes.Hand()
        client = oip.client_of(oip.mirror(("x", "float32", (None, 1)), hand=hand), hand=hand)
        for x in ([1, 2], [[1], [2]]):
            answer = client.post("/predict/mirror", data=npz(x=x), content_type="application/x-npz")
            with np.load(io.BytesIO(answer.data)) as file:
                assert file["x"].tolist() == [[1], [2]]

    def test_to_tensorflow_serving_it_is_a_list(self, advert):
        client, promises = advert
        schema = promises.schema("mirror.tfs-request")
        for row, right in ((LISTED, True), (BARE, False)):
            for body in ({"instances": [row]}, {"inputs": {name: [value] for name, value in row.items()}}):
                response = client.post("/v1/models/mirror:predict", json=body)
                assert schema.is_valid(body) is right
                assert response.status_code == (200 if right else 400)
                if right:
                    in_bytes = json.loads(json.dumps(body).replace('"a"', '{"b64": "YQ=="}'))
                    assert client.post("/v1/models/mirror:predict", json=in_bytes).json == response.json
                    assert response.json in ({"predictions": [TAKEN]}, {"outputs": {n: [v] for n, v in TAKEN.items()}})
                else:
                    assert response.json["error"].count("expected a list of 1, got") == len(ADVERT) - 1

    def test_to_the_open_inference_protocol_only_strings_on_the_card_go_without_their_axis(self, advert):
        client, _ = advert
        of = {"advert": ["like new"], "shop": ["the corner"], "brand": ["a"], "size": ["m"]}
        inputs = [tensor(name, "BYTES", value) for name, value in of.items()]
        right = [*inputs, tensor("age", "FP32", [[3]]), tensor("code", "BYTES", [["c"]])]
        told = oip.outputs(infer(client, "mirror", {"inputs": right}))
        assert {name: array.tolist()[0] for name, array in told.items()} == TAKEN
        wrong = [*inputs, tensor("age", "FP32", [3]), tensor("code", "BYTES", ["c"])]
        assert oip.error(infer(client, "mirror", {"inputs": wrong})).count("expected [-1, 1]") == 2

    def test_the_examples_are_as_promised_and_answered(self, advert):
        client, promises = advert
        asked = [(name, body) for name, _, body in promises.examples() if name.endswith(".mirror")]
        assert len(asked) > 4
        for name, body in asked:
            path, _, operation = promises.operations[name]
            promises.validator(operation["requestBody"]["content"]["application/json"]["schema"]).validate(body)
            response = client.post(path.replace("{version}", "1").replace("{label}", ""), json=body)
            assert response.status_code == 200, response.text
            promises.hold(name, response)
