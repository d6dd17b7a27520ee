"""TensorFlow Serving's REST API v1, in that server's own words."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.card import Card
from service.outputs import NumberOutput, ProbabilitiesOutput, ProbabilityOutput
from tests.service import fakes
from tests.service.artifacts import MOODS
from tests.service.site import MAX_QUEUE_ROWS, Site

NUMBERS = [0.5, -1.0, 2.0]
ROW = {"text": [2, 3, 4], "numbers": NUMBERS}


def error(response) -> str:
    assert response.mimetype == "application/json"
    assert list(response.json) == ["error"]
    return response.json["error"]


class TestRoutes:
    @pytest.mark.parametrize(
        "path",
        [
            "models/toy:predict",
            "models/toy/versions/3:predict",
            "MODELS/toy:PREDICT",
            "models/%74oy:predict",
            "models/toy/Versions/0003:predict",
        ],
    )
    def test_these_paths_predict(self, site: Site, path):
        response = site.client.post(f"/v1/{path}", json={"instances": [ROW]})
        assert response.status_code == 200
        assert response.mimetype == "application/json"
        assert response.headers["X-Model-Version"] == "3"

    def test_a_version_is_chosen_by_its_path(self, site: Site):
        response = site.client.post("/v1/models/toy/versions/2:predict", json={"instances": [ROW]})
        assert response.headers["X-Model-Version"] == "2"

    def test_a_label_names_a_version(self, site: Site):
        response = site.client.post("/v1/models/toy/labels/stable:predict", json={"instances": [ROW]})
        assert response.headers["X-Model-Version"] == "2"
        assert site.client.get("/v1/models/toy/labels/stable/metadata").json["model_spec"]["version"] == "2"
        statuses = site.client.get("/v1/models/toy/labels/stable").json["model_version_status"]
        assert [status["version"] for status in statuses] == ["2"]

    @pytest.mark.parametrize(
        ("method", "path", "status", "message"),
        [
            ("POST", "models/toy/labels/gone:predict", 404, "Servable not found for request: Specific(toy, 1)"),
            ("POST", "models/fake/labels/stable:predict", 400, "Unrecognized servable version label: stable"),
            ("GET", "foo", 400, "Malformed request: GET /v1/foo"),
            ("GET", "models/toy:predict", 400, "Malformed request: GET /v1/models/toy:predict"),
            ("POST", "models/toy", 400, "Malformed request: POST /v1/models/toy"),
            ("POST", "models/toy/metadata", 400, "Malformed request: POST /v1/models/toy/metadata"),
            ("POST", "models/toy:guess", 400, "Malformed request: POST /v1/models/toy:guess"),
            ("DELETE", "models/toy", 400, "Malformed request: DELETE /v1/models/toy"),
            ("PUT", "models/toy:predict", 400, "Malformed request: PUT /v1/models/toy:predict"),
            ("GET", "", 400, "Malformed request: GET /v1/"),
            ("GET", "models/toy/versions/3/labels/x", 400, "Malformed request: GET /v1/models/toy/versions/3/labels/x"),
            ("GET", "models/toy/versions/new", 400, "Malformed request: GET /v1/models/toy/versions/new"),
            ("GET", "models", 400, "Missing model name in request."),
            ("POST", "models:predict", 400, "Missing model name in request."),
            ("POST", "models/nobody:predict", 404, "Servable not found for request: Latest(nobody)"),
            ("POST", "models/toy/versions/50:predict", 404, "Servable not found for request: Specific(toy, 50)"),
            ("GET", "models/toy/versions/50/metadata", 404, "Servable not found for request: Specific(toy, 50)"),
            ("POST", "models/toy/labels/new:predict", 400, "Unrecognized servable version label: new"),
            ("GET", "models/nobody", 404, "Could not find any versions of model nobody"),
            ("GET", "models/toy/versions/50", 404, "Could not find version 50 of model toy"),
            (
                "POST",
                "models/toy/versions/9223372036854775808:predict",
                400,
                "Failed to convert version: 9223372036854775808 to numeric.",
            ),
            ("POST", "models/toy/labels/new:classify", 400, "Unrecognized servable version label: new"),
            ("POST", "models/nobody:regress", 404, "Servable not found for request: Latest(nobody)"),
            ("OPTIONS", "models/toy:predict", 400, "Malformed request: OPTIONS /v1/models/toy:predict"),
        ],
        ids=lambda value: value or "root",
    )
    def test_what_is_no_route_is_told_in_its_words(self, site: Site, method, path, status, message):
        response = site.client.open(f"/v1/{path}", method=method, json={"instances": [ROW]})
        assert response.status_code == status
        assert error(response) == message

    def test_a_version_of_endless_digits_is_no_number(self, site: Site):
        response = site.client.get(f"/v1/models/toy/versions/{'9' * 5000}")
        assert response.status_code == 400
        assert error(response).startswith("Failed to convert version: 9")

    def test_the_root_is_no_route_either(self, site: Site):
        assert error(site.client.get("/v1")) == "Malformed request: GET /v1"

    def test_beside_v1_a_path_is_simply_not_found(self, site: Site):
        assert site.client.get("/v3").status_code == 404

    def test_the_type_of_the_body_does_not_matter(self, site: Site):
        body = json.dumps({"instances": [{"x": [1]}]})
        assert site.client.post("/v1/models/fake:predict", data=body, content_type="text/plain").status_code == 200


class TestRows:
    def test_named_rows_give_named_rows(self, site: Site):
        expected = site.answer("the cat sat", NUMBERS)
        [row] = site.tfs("toy", {"instances": [ROW]}).json["predictions"]
        assert list(row) == ["score", "mood", "sure"]
        for name, value in row.items():
            assert value == pytest.approx(expected[name].tolist())

    def test_words_may_come_in_base64(self, site: Site):
        coded = {"b64": base64.b64encode(b"the cat sat").decode()}
        plain = site.tfs("toy", {"instances": [{**ROW, "text": "the cat sat"}]}).json
        assert site.tfs("toy", {"instances": [{**ROW, "text": coded}]}).json == plain
        columns = {"text": [coded], "numbers": [ROW["numbers"]]}
        assert site.tfs("toy", {"signature_name": "text", "inputs": columns}).status_code == 200

    def test_words_that_are_no_text_are_refused(self, site: Site):
        response = site.tfs("toy", {"instances": [{**ROW, "text": {"b64": "//8="}}]})
        assert response.status_code == 400
        assert error(response).startswith("/instances/0/text: expected a string or a list of token ids, got bytes")

    def test_one_output_goes_without_its_name(self, site: Site):
        assert site.tfs("fake", {"instances": [{"x": [1, 2]}]}).json == {"predictions": [[5.0]]}

    def test_one_input_needs_no_name(self, site: Site):
        assert site.tfs("fake", {"instances": [[1, 2], [3, 4]]}).json == {"predictions": [[5.0], [11.0]]}

    def test_ragged_rows_are_welcome_here(self, site: Site):
        response = site.tfs("fake", {"instances": [[1], [1, 2], [7], [2, 2]]})
        assert response.json == {"predictions": [[1.0], [5.0], [7.0], [6.0]]}

    def test_several_inputs_need_their_names(self, site: Site):
        response = site.tfs("toy", {"instances": [[1, 2]]})
        assert response.status_code == 400
        assert error(response).startswith(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )

    @pytest.mark.parametrize(
        ("instances", "message"),
        [
            ([{"x": [1]}, [1]], "Expecting object but got list at item 1"),
            ([{"x": [1]}, {"x": [1]}, 7], "Expecting object but got list at item 2"),
            ([[1], {"x": [1]}], "Expecting value/list but got object at item 1"),
        ],
        ids=["list among objects", "value among objects", "object among lists"],
    )
    def test_rows_are_all_named_or_none_is(self, site: Site, instances, message):
        response = site.tfs("fake", {"instances": instances})
        assert response.status_code == 400
        assert error(response) == message

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ({"text": [2]}, ["numbers", "missing"]),
            ({**ROW, "foo": 1}, ["foo", "unknown"]),
            ({**ROW, "numbers": [1, 2]}, ["numbers", "expected 3 elements, got 2"]),
            ({**ROW, "text": [99]}, ["text/0", "token id"]),
        ],
        ids=["missing", "unknown", "size", "token"],
    )
    def test_a_wrong_row_is_an_invalid_argument_that_names_its_place(self, site: Site, row, words):
        response = site.tfs("toy", {"instances": [ROW, row]})
        assert response.status_code == 400
        assert "/instances/1" in error(response)
        assert all(word in error(response) for word in words)

    def test_the_place_in_a_bare_row_has_no_name(self, site: Site):
        assert error(site.tfs("fake", {"instances": [[1], [1, "2"]]})).startswith("/instances/1/1: expected a number")

    def test_text_works_here_too(self, site: Site):
        by_text = site.tfs("toy", {"signature_name": "text", "instances": [{**ROW, "text": "The cat sat."}]})
        assert by_text.json == site.tfs("toy", {"instances": [ROW]}).json


class TestColumns:
    def test_named_columns_give_named_columns(self, site: Site):
        rows = [ROW, {"text": [5, 6, 7], "numbers": [1, 2, 3]}]
        columns = {name: [row[name] for row in rows] for name in ROW}
        by_column = site.tfs("toy", {"inputs": columns}).json["outputs"]
        by_row = site.tfs("toy", {"instances": rows}).json["predictions"]
        assert by_column == {name: [row[name] for row in by_row] for name in ("score", "mood", "sure")}

    def test_one_output_goes_without_its_name(self, site: Site):
        assert site.tfs("fake", {"inputs": {"x": [[1, 2], [3, 4]]}}).json == {"outputs": [[5.0], [11.0]]}

    def test_one_input_needs_no_name(self, site: Site):
        assert site.tfs("fake", {"inputs": [[1, 2]]}).json == {"outputs": [[5.0]]}

    def test_names_the_model_lacks_are_ignored(self, site: Site):
        assert site.tfs("fake", {"inputs": {"x": [[1]], "foo": 7}}).json == {"outputs": [[1.0]]}

    @pytest.mark.parametrize(
        ("model", "inputs", "message"),
        [
            ("toy", {"text": [[2]]}, "Missing named input: numbers in 'inputs' object."),
            ("toy", [[2]], "inputs is a plain value/list, but expecting an object"),
            ("toy", {"text": [[2]], "numbers": 7}, "/inputs/numbers: expected a list of rows, got 7"),
            ("toy", {"text": [], "numbers": []}, "/inputs/text: expected a list of rows, got a list of 0"),
            ("toy", {"text": [[2], [3]], "numbers": [NUMBERS]}, "expected as many rows of every input, got [1, 2]"),
            ("fake", 7, "/inputs/x: expected a list of rows, got 7"),
            ("fake", {"x": [[1], [True]]}, "/inputs/x/1/0: expected a number, got true"),
            ("fake", [[1], [True]], "/inputs/1/0: expected a number, got true"),
        ],
        ids=["missing", "bare", "no list", "empty", "unequal", "bare value", "wrong element", "wrong bare element"],
    )
    def test_wrong_columns_are_told(self, site: Site, model, inputs, message):
        response = site.tfs(model, {"inputs": inputs})
        assert response.status_code == 400
        assert message in error(response)

    def test_outputs_of_unequal_shapes_make_no_column(self, toy_folder):
        twice = fakes.FakeEngine(
            fakes.Signature(fakes.specs(x=("float32", (None, None))), fakes.specs(y=("float32", (None, None)))),
            lambda inputs: {"y": inputs["x"] * 2},
        )
        hand = fakes.Hand()
        site = Site(toy_folder, [fakes.handle(twice, hand, name="twice")])
        site.hand.drivers += hand.drivers
        assert site.tfs("twice", {"instances": [[1], [2, 3]]}).json == {"predictions": [[2.0], [4.0, 6.0]]}
        response = site.tfs("twice", {"inputs": [[1], [2, 3]]})
        assert response.status_code == 400
        assert "rows of y differ in shape; ask by row" in error(response)


class TestEnvelope:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ([], "expected a JSON object with 'instances' or 'inputs', got a list of 0"),
            ({}, "expected exactly one of 'instances' and 'inputs'"),
            ({"instances": [[1]], "inputs": [[1]]}, "expected exactly one of 'instances' and 'inputs'"),
            ({"instances": []}, "No values in 'instances' array"),
            ({"instances": {"x": 1}}, "expected 'instances' to be a list, got an object"),
            (
                {"signature_name": 7, "instances": [[1]]},
                "When specified, 'signature_name' key must be a string value.",
            ),
            (
                {"signature_name": "x", "instances": [[1]]},
                'Serving signature name: "x" not found in signature def',
            ),
            (
                {"signature_name": "text", "instances": [[1]]},
                'Serving signature name: "text" not found in signature def',
            ),
        ],
        ids=["list", "neither", "both", "no rows", "object", "number", "unknown", "text of a model without words"],
    )
    def test_a_wrong_envelope_is_told(self, site: Site, body, message):
        response = site.tfs("fake", body)
        assert response.status_code == 400
        assert error(response) == message

    def test_other_keys_are_ignored(self, site: Site):
        assert site.tfs("fake", {"instances": [[1]], "comment": "hello"}).status_code == 200

    @pytest.mark.parametrize("name", ["", "serving_default"])
    def test_the_signature_may_be_named(self, site: Site, name):
        assert site.tfs("fake", {"signature_name": name, "instances": [[1]]}).status_code == 200

    def test_too_many_rows_by_column_are_refused(self, site: Site):
        response = site.tfs("fake", {"inputs": [[1]] * (MAX_QUEUE_ROWS + 1)})
        assert response.status_code == 400
        assert f"expected at most {MAX_QUEUE_ROWS} rows" in error(response)


@pytest.fixture(scope="module")
def echo(toy_folder) -> Site:
    """A service with a model that gives the site's own `numbers`."""
    numbers: list[float] = []
    signature = fakes.Signature(fakes.specs(x=("float32", (None, 1))), fakes.specs(y=("float32", (None,))))
    engine = fakes.FakeEngine(signature, lambda inputs: {"y": np.array(numbers[: len(inputs["x"])], np.float32)})
    hand = fakes.Hand()
    made = fakes.handle(engine, hand, name="echo", max_batch_rows=32)
    site = Site(toy_folder, [made])
    site.hand.drivers += hand.drivers
    site.numbers = numbers
    return site


class TestNumbersAndStrings:
    def test_whole_floats_have_a_point(self, site: Site):
        assert b"[5.0]" in site.tfs("fake", {"instances": [[1, 2]]}).data

    @pytest.mark.parametrize(
        ("value", "token"), [(np.nan, b"NaN"), (np.inf, b"Infinity"), (-np.inf, b"-Infinity")], ids=str
    )
    def test_what_is_not_finite_is_a_bare_token(self, toy_folder, value, token):
        engine = fakes.FakeEngine(function=lambda inputs: {"y": inputs["x"][:, :1].astype("float64") * value})
        hand = fakes.Hand()
        site = Site(toy_folder, [fakes.handle(engine, hand, name="odd")])
        site.hand.drivers += hand.drivers
        by_row = site.tfs("odd", {"instances": [[1]]})
        assert by_row.data.replace(b" ", b"").replace(b"\n", b"") == b'{"predictions":[[%s]]}' % token
        by_column = site.tfs("odd", {"inputs": [[1]]})
        assert by_column.data.replace(b" ", b"").replace(b"\n", b"") == b'{"outputs":[[%s]]}' % token

    @pytest.mark.parametrize("form", ["instances", "inputs"])
    def test_every_dtype_goes_in_and_comes_out(self, site: Site, form):
        row = {
            "flag": [True],
            "byte": [-128],
            "count": [2**64 - 1],
            "half": [0.5],
            "image": [[1.0, 2.0], [3.0, 4.5]],
            "name": "Zoë",
        }
        out = {name: value for name, value in row.items() if name != "byte"}
        if form == "instances":
            assert site.tfs("every", {"instances": [row]}).json == {"predictions": [out]}
        else:
            columns = {name: [value] for name, value in row.items()}
            assert site.tfs("every", {"inputs": columns}).json == {
                "outputs": {name: [value] for name, value in out.items()}
            }

    @given(values=st.lists(st.floats(width=32), min_size=1, max_size=20))
    @example(values=[0.1, 1.0, -0.0, 9e6, 3e-5, 999999.0, 1e-45, 3.4028234663852886e38])
    def test_every_float_reads_back_as_itself_and_as_a_float(self, echo: Site, values):
        echo.numbers[:] = values
        tokens: list[str] = []
        response = echo.tfs("echo", {"instances": [[0]] * len(values)})
        read = json.loads(response.data, parse_float=lambda token: tokens.append(token) or float(token))
        back = np.array(read["predictions"], np.float32)
        assert np.array_equal(back, np.array(values, np.float32), equal_nan=True)
        assert np.array_equal(np.signbit(back), np.signbit(np.array(values, np.float32))) or np.isnan(back).any()
        assert len(tokens) == np.isfinite(back).sum()


class TestBytes:
    """Strings may be any bytes, in base64; an output whose name ends in _bytes always is."""

    @pytest.fixture
    def strings(self, toy_folder) -> Site:
        signature = fakes.Signature(
            fakes.specs(s=("object", (None,))),
            fakes.specs(plain=("object", (None,)), raw_bytes=("object", (None,))),
        )

        def both(inputs):
            given = np.array([s if isinstance(s, bytes) else s.encode() for s in inputs["s"]], object)
            return {"plain": given, "raw_bytes": given}

        hand = fakes.Hand()
        site = Site(toy_folder, [fakes.handle(fakes.FakeEngine(signature, both), hand, name="strings")])
        site.hand.drivers += hand.drivers
        return site

    @pytest.mark.parametrize("given", ["Zo\u00eb", {"b64": "Wm/Dqw=="}], ids=["text", "base64"])
    def test_text_and_base64_are_the_same_string(self, strings: Site, given):
        expected = {"plain": "Zoë", "raw_bytes": {"b64": "Wm/Dqw=="}}
        assert strings.tfs("strings", {"instances": [given]}).json == {"predictions": [expected]}
        assert strings.tfs("strings", {"instances": [{"s": given}]}).json == {"predictions": [expected]}
        columns = {name: [value] for name, value in expected.items()}
        assert strings.tfs("strings", {"inputs": {"s": [given]}}).json == {"outputs": columns}
        assert strings.tfs("strings", {"inputs": [given]}).json == {"outputs": columns}

    def test_bytes_that_are_no_text_come_back_whole_under_such_a_name_only(self, strings: Site):
        [row] = strings.tfs("strings", {"instances": [{"b64": "/w=="}]}).json["predictions"]
        assert row == {"plain": "\ufffd", "raw_bytes": {"b64": "/w=="}}

    @pytest.mark.parametrize("given", ["%", "a", "Ⓐ"])
    def test_what_is_no_base64_is_refused(self, strings: Site, given):
        response = strings.tfs("strings", {"instances": [{"b64": given}]})
        assert response.status_code == 400
        assert "/instances/0" in error(response)

    def test_other_inputs_take_no_base64(self, site: Site):
        response = site.tfs("fake", {"instances": [{"x": {"b64": "AAAA"}}]})
        assert response.status_code == 400
        assert "got an object" in error(response)


@pytest.fixture
def heads(toy_folder, shop_folder) -> Site:
    """A service with models whose cards give Classify and Regress a meaning: mood, sure and size have one output."""
    hand = fakes.Hand()
    signature = {"mood": (None, 3), "sure": (None, 1), "size": (None, 1)}
    outputs = {
        "mood": ProbabilitiesOutput(("calm", "happy", "sad")),
        "sure": ProbabilityOutput(("no", "yes")),
        "size": NumberOutput(),
    }
    made = []
    for name, shape in signature.items():
        specs = fakes.specs(
            flag=("bool", (None,)), count=("int64", (None, 2)), x=("float32", (None, None)), s=("object", (None,))
        )

        def answer(inputs, width=shape[1]):
            total = inputs["x"].sum(axis=1) + inputs["count"].sum(axis=1) + inputs["flag"]
            return {"y": (total[:, np.newaxis] / [2.0, 4.0, 8.0][:width]).astype(np.float32)}

        engine = fakes.FakeEngine(fakes.Signature(specs, fakes.specs(y=("float32", shape))), answer, immune=True)
        made.append(fakes.handle(engine, hand, name=name, card=Card(outputs={"y": outputs[name]})))
    site = Site(toy_folder, made)
    site.hand.drivers += hand.drivers
    return site


FEATURES = {"flag": False, "count": [1, 2], "x": [0.5, 0.25, 0.25], "s": "a"}


class TestClassifyAndRegress:
    def ask(self, site: Site, method: str, body: Any, model: str = "toy"):
        return site.client.post(f"/v1/models/{model}:{method}", json=body)

    def test_a_probability_per_label_gives_labels_and_scores_in_the_cards_order(self, heads: Site):
        response = self.ask(heads, "classify", {"examples": [FEATURES, FEATURES | {"flag": True}]}, "mood")
        assert response.json == {
            "results": [
                [["calm", 2.0], ["happy", 1.0], ["sad", 0.5]],
                [["calm", 2.5], ["happy", 1.25], ["sad", 0.625]],
            ]
        }
        assert response.headers["X-Model-Version"] == "1"

    def test_one_probability_gives_both_labels(self, heads: Site):
        small = {"flag": 0, "count": [0, 0], "x": [0.5], "s": "a"}
        response = self.ask(heads, "classify", {"examples": [small]}, "sure")
        assert response.json == {"results": [[["no", 0.75], ["yes", 0.25]]]}

    def test_a_number_gives_values(self, heads: Site):
        response = self.ask(heads, "regress", {"examples": [FEATURES, FEATURES | {"x": 3}, FEATURES]}, "size")
        assert response.json == {"results": [2.0, 3.0, 2.0]}

    def test_the_context_is_part_of_every_example_which_may_say_otherwise(self, heads: Site):
        examples = [
            {"x": [1.0], "s": "a"},
            {"x": [3.0], "s": ["b"], "count": [0, 2]},
            {"x": [1.0], "s": {"b64": "/w=="}},
        ]
        body = {"context": {"flag": True, "count": [1, 1], "unused": [0.5]}, "examples": examples}
        assert self.ask(heads, "regress", body, "size").json == {"results": [2.0, 3.0, 2.0]}

    def test_of_several_outputs_the_signature_names_one(self, site: Site):
        body = {"examples": [{"text": "the cat sat", "numbers": NUMBERS}]}
        expected = site.answer("the cat sat", NUMBERS)
        mood = self.ask(site, "classify", body | {"signature_name": "mood"}).json["results"]
        assert [[label, pytest.approx(score)] for label, score in zip(MOODS, expected["mood"], strict=True)] == mood[0]
        score = self.ask(site, "regress", body | {"signature_name": "score"}).json["results"]
        assert score == [pytest.approx(expected["score"].item())]

    def test_the_same_row_is_the_same_by_predict(self, site: Site):
        by_example = self.ask(site, "regress", {"signature_name": "score", "examples": [ROW]}).json["results"]
        [row] = site.tfs("toy", {"instances": [ROW]}).json["predictions"]
        assert by_example == row["score"]

    @pytest.mark.parametrize(
        ("method", "model", "signature", "message"),
        [
            (
                "classify",
                "toy",
                "score",
                "Expected classification signature method_name to be tensorflow/serving/classify",
            ),
            ("classify", "toy", "", "Expected classification signature method_name to be tensorflow/serving/classify"),
            ("regress", "toy", "mood", "Expected regression signature method_name to be tensorflow/serving/regress"),
            ("regress", "fake", "", "Expected regression signature method_name to be tensorflow/serving/regress"),
            ("regress", "toy", "x", 'Serving signature name: "x" not found in signature def'),
            ("classify", "fake", "x", 'Serving signature name: "x" not found in signature def'),
        ],
    )
    def test_what_has_no_such_meaning_is_refused_in_its_words(self, site: Site, method, model, signature, message):
        response = self.ask(site, method, {"signature_name": signature, "examples": [ROW]}, model)
        assert response.status_code == 400
        assert error(response).startswith(message)

    @pytest.mark.parametrize("method", ["classify", "regress"])
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ([], "expected a JSON object with 'examples', got a list of 0"),
            ({}, "When method is {method}, key 'examples' is expected and was not found"),
            ({"instances": [1]}, "When method is {method}, key 'examples' is expected and was not found"),
            ({"examples": {}}, "Expecting 'examples' value to be an list/array"),
            ({"examples": []}, "'examples' value is an empty array"),
            ({"examples": [7]}, "Example must be JSON object but got JSON Number"),
            ({"examples": [{}], "context": [1]}, "Example must be JSON object but got JSON Array"),
            ({"examples": [{"x": None}]}, "Feature: x has element with unexpected JSON type: Null"),
            ({"examples": [{"x": [[1]]}]}, "Feature: x has element with unexpected JSON type: Array"),
            ({"examples": [{"x": {"y": 1}}]}, "Feature: x has element with unexpected JSON type: Object"),
            ({"examples": [{"x": [1, 2.5]}]}, "Unexpected element type in feature: x expecting type: int64"),
            ({"examples": [{"x": [2.5, 1]}]}, "Unexpected element type in feature: x expecting type: float"),
            ({"examples": [{"x": ["a", True]}]}, "Unexpected element type in feature: x expecting type: bytes"),
            ({"examples": [{"x": [2**63]}]}, "Feature: x has uint64 element. Only int64 is supported."),
            ({"examples": [{"s": {"b64": "%"}}]}, "Feature: s has a value that is no base64"),
            ({"examples": [{}], "signature_name": 7}, "When specified, 'signature_name' key must be a string value."),
            ({"examples": [{}] * (MAX_QUEUE_ROWS + 1)}, f"expected at most {MAX_QUEUE_ROWS} rows in one request"),
        ],
    )
    def test_wrong_examples_are_told_in_its_words(self, heads: Site, method, body, message):
        response = self.ask(heads, method, body, "mood" if method == "classify" else "size")
        assert response.status_code == 400
        assert error(response).startswith(message.format(method=method))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"count": [1]}, "/examples/1/count: expected values of shape [2], where -1 is any size, got a list of 1"),
            ({"s": ["a", "b"]}, "/examples/1/s: expected one string, got 2"),
            ({"flag": 2}, "/examples/1/flag: expected true or false, got 2"),
            ({"count": ["a", "b"]}, '/examples/1/count/0: expected an integer, got the string "a"'),
            ({"x": []}, "/examples/1/x: expected at least 1 elements, got 0"),
        ],
    )
    def test_a_feature_that_is_no_row_is_named_with_its_place(self, heads: Site, change, message):
        response = self.ask(heads, "regress", {"examples": [FEATURES, FEATURES | change]}, "size")
        assert response.status_code == 400
        assert error(response) == message

    def test_a_missing_input_is_named_with_its_place(self, heads: Site):
        response = self.ask(
            heads, "regress", {"examples": [{name: FEATURES[name] for name in ("x", "s", "flag")}]}, "size"
        )
        assert error(response) == "/examples/0/count: missing input 'count'"

    def test_values_do_not_tell_a_shape_of_two_open_axes(self, toy_folder):
        hand = fakes.Hand()
        signature = fakes.Signature(
            fakes.specs(x=("float32", (None, None, None))), fakes.specs(y=("float64", (None, 1)))
        )
        only = fakes.handle(fakes.FakeEngine(signature), hand, name="only", card=Card(outputs={"y": NumberOutput()}))
        site = Site(toy_folder, [only])
        response = self.ask(site, "regress", {"examples": [{"x": [1.0, 2.0]}]}, "only")
        assert response.status_code == 400
        assert "cannot be told from a list of values; use :predict" in error(response)


class TestStatusAndMetadata:
    def test_the_status_lists_every_version(self, site: Site):
        assert site.client.get("/v1/models/toy").json == {
            "model_version_status": [
                {"version": number, "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
                for number in ("3", "2")
            ]
        }

    def test_the_status_of_one_version_is_its_own(self, site: Site):
        [one] = site.client.get("/v1/models/toy/versions/2").json["model_version_status"]
        assert one["version"] == "2"

    def test_a_version_that_could_not_be_loaded_has_ended_with_the_reason(self, site: Site):
        site.refuse()
        assert site.client.get("/v1/models/fake").json["model_version_status"] == [
            {
                "version": "1",
                "state": "END",
                "status": {"error_code": "UNKNOWN", "error_message": "OSError: no such file"},
            }
        ]

    def test_metadata_is_the_signatures(self, site: Site):
        def tensor(name, dtype, *sizes):
            dims = [{"size": size, "name": ""} for size in sizes]
            shape = {"dim": dims, "unknown_rank": False}
            return {"dtype": dtype, "tensor_shape": shape, "name": f"{name}:0"}

        signature = {
            "inputs": {
                "text": tensor("text", "DT_INT32", "-1", "-1"),
                "numbers": tensor("numbers", "DT_FLOAT", "-1", "3"),
            },
            "outputs": {
                "score": tensor("score", "DT_FLOAT", "-1", "1"),
                "mood": tensor("mood", "DT_FLOAT", "-1", "3"),
                "sure": tensor("sure", "DT_FLOAT", "-1", "1"),
            },
            "method_name": "tensorflow/serving/predict",
            "defaults": {},
        }
        inputs = signature["inputs"] | {"text": tensor("text", "DT_STRING", "-1")}
        of_strings = signature | {"inputs": inputs}
        assert site.client.get("/v1/models/toy/metadata").json == {
            "model_spec": {"name": "toy", "signature_name": "", "version": "3"},
            "metadata": {"signature_def": {"signature_def": {"serving_default": signature, "text": of_strings}}},
        }
        assert site.client.get("/v1/models/fake/metadata").json["metadata"]["signature_def"][
            "signature_def"
        ].keys() == {"serving_default"}

    def test_metadata_has_a_word_for_every_dtype(self, site: Site):
        shown = site.client.get("/v1/models/every/metadata").json
        inputs = shown["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]
        assert {name: info["dtype"] for name, info in inputs.items()} == {
            "flag": "DT_BOOL",
            "byte": "DT_INT8",
            "count": "DT_UINT64",
            "half": "DT_HALF",
            "image": "DT_FLOAT",
            "name": "DT_STRING",
        }

    def test_answers_are_laid_out_for_people(self, site: Site):
        assert b'\n    "model_version_status": [' in site.client.get("/v1/models/toy").data
