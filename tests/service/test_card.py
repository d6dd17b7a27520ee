"""The card: reading it, and what raw outputs mean by it."""

import json
from dataclasses import fields
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from service import card
from service.card import Card, NumberOutput, ProbabilitiesOutput, ProbabilityOutput, RawOutput, TokensInput
from service.signature import Signature, TensorSpec
from tests.service import artifacts

SCHEMA = json.loads((Path(card.__file__).parent / "card.schema.json").read_text(encoding="utf-8"))


def json_values(output, values, top: int = 5) -> list:
    """What a client reads, with floats rounded."""
    return json.loads(json.dumps(list(output.interpret(values, top)), default=lambda x: round(x.item(), 6)))


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
    def test_the_toys_card_keeps_to_it(self):
        jsonschema.validate(artifacts.toy_card("toy", 1), SCHEMA, jsonschema.Draft202012Validator)

    @pytest.mark.parametrize(
        ("name", "read_by"),
        [("tokens", TokensInput), *card.OUTPUTS.items()],
        ids=["tokens", *card.OUTPUTS],
    )
    def test_every_field_it_knows_is_read_and_no_other(self, name, read_by):
        known = set(SCHEMA["$defs"][name]["properties"]) - {"kind"}
        assert known == {field.name for field in fields(read_by)}

    def test_it_knows_the_same_kinds_of_output(self):
        assert set(SCHEMA["properties"]["outputs"]["additionalProperties"]["properties"]["kind"]["enum"]) == set(
            card.OUTPUTS
        )

    def test_it_knows_the_same_format(self):
        assert SCHEMA["properties"]["format"]["const"] == card.FORMAT


WORDS = {"kind": "tokens", "words": 9, "pad_id": 0, "unknown_id": 1, "length": None, "max_length": 9, "vocabulary": "v"}
QUANTITY = {"kind": "number"}
CLASSES = {"kind": "probabilities", "labels": ["a", "b"]}


class TestACardThatDoesNotFitItsModel:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            pytest.param({"inputs": {"words": WORDS}}, "there is no input 'words'", id="an-input-the-model-lacks"),
            pytest.param({"outputs": {"size": QUANTITY}}, "there is no output 'size'", id="an-output-the-model-lacks"),
            pytest.param({"outputs": {"mood": CLASSES}}, "output 'mood' has 3 values, the card 2", id="too-few-labels"),
            pytest.param({"outputs": {"mood": QUANTITY}}, "output 'mood' has 3 values, the card 1", id="one-of-three"),
        ],
    )
    def test_says_where(self, change, said: str):
        document = {"format": 1, "title": "", "inputs": {}, "outputs": {}} | change
        signature = Signature(
            {"text": TensorSpec("text", np.dtype("int32"), (None, None))},
            {"mood": TensorSpec("mood", np.dtype("float32"), (None, 3))},
        )
        assert card.disagreements(card.parse(document), signature) == [said]
