"""The native dialect: named inputs in, named outputs out, and errors that say what to send instead."""

import re

import numpy as np
import pytest

from service.dialects.exchange import EXPLAINED_BYTES, explain
from service.errors import Fault, InvalidInput, MalformedBody
from tests.service import fakes
from tests.service.artifacts import EXAMPLE, MOODS, MOST_WORDS, VOCABULARY
from tests.service.site import MAX_QUEUE_ROWS, Site

NUMBERS = [0.5, -1.0, 2.0]
ROW = {"text": "the cat sat", "numbers": NUMBERS}


def faults(response) -> list[Fault]:
    assert response.mimetype == "application/problem+json"
    return [Fault(fault["pointer"], fault["detail"]) for fault in response.json["faults"]]


def test_one_object_in_one_object_out_with_every_output_by_name(site: Site):
    response = site.predict("toy", ROW)
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    expected = site.answer("the cat sat", NUMBERS)
    chances = {mood: pytest.approx(chance) for mood, chance in zip(MOODS, expected["mood"].tolist(), strict=True)}
    assert list(response.json) == ["score", "mood", "sure"]
    assert response.json["score"] == {"value": pytest.approx(expected["score"].item()), "unit": "points"}
    assert dict(response.json["mood"]["top"]) == chances
    assert response.json["mood"]["label"] == MOODS[expected["mood"].argmax()]
    assert response.json["mood"]["probability"] == pytest.approx(expected["mood"].max().item())
    sure = expected["sure"].item()
    assert response.json["sure"] == {
        "label": "yes" if sure >= 0.5 else "no",
        "probability": pytest.approx(max(sure, 1 - sure)),
    }


def test_a_list_of_one_is_answered_by_a_list_of_one(site: Site):
    assert site.predict("toy", [ROW]).json == [site.predict("toy", ROW).json]


def test_a_string_and_its_ids_are_the_same(site: Site):
    ids = [VOCABULARY.index(word) for word in ("the", "cat", "sat")]
    by_ids = site.predict("toy", {**ROW, "text": ids})
    assert by_ids.json == site.predict("toy", {**ROW, "text": "The CAT,  sat!"}).json


def test_an_unknown_word_is_the_unknown_id(site: Site):
    by_id = site.predict("toy", {**ROW, "text": [2, 1]})
    assert site.predict("toy", {**ROW, "text": "the zebra"}).json == by_id.json


@pytest.mark.parametrize("ids", [[2, 3, 4, 0, 0], [0, 2, 3, 4], [2, 0, 3, 4]], ids=["after", "before", "between"])
def test_padding_by_the_sender_changes_nothing(site: Site, ids):
    assert site.predict("toy", {**ROW, "text": ids}).json == site.predict("toy", {**ROW, "text": [2, 3, 4]}).json


def test_ragged_rows_in_one_list_are_answered_in_order(site: Site):
    texts = ["cat", "the cat sat", "good", "very good", "the mat sat", "bad", "sat on the mat"]
    rows = [{"text": text, "numbers": [number, 0, 0]} for number, text in enumerate(texts)]
    together = site.predict("toy", rows).json
    assert len(together) == len(rows)
    for row, answer in zip(rows, together, strict=True):
        alone = site.predict("toy", row).json
        assert answer["score"]["value"] == pytest.approx(alone["score"]["value"], rel=1e-5)
        assert answer["mood"]["label"] == alone["mood"]["label"]


def test_a_model_without_a_card_gives_its_numbers(site: Site):
    assert site.predict("fake", [{"x": [1, 2]}, {"x": [3]}]).json == [{"y": [5.0]}, {"y": [3.0]}]


def test_every_dtype_goes_in_and_comes_out(site: Site):
    row = {
        "flag": True,
        "byte": -128,
        "count": 2**64 - 1,
        "half": 0.5,
        "image": [[1, 2], [3, 4.5]],
        "name": "Zoë",
    }
    wrapped = {name: [value] if name in ("flag", "byte", "count", "half") else value for name, value in row.items()}
    answer = {
        "flag": [True],
        "count": [2**64 - 1],
        "half": [0.5],
        "image": [[1.0, 2.0], [3.0, 4.5]],
        "name": "Zoë",
    }
    assert site.predict("every", [row, wrapped]).json == [answer, answer]


class TestQuery:
    def test_without_a_version_the_newest_answers(self, site: Site):
        assert site.predict("toy", ROW).headers["X-Model-Version"] == "3"

    def test_a_version_can_be_chosen(self, site: Site):
        assert site.predict("toy", ROW, "?version=2").headers["X-Model-Version"] == "2"

    def test_outputs_are_given_in_the_order_asked(self, site: Site):
        response = site.predict("toy", [ROW], "?outputs=sure,score")
        assert [list(row) for row in response.json] == [["sure", "score"]]

    def test_top_says_how_many_labels_are_listed(self, site: Site):
        assert len(site.predict("toy", ROW, "?top=2").json["mood"]["top"]) == 2

    def test_top_of_more_than_there_are_lists_all_the_most_probable_first(self, site: Site):
        chances = [chance for _, chance in site.predict("toy", ROW, "?top=1000").json["mood"]["top"]]
        assert len(chances) == len(MOODS)
        assert chances == sorted(chances, reverse=True)

    def test_top_of_none_leaves_the_list_out(self, site: Site):
        assert list(site.predict("toy", ROW, "?top=0").json["mood"]) == ["label", "probability"]

    @pytest.mark.parametrize(
        ("query", "pointer", "detail"),
        [
            pytest.param("version=0", "?/version", "expected an integer of at least 1, got 0", id="version 0"),
            pytest.param("version=new", "?/version", "expected an integer of at least 1", id="version in letters"),
            pytest.param(
                "version=" + "9" * 5000, "?/version", "expected an integer of at least 1", id="endless version"
            ),
            pytest.param("top=-1", "?/top", "expected an integer from 0 to 1000, got -1", id="negative top"),
            pytest.param("top=1001", "?/top", "expected an integer from 0 to 1000, got 1001", id="huge top"),
            pytest.param("outputs=score,mod", "?/outputs", "unknown output 'mod'; the outputs are", id="outputs"),
            pytest.param("outputs=", "?/outputs", "unknown output ''", id="no output"),
            pytest.param("tpo=3", "?/tpo", "unknown parameter 'tpo', did you mean 'top'?", id="unknown parameter"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, site: Site, query, pointer, detail):
        response = site.predict("toy", ROW, f"?{query}")
        assert response.status_code == 422
        [fault] = faults(response)
        assert fault.pointer == pointer
        assert detail in fault.detail


class TestHeaders:
    def test_server_timing_tells_queue_batch_and_engine(self, site: Site):
        timing = site.predict("fake", [{"x": [1]}, {"x": [2]}]).headers["Server-Timing"]
        assert re.fullmatch(r'queue;dur=\d+\.\d{3}, batch;desc="rows=2", infer;dur=\d+\.\d{3}', timing)

    def test_the_batch_counts_the_rows_of_others_too(self, site: Site):
        site.queue([[1.0], [2.0]])
        assert 'batch;desc="rows=3"' in site.predict("fake", {"x": [3]}).headers["Server-Timing"]

    def test_a_requests_id_comes_back(self, site: Site):
        assert site.predict("toy", ROW, X_Request_Id="order-7/a").headers["X-Request-Id"] == "order-7/a"

    @pytest.mark.parametrize("given", ["", "x" * 129, 'a"b', "a b"], ids=["none", "endless", "quote", "space"])
    def test_without_a_usable_id_every_request_gets_one_of_its_own(self, site: Site, given):
        ids = {site.predict("toy", ROW, X_Request_Id=given).headers["X-Request-Id"] for _ in range(3)}
        assert len(ids) == 3
        assert all(re.fullmatch(r"[0-9a-f]{16}", one) for one in ids)

    def test_errors_carry_the_id_as_well(self, site: Site):
        assert site.predict("nobody", ROW, X_Request_Id="7").headers["X-Request-Id"] == "7"


WRONG = {
    "missing": ({"text": "cat"}, "/numbers", "missing input 'numbers'"),
    "unknown": ({**ROW, "wings": 2}, "/wings", "unknown input 'wings'; the inputs are text, numbers"),
    "misspelt": ({**ROW, "txet": "cat"}, "/txet", "unknown input 'txet', did you mean 'text'?"),
    "pointer escaped": ({**ROW, "a/b~c": 1}, "/a~1b~0c", "unknown input 'a/b~c'; the inputs are text, numbers"),
    "null": ({**ROW, "numbers": None}, "/numbers", "expected a list of 3, got null"),
    "null for words": ({**ROW, "text": None}, "/text", "expected a string or a list of token ids, got null"),
    "number for words": ({**ROW, "text": 7}, "/text", "expected a string or a list of token ids, got 7"),
    "object for words": ({**ROW, "text": {}}, "/text", "expected a string or a list of token ids, got an object"),
    "no word": ({**ROW, "text": " .,! "}, "/text", "expected at least one word"),
    "no id": ({**ROW, "text": []}, "/text", "expected at least 1 elements, got 0"),
    "padding alone": ({**ROW, "text": [0, 0]}, "/text", "expected at least one word"),
    "too many words": (
        {**ROW, "text": "cat " * (MOST_WORDS + 1)},
        "/text",
        f"expected at most {MOST_WORDS} words, got {MOST_WORDS + 1}",
    ),
    "id too large": ({**ROW, "text": [2, 10]}, "/text/1", "expected a token id from 0 to 9, got 10"),
    "negative id": ({**ROW, "text": [-1]}, "/text/0", "expected a token id from 0 to 9, got -1"),
    "fraction of an id": ({**ROW, "text": [2.5]}, "/text/0", "expected an integer, got 2.5"),
    "id beyond int64": ({**ROW, "text": [2**63]}, "/text/0", "expected int64 from"),
    "nested ids": ({**ROW, "text": [[2]]}, "/text/0", "expected an integer, got a list of 1"),
    "string for a number": ({**ROW, "numbers": [1, "2", 3]}, "/numbers/1", 'expected a number, got the string "2"'),
    "true for a number": ({**ROW, "numbers": [1, 2, True]}, "/numbers/2", "expected a number, got true"),
    "too few numbers": ({**ROW, "numbers": [1, 2]}, "/numbers", "expected 3 elements, got 2"),
    "too shallow": ({**ROW, "numbers": 1}, "/numbers", "expected a list of 3, got 1"),
    "too deep": ({**ROW, "numbers": [[1, 2, 3]]}, "/numbers", "expected 3 elements, got 1"),
    "beyond float32": ({**ROW, "numbers": [1, 1e39, 2]}, "/numbers/1", "expected float32 from"),
    "no object": (7, "", "expected an object of named inputs, got 7"),
    "a string": ("cat", "", 'expected an object of named inputs, got the string "cat"'),
}


class TestFaults:
    @pytest.mark.parametrize(("body", "pointer", "detail"), WRONG.values(), ids=WRONG)
    def test_a_fault_is_named_with_its_place(self, site: Site, body, pointer, detail):
        response = site.predict("toy", body)
        assert response.status_code == 422
        [fault] = faults(response)
        assert fault.pointer == pointer
        assert detail in fault.detail

    @pytest.mark.parametrize(("body", "pointer", "detail"), WRONG.values(), ids=WRONG)
    def test_in_a_list_the_place_begins_with_the_row(self, site: Site, body, pointer, detail):
        [fault] = faults(site.predict("toy", [ROW, body]))
        assert fault.pointer == f"/1{pointer}"

    @pytest.mark.parametrize(
        ("name", "value", "place", "detail"),
        [
            pytest.param("flag", [1], "/flag/0", "expected true or false, got 1", id="number for bool"),
            pytest.param("byte", [128], "/byte/0", "expected int8 from -128 to 127, got 128", id="int8"),
            pytest.param("byte", [1.5], "/byte/0", "expected an integer, got 1.5", id="fraction for int"),
            pytest.param("count", [-1], "/count/0", "expected uint64 from 0 to", id="negative uint64"),
            pytest.param("half", [65520], "/half/0", "expected float16 from", id="beyond float16"),
            pytest.param("half", "1", "/half", 'expected a number, got the string "1"', id="string for number"),
            pytest.param("byte", None, "/byte", "expected an integer, got null", id="null for int"),
            pytest.param("image", [[1, 2], [3]], "/image/1", "expected 2 elements, got 1", id="ragged image"),
            pytest.param("name", 7, "/name", "expected a string, got 7", id="number for string"),
            pytest.param("name", None, "/name", "expected a string, got null", id="null for string"),
        ],
    )
    def test_every_dtype_has_its_rules(self, site: Site, name, value, place, detail):
        row = {"flag": [True], "byte": [1], "count": [1], "half": [1], "image": [[1, 2], [3, 4]], "name": "n"}
        assert site.predict("every", row).status_code == 200
        [fault] = faults(site.predict("every", row | {name: value}))
        assert fault.pointer == place
        assert detail in fault.detail

    def test_all_faults_come_at_once(self, site: Site):
        response = site.predict("toy", [{"txet": "cat", "numbers": [1, "x", None]}, ROW, {"text": [99]}])
        assert {fault.pointer for fault in faults(response)} == {
            "/0/text",
            "/0/txet",
            "/0/numbers/1",
            "/2/text/0",
            "/2/numbers",
        }

    def test_no_more_faults_are_listed_than_anyone_reads(self, site: Site):
        assert len(faults(site.predict("toy", [{}] * MAX_QUEUE_ROWS))) == 20

    def test_a_problem_is_a_problem_of_rfc_9457(self, site: Site):
        response = site.predict("toy", {"text": "cat"})
        assert response.json == {
            "type": "urn:manifold:problem:invalid-input",
            "title": "Invalid input",
            "status": 422,
            "detail": "/numbers: missing input 'numbers'",
            "faults": [{"pointer": "/numbers", "detail": "missing input 'numbers'"}],
            "example": {"text": EXAMPLE, "numbers": [0.0, 0.0, 0.0]},
        }

    @pytest.mark.parametrize("model", ["toy", "fake", "every"])
    def test_the_example_given_works_when_sent_back(self, site: Site, model):
        example = site.predict(model, {}).json["example"]
        assert site.predict(model, example).status_code == 200
        assert site.predict(model, [example, example]).status_code == 200

    @pytest.mark.parametrize("body", [[], [ROW] * (MAX_QUEUE_ROWS + 1)], ids=["empty list", "too many rows"])
    def test_a_wrong_number_of_rows_comes_with_an_example_too(self, site: Site, body):
        response = site.predict("toy", body)
        assert response.status_code == 422
        assert faults(response)[0].pointer == ""
        assert response.json["example"]["text"] == EXAMPLE


NO_JSON = {
    "nothing": (b"", "the body is empty; send JSON"),
    "white space": (b" \n", "the body is empty; send JSON"),
    "half an object": (b'{"text": ', "the body is not JSON: "),
    "no UTF-8": (b'{"text": "\xff"}', "the body is not JSON: "),
    "a lone surrogate": (b'{"text": "\\ud800"}', "the body is not JSON: "),
    "two values": (b"{} {}", "the body is not JSON: "),
    "deep": (b"[" * 10_000 + b"]" * 10_000, "the body is nested too deep"),
    "a large one": (b"[" + b"1," * 40_000 + b"x]", "the body is not JSON: "),
}
NOT_FINITE = {
    "NaN": (b'[{}, {"numbers": [1, NaN]}]', "/1/numbers/1"),
    "Infinity": (b'{"a/b": -Infinity}', "/a~1b"),
    "NaN alone": (b"NaN", ""),
    "NaN under a lone surrogate": (b'{"\\ud800": NaN}', "/?"),
}


@pytest.mark.parametrize(("body", "pointer"), NOT_FINITE.values(), ids=NOT_FINITE)
def test_a_number_that_is_not_finite_is_refused_with_its_place_in_every_form(site: Site, body, pointer):
    """test_content_forms.py has MessagePack and .npz: 422 as well."""
    response = site.client.post("/predict/toy", data=body)
    assert response.status_code == 422
    assert response.json["faults"] == [{"pointer": pointer, "detail": "expected a finite number"}]


@pytest.mark.parametrize(("body", "detail"), NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_refused(site: Site, body, detail):
    response = site.client.post("/predict/toy", data=body)
    assert response.status_code == 400
    assert response.json["type"] == "urn:manifold:problem:malformed-body"
    assert response.json["detail"].startswith(detail)
    assert "faults" not in response.json


@pytest.mark.parametrize("number", [b"1e400", b"-1e400"])
def test_a_number_beyond_every_float_is_refused_with_its_place(site: Site, number):
    response = site.client.post("/predict/toy", data=b'{"text": "cat", "numbers": [1, 2, %s]}' % number)
    assert response.status_code in (400, 422)
    assert response.json["faults"][0]["pointer"] == "/numbers/2"


@pytest.mark.parametrize(
    ("padding", "kind"), [(0, InvalidInput), (EXPLAINED_BYTES, MalformedBody)], ids=["small", "huge"]
)
def test_only_a_body_small_enough_is_searched_for_its_culprit(padding, kind):
    assert type(explain(b"[NaN]".ljust(padding + 5), "unexpected character")) is kind


class TestTimeouts:
    @pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", ""])
    def test_a_timeout_that_is_none_is_refused(self, site: Site, text):
        response = site.predict("toy", ROW, X_Request_Timeout=text)
        assert response.status_code == 422
        assert "expected X-Request-Timeout in seconds, above 0" in response.json["detail"]

    @pytest.mark.parametrize("text", ["0.5", "1e9", "inf"])
    def test_a_longer_timeout_than_the_services_own_is_no_mistake(self, site: Site, text):
        assert site.predict("toy", ROW, X_Request_Timeout=text).status_code == 200


class TestModels:
    def test_the_list_names_every_model_with_its_versions(self, site: Site):
        toy, fake, _ = site.client.get("/models").json
        onnx = {"engine": "onnx", "device": "cpu"}
        assert toy == {
            "name": "toy",
            "title": "A toy",
            "predict": "/predict/toy",
            "versions": [
                {"version": 3, "state": "AVAILABLE", **onnx},
                {"version": 2, "state": "AVAILABLE", **onnx},
            ],
        }
        assert fake["title"] == ""

    def test_a_model_shows_its_signature_card_and_an_example_that_works(self, site: Site):
        shown = site.client.get("/models/toy").json
        assert shown["version"] == 3
        assert shown["signature"]["inputs"] == {
            "text": {"dtype": "int32", "shape": [-1, -1]},
            "numbers": {"dtype": "float32", "shape": [-1, 3]},
        }
        assert list(shown["signature"]["outputs"]) == ["score", "mood", "sure"]
        assert shown["card"]["outputs"]["mood"]["labels"] == list(MOODS)
        assert site.predict("toy", shown["example"]).status_code == 200

    def test_a_version_can_be_chosen(self, site: Site):
        assert site.client.get("/models/toy?version=2").json["version"] == 2

    def test_a_tensor_of_strings_is_called_so(self, site: Site):
        shown = site.client.get("/models/every").json
        assert shown["signature"]["inputs"]["name"] == {"dtype": "string", "shape": [-1]}


class TestPaths:
    def test_the_root_says_where_to_go(self, site: Site):
        assert site.client.get("/").json == {
            "service": "manifold",
            "models": "/models",
            "docs": "/docs",
            "ready": "/readyz",
            "metrics": "/metrics",
            "predict": ["/predict/toy", "/predict/fake", "/predict/every"],
        }

    def test_a_path_that_is_none_is_a_problem(self, site: Site):
        response = site.client.get("/nowhere")
        assert response.status_code == 404
        assert response.mimetype == "application/problem+json"
        assert response.json["type"] == "urn:manifold:problem:not-found"

    def test_a_wrong_method_is_told_the_right_one(self, site: Site):
        response = site.client.get("/predict/toy")
        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]
        assert response.json["title"] == "Method Not Allowed"
        assert response.json["detail"] == "the path takes POST"

    def test_an_error_nobody_foresaw_is_a_problem_without_its_trace(self, site: Site):
        def bug(_):
            raise ZeroDivisionError("the secret of /srv")

        site.app.logger.disabled = True
        site.app.add_url_rule("/bug/<_>", view_func=bug)
        response = site.client.get("/bug/1")
        assert response.status_code == 500
        assert response.mimetype == "application/problem+json"
        assert "secret" not in response.text


@pytest.mark.parametrize("name", ["a.b", "a/b", "load", "fields", "Meta", "context", "many", "opts", "", "self", "ü"])
def test_an_input_may_have_any_name(toy_folder, name):
    hand = fakes.Hand()
    signature = fakes.Signature(
        {name: fakes.TensorSpec(name, np.dtype("float32"), (None, 1))}, fakes.specs(y=("float64", (None, 1)))
    )
    engine = fakes.FakeEngine(signature, lambda inputs: {"y": inputs[name] * 2.0})
    site = Site(toy_folder, [fakes.handle(engine, hand, name="named")])
    site.hand.drivers += hand.drivers
    assert site.predict("named", {name: [2]}).json == {"y": [4.0]}
