"""The card: reading it, and what raw outputs mean by it."""

import json
from dataclasses import fields, replace
from pathlib import Path

import jsonschema
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service import card
from service.card import INPUTS, Card, CategoryInput, ImageInput, NumbersInput, TextInput, TokensInput
from service.engines.onnx import OnnxEngine
from service.outputs import OUTPUTS, NumberOutput, NumbersOutput, ProbabilitiesOutput, ProbabilityOutput, RawOutput
from service.signature import Signature
from tests.service import artifacts
from tests.service.fakes import specs

SCHEMA = json.loads((Path(card.__file__).parent / "card.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
KINDS = {"input": INPUTS, "output": OUTPUTS}


def json_values(output, values, top: int = 5) -> list:
    """What a client reads, with floats rounded."""
    return json.loads(
        json.dumps(list(output.interpret(values, top)), default=lambda x: x.astype(float).round(6).tolist())
    )


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 1)


class TestNumbers:
    def test_a_number_has_its_unit(self):
        assert json_values(NumberOutput(unit="years"), column(34.5, -1)) == [
            {"value": 34.5, "unit": "years"},
            {"value": -1.0, "unit": "years"},
        ]

    def test_a_number_without_a_unit_has_none(self):
        assert json_values(NumberOutput(), column(0.5)) == [{"value": 0.5}]

    def test_rows_may_be_bare_numbers(self):
        assert json_values(NumberOutput(), np.array([0.5, 1.5])) == [{"value": 0.5}, {"value": 1.5}]


class TestArrays:
    def test_an_array_of_numbers_keeps_its_shape_and_has_its_unit(self):
        values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
        assert json_values(NumbersOutput((2, 2), unit="cm"), values) == [
            {"values": [[0.0, 1.0], [2.0, 3.0]], "unit": "cm"},
            {"values": [[4.0, 5.0], [6.0, 7.0]], "unit": "cm"},
        ]

    def test_one_without_a_unit_has_none(self):
        assert json_values(NumbersOutput((2,)), np.array([[0.5, 1.5]])) == [{"values": [0.5, 1.5]}]

    def test_any_layout_in_memory_can_be_written(self):
        rows = NumbersOutput((2, 3)).interpret(np.arange(12.0).reshape(3, 2, 2).T, 5)
        dumped = orjson.dumps(list(rows), option=orjson.OPT_SERIALIZE_NUMPY)
        assert orjson.loads(dumped)[1]["values"] == [[1.0, 5.0, 9.0], [3.0, 7.0, 11.0]]


class TestProbability:
    @pytest.mark.parametrize(
        ("chance", "expected"),
        [
            (0.75, {"label": "yes", "probability": 0.75}),
            (0.5, {"label": "yes", "probability": 0.5}),
            (0.25, {"label": "no", "probability": 0.75}),
            (0.0, {"label": "no", "probability": 1.0}),
        ],
    )
    def test_the_answers_own_probability_is_given(self, chance, expected):
        assert json_values(ProbabilityOutput(("no", "yes")), column(chance)) == [expected]

    def test_the_threshold_decides(self):
        cautious = ProbabilityOutput(("no", "yes"), threshold=0.9)
        assert json_values(cautious, column(0.875, 0.9375)) == [
            {"label": "no", "probability": 0.125},
            {"label": "yes", "probability": 0.9375},
        ]


class TestProbabilities:
    OUTPUT = ProbabilitiesOutput(("a", "b", "c", "d"))
    VALUES = np.array([[0.125, 0.5, 0.25, 0.125], [0.25, 0.25, 0.5, 0.0]], np.float32)

    def test_the_most_probable_is_the_label_and_first_of_the_top(self):
        first, second = json_values(self.OUTPUT, self.VALUES, top=2)
        assert first == {"label": "b", "probability": 0.5, "top": [["b", 0.5], ["c", 0.25]]}
        assert second == {"label": "c", "probability": 0.5, "top": [["c", 0.5], ["a", 0.25]]}

    def test_equals_keep_their_order(self):
        assert [label for label, _ in json_values(self.OUTPUT, self.VALUES, top=4)[0]["top"]] == ["b", "c", "a", "d"]

    @pytest.mark.parametrize("top", [4, 5, 1000])
    def test_there_are_no_more_than_there_are(self, top):
        assert len(json_values(self.OUTPUT, self.VALUES, top)[0]["top"]) == 4

    def test_a_top_of_one_is_listed(self):
        assert json_values(self.OUTPUT, self.VALUES, top=1)[0]["top"] == [["b", 0.5]]

    def test_a_top_of_none_is_left_out(self):
        assert json_values(self.OUTPUT, self.VALUES, top=0)[0] == {"label": "b", "probability": 0.5}


class TestOtherwise:
    VALUES = np.array([[0.6, 0.3, 0.1], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.25, 0.25, 0.5]], np.float32)
    CAUTIOUS = ProbabilitiesOutput(("a", "b", "ask"), threshold=0.6, otherwise="ask")

    def test_where_no_label_reaches_the_threshold_another_is_the_answer(self):
        assert json_values(self.CAUTIOUS, self.VALUES, top=0) == [
            {"label": "a", "probability": 0.6},
            {"label": "ask", "probability": 0.2, "threshold": 0.6},
            {"label": "ask", "probability": 0.7},
            {"label": "ask", "probability": 0.5, "threshold": 0.6},
        ]

    def test_the_top_stays_what_it_is(self):
        bold = ProbabilitiesOutput(self.CAUTIOUS.labels)
        tops = [[answer["top"] for answer in json_values(output, self.VALUES)] for output in (bold, self.CAUTIOUS)]
        assert tops[0] == tops[1]

    def test_a_threshold_alone_changes_nothing(self):
        bold = ProbabilitiesOutput(self.CAUTIOUS.labels)
        assert json_values(replace(bold, threshold=0.99), self.VALUES) == json_values(bold, self.VALUES)

    @given(
        values=arrays.arrays(np.float32, (5, 3), elements=st.floats(0, 1, width=32)),
        threshold=st.floats(0, 1),
        otherwise=st.sampled_from("abc"),
        top=st.integers(0, 3),
    )
    def test_the_answer_is_the_most_probable_or_the_other(self, values, threshold, otherwise, top):
        bold = ProbabilitiesOutput(("a", "b", "c"))
        cautious = replace(bold, threshold=threshold, otherwise=otherwise)
        for row, best, answer in zip(
            values, json_values(bold, values, top), json_values(cautious, values, top), strict=True
        ):
            if row.max() >= np.float32(threshold):
                assert answer == best
            else:
                own = pytest.approx(row["abc".index(otherwise)], abs=1e-6)
                assert answer == {**best, "label": otherwise, "probability": own, "threshold": threshold}

    def test_it_must_be_one_of_the_labels(self):
        with pytest.raises(ValueError, match="'c', which is none of the labels"):
            ProbabilitiesOutput(("a", "b"), otherwise="c")


class TestRawOutputs:
    def test_numbers_stay_as_they_are(self):
        values = np.arange(6.0).reshape(2, 3)
        assert RawOutput().interpret(values, 5) is values

    def test_strings_become_text(self):
        values = np.array([["ü".encode(), b"\xff"], ["x", b""]], object)
        assert RawOutput().interpret(values, 5) == [["ü", "\ufffd"], ["x", ""]]

    def test_an_output_the_card_is_silent_of_is_raw(self):
        assert Card().output("y") == RawOutput()


class TestReading:
    def test_a_folder_without_a_card_has_the_empty_one(self, tmp_path: Path):
        empty = card.read(tmp_path)
        assert empty == Card()
        assert not empty.twin_agreed
        assert empty.example == {}

    def test_the_toys_card_is_read_whole(self, toy_folder: Path):
        toy = card.read(toy_folder)
        assert toy.title == "A toy"
        assert toy.example == {"text": artifacts.EXAMPLE}
        assert toy.inputs["text"] == TokensInput(
            words=10,
            pad_id=0,
            unknown_id=1,
            length=None,
            max_length=artifacts.MOST_WORDS,
            vocabulary="assets/text.vocabulary.txt",
            title="Words",
            example=artifacts.EXAMPLE,
        )
        assert toy.output("score") == NumberOutput(title="Score", unit="points")
        assert toy.output("mood") == ProbabilitiesOutput(artifacts.MOODS, title="Mood")
        assert toy.output("sure") == ProbabilityOutput(("no", "yes"), threshold=0.5, title="Sure")
        assert toy.twin_agreed
        assert toy.document == artifacts.toy_card("toy", 3)

    def test_the_shops_card_is_read_whole(self, shop_folder: Path):
        shop = card.read(shop_folder)
        assert shop.inputs == {
            "photo": ImageInput(4, 6, 3, title="Photo", example=artifacts.png(artifacts.PHOTO)),
            "fabric": CategoryInput(artifacts.FABRICS, title="Fabric", example="wool"),
            "worn": NumbersInput(
                dims=(None, 2),
                max_length=artifacts.MOST_DAYS,
                unit="days",
                minimum=0.0,
                maximum=1.0,
                title="Days worn, inside and outside",
                example=[[0.5, 0.25], [1, 0]],
            ),
        }
        assert shop.output("price") == NumberOutput(title="Price", unit="euros")
        assert shop.output("size") == NumbersOutput((2,), title="Size", unit="cm")
        style = ProbabilitiesOutput(artifacts.STYLES, artifacts.SURE, "plain", title="Style")
        assert shop.output("style") == style

    def test_only_a_model_with_words_has_words(self, toy_folder: Path, shop_folder: Path):
        assert card.read(toy_folder).has_words
        assert not card.read(shop_folder).has_words
        assert not Card().has_words

    def test_a_twin_that_was_not_kept_did_not_agree(self):
        document = artifacts.toy_card("toy", 1)
        document["verified"]["twin"]["kept"] = False
        assert not card.parse(document).twin_agreed

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            pytest.param(lambda c: c.update(format=2), "format 2, this version reads format 1", id="newer format"),
            pytest.param(lambda c: c.pop("outputs"), "KeyError: 'outputs'", id="no outputs"),
            pytest.param(lambda c: c.update(inputs=[1]), "AttributeError|TypeError", id="inputs in a list"),
            pytest.param(lambda c: c["inputs"]["text"].update(kind="smell"), "input kind 'smell'", id="input kind"),
            pytest.param(lambda c: c["inputs"]["text"].update(colour="red"), "colour", id="unknown field"),
            pytest.param(lambda c: c["inputs"]["text"].pop("words"), "words", id="missing field"),
            pytest.param(lambda c: c["outputs"]["mood"].update(kind="smell"), "output kind 'smell'", id="output kind"),
            pytest.param(lambda c: c["outputs"]["mood"].update(otherwise="?"), "none of the labels", id="otherwise"),
            pytest.param(lambda c: c["outputs"]["mood"].pop("kind"), "kind", id="no kind"),
            pytest.param(lambda c: c["outputs"].update(mood=None), "TypeError|AttributeError", id="no object"),
        ],
    )
    def test_a_card_that_cannot_be_understood_says_why(self, tmp_path: Path, change, message):
        document = artifacts.toy_card("toy", 1)
        change(document)
        self.write(tmp_path, json.dumps(document))
        with pytest.raises(card.UnreadableCard, match=message) as caught:
            card.read(tmp_path)
        assert str(tmp_path / card.CARD) in str(caught.value)

    @pytest.mark.parametrize("text", ["", "{", "[]", "7", '"card"', "null"])
    def test_what_is_no_card_at_all_is_told(self, tmp_path: Path, text):
        self.write(tmp_path, text)
        with pytest.raises(card.UnreadableCard):
            card.read(tmp_path)

    @staticmethod
    def write(folder: Path, text: str) -> None:
        (folder / card.CARD).parent.mkdir()
        (folder / card.CARD).write_text(text, encoding="utf-8")


class TestSchema:
    @pytest.mark.parametrize(
        "document", [artifacts.toy_card("toy", 1), artifacts.shop_card("shop", 1)], ids=["toy", "shop"]
    )
    def test_the_tests_own_cards_keep_to_it(self, document):
        VALIDATOR.validate(document)

    @pytest.mark.parametrize("side", KINDS)
    def test_every_field_it_knows_is_read_and_required_and_no_other(self, side):
        for kind, read_by in KINDS[side].items():
            known = SCHEMA["$defs"][f"{kind}_{side}"]
            assert set(known["properties"]) == {"kind"} | {f.name for f in fields(read_by)}
            optional = {"category": {"dims"}, "image": {"range"}}  # cards before it had no such member
            assert set(known["required"]) == set(known["properties"]) - optional.get(kind, set())

    @pytest.mark.parametrize("side", KINDS)
    def test_it_knows_the_same_kinds_and_looks_at_each(self, side):
        spec = SCHEMA["properties"][f"{side}s"]["additionalProperties"]
        assert set(spec["properties"]["kind"]["enum"]) == set(KINDS[side])
        branches = {branch["if"]["properties"]["kind"]["const"]: branch["then"]["$ref"] for branch in spec["allOf"]}
        assert branches == {kind: f"#/$defs/{kind}_{side}" for kind in KINDS[side]}

    def test_a_text_and_a_label_may_stand_in_a_list_of_one(self):
        document = artifacts.shop_card("shop", 1)
        document["inputs"]["fabric"]["dims"] = [1]
        document["inputs"]["note"] = {"kind": "text", "title": "Note", "dims": [1], "example": "like new"}
        VALIDATOR.validate(document)
        inputs = card.parse(document).inputs
        assert inputs["fabric"].dims == (1,)
        assert inputs["note"] == TextInput((1,), "Note", "like new")

    def test_a_model_may_be_served_as_it_is_built(self):
        document = artifacts.shop_card("shop", 1) | {"parameters": 0, "losses": {}, "findings": []}
        document["provenance"]["epochs"] = 0
        VALIDATOR.validate(document)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda c: c.pop("parameters"), id="no parameters"),
            pytest.param(lambda c: c.update(parameters=-1), id="fewer than no parameters"),
            pytest.param(lambda c: c.pop("findings"), id="no findings"),
            pytest.param(lambda c: c["findings"][0].update(figures={}), id="a finding without figures"),
            pytest.param(lambda c: c["findings"][0].update(figures={"a": None}), id="a figure that is none"),
            pytest.param(lambda c: c["inputs"]["photo"].update(channels=4), id="four channels"),
            pytest.param(lambda c: c["inputs"]["fabric"].update(labels=["one"]), id="a single label"),
            pytest.param(lambda c: c["inputs"]["worn"].update(dims=[0]), id="an axis of nothing"),
            pytest.param(lambda c: c["inputs"]["fabric"].update(dims=[2]), id="two labels"),
            pytest.param(lambda c: c["outputs"]["size"].update(dims=[]), id="an array of one number"),
            pytest.param(lambda c: c["outputs"]["style"].update(threshold=2), id="a threshold above one"),
        ],
    )
    def test_what_no_card_may_say(self, change):
        document = artifacts.shop_card("shop", 1)
        change(document)
        assert not VALIDATOR.is_valid(document)

    def test_it_knows_the_same_format(self):
        assert SCHEMA["properties"]["format"]["const"] == card.FORMAT


SIGNATURE = Signature(
    specs(
        text=("int32", (None, None)),
        dim=("float32", (None, 4, 6, 1)),
        five=("int64", (None, 5)),
        walk=("float32", (None, None, 2)),
        photo=("uint8", (None, 4, 6, 3)),
        brand=("int32", (None,)),
        advert=("object", (None, 1)),
        shop=("object", (None,)),
        tags=("object", (None, 3)),
    ),
    specs(
        mood=("float32", (None, 3)),
        price=("float32", (None, 1)),
        bare=("float32", (None,)),
        grid=("float32", (None, 2, 2)),
    ),
)


def words(**more) -> TokensInput:
    return TokensInput(words=9, pad_id=0, unknown_id=1, max_length=9, vocabulary="v", **{"length": None} | more)


def walk(*dims: int | None) -> NumbersInput:
    return NumbersInput(dims, max_length=9)


BRAND = CategoryInput(("a", "b"))


class TestACardThatFitsItsModel:
    @pytest.mark.parametrize(
        "inputs",
        [
            {"text": words(), "five": words(length=5), "walk": walk(None, 2), "photo": ImageInput(4, 6, 3)},
            {"walk": walk(7, 2), "brand": BRAND, "five": words()},
            {"walk": walk(None, None)},
            {"advert": TextInput((1,)), "shop": BRAND, "dim": ImageInput(4, 6, 1, (0, 1))},
            {"advert": replace(BRAND, dims=(1,)), "shop": TextInput()},
            {},
        ],
        ids=["all", "a length only the card knows", "a size only the model knows", "texts", "labels", "none"],
    )
    @pytest.mark.parametrize(
        "outputs",
        [
            {"mood": ProbabilitiesOutput(("a", "b", "c")), "price": NumberOutput(), "grid": NumbersOutput((2, 2))},
            {"price": ProbabilityOutput(("no", "yes")), "bare": NumberOutput()},
            {"grid": NumbersOutput((None, 2)), "bare": ProbabilityOutput(("no", "yes"))},
        ],
        ids=["all", "a bare number", "an open size"],
    )
    def test_has_nothing_to_say(self, inputs, outputs):
        assert card.disagreements(Card(inputs=inputs, outputs=outputs), SIGNATURE) == []

    def test_the_shops_fits(self, shop_folder: Path):
        assert card.disagreements(card.read(shop_folder), OnnxEngine(shop_folder).signature) == []


class TestACardThatDoesNotFitItsModel:
    @pytest.mark.parametrize(
        ("name", "spec", "said"),
        [
            ("wings", words(), "there is no input 'wings'"),
            ("walk", words(), "input 'walk' is float32, the card says integers"),
            ("walk", BRAND, "input 'walk' is float32, the card says integers or strings"),
            ("shop", words(), "input 'shop' is string, the card says integers"),
            ("brand", TextInput(), "input 'brand' is int32, the card says strings"),
            ("advert", TextInput(), "a row of input 'advert' has shape (1), the card says ()"),
            ("tags", TextInput((3,)), "a row of input 'tags' has shape (3), a text or category has () or (1)"),
            ("shop", walk(), "input 'shop' is string, the card says numbers"),
            ("text", ImageInput(4, 6, 3), "input 'text' is int32, the card says uint8 or floats"),
            ("five", words(length=6), "a row of input 'five' has shape (5), the card says (6)"),
            ("text", BRAND, "a row of input 'text' has shape (any), the card says ()"),
            ("walk", walk(None, 3), "a row of input 'walk' has shape (any, 2), the card says (any, 3)"),
            ("walk", walk(), "a row of input 'walk' has shape (any, 2), the card says ()"),
            ("photo", ImageInput(6, 4, 3), "a row of input 'photo' has shape (4, 6, 3), the card says (6, 4, 3)"),
            ("photo", ImageInput(4, 6, 1), "a row of input 'photo' has shape (4, 6, 3), the card says (4, 6)"),
            ("photo", ImageInput(4, 6, 3, (0, 1)), "input 'photo' is uint8, the card has a range, which is for floats"),
            (
                "dim",
                ImageInput(4, 6, 1),
                "input 'dim' is float32, the card has no range: what black is, and what white",
            ),
        ],
    )
    def test_says_which_input(self, name: str, spec, said: str):
        assert card.disagreements(Card(inputs={name: spec}), SIGNATURE) == [said]

    @pytest.mark.parametrize(
        ("name", "output", "said"),
        [
            ("size", NumberOutput(), "there is no output 'size'"),
            ("mood", ProbabilitiesOutput(("a", "b")), "a row of output 'mood' has shape (3), the card says (2)"),
            ("mood", NumberOutput(), "a row of output 'mood' has shape (3), the card says (1)"),
            ("grid", NumbersOutput((2, 3)), "a row of output 'grid' has shape (2, 2), the card says (2, 3)"),
            ("grid", NumbersOutput((2,)), "a row of output 'grid' has shape (2, 2), the card says (2)"),
            ("bare", NumbersOutput((2,)), "a row of output 'bare' has shape (), the card says (2)"),
        ],
    )
    def test_says_which_output(self, name: str, output, said: str):
        assert card.disagreements(Card(outputs={name: output}), SIGNATURE) == [said]

    def test_says_everything_at_once(self):
        wrong = Card(inputs={"wings": BRAND, "walk": BRAND}, outputs={"mood": NumberOutput()})
        assert len(card.disagreements(wrong, SIGNATURE)) == 3
