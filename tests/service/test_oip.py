"""The Open Inference Protocol V2 over REST, its tensors in JSON."""

import base64
import json
import shutil
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from werkzeug.test import TestResponse

from service import VERSION, loading
from service.access.guard import Guard
from service.access.keyring import Keyring
from service.access.keys import Scope
from service.app import create_app
from service.dialects.oip.tensors import DATATYPES
from service.engines.onnx import TWIN
from service.settings import Settings
from service.versions import memory
from service.versions.catalog import Catalog
from service.versions.repository import Repository
from service.versions.served import State
from service.versions.store import Version
from service.versions.told import Folder
from service.versions.trial import Trial
from service.versions.wishes import Wishes
from tests.service import artifacts, fakes, oip
from tests.service.fakes import Hand
from tests.service.keys import granted
from tests.service.oip import client_of, error, in_bytes, infer, mirror_of, outputs, strings, tensor
from tests.service.site import MAX_BODY_BYTES, MAX_QUEUE_ROWS, Site

X = tensor("x", "FP32", [[1, 2], [3, 4]])
NUMERIC = {name: dtype for name, dtype in oip.DATATYPES.items() if name != "BYTES"}
NUMBERS = [[0.5, -1.0, 2.0], [1.0, 2.0, 3.0]]


class TestServer:
    def test_metadata_names_the_service_and_its_extensions(self, site: Site):
        extensions = ["binary_tensor_data", "model_repository", "parameters"]
        assert site.client.get("/v2").json == {"name": "manifold", "version": VERSION, "extensions": extensions}

    def test_the_version_is_the_projects(self):
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
        assert project["version"] == VERSION

    def test_it_is_live_and_ready_in_words_that_parse(self, site: Site):
        assert site.client.get("/v2/health/live").json == {"live": True}
        assert site.client.get("/v2/health/ready").json == {"ready": True}

    def test_a_model_that_cannot_be_served_makes_it_unready(self, site: Site):
        site.refuse()
        response = site.client.get("/v2/health/ready")
        assert response.status_code == 503
        assert response.json == {"ready": False}
        assert site.client.get("/v2/health/live").status_code == 200

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v2/foo", 404),
            ("GET", "/v2/", 404),
            ("GET", "/v2/models/toy/", 404),
            ("POST", "/v2", 405),
            ("GET", "/v2/models/toy/infer", 405),
            ("PUT", "/v2/models/toy", 405),
            ("GET", "/v2/repository/index", 405),
        ],
    )
    def test_what_is_no_call_is_refused_in_its_shape(self, site: Site, method, path, status):
        response = site.client.open(path, method=method)
        assert error(response, status)
        assert ("Allow" in response.headers) is (status == 405)


class TestModel:
    @pytest.mark.parametrize("path", ["/v2/models/toy", "/v2/models/toy/versions/2"])
    def test_metadata_is_the_signature(self, site: Site, path):
        assert site.client.get(path).json == {
            "name": "toy",
            "versions": ["3", "2"],
            "platform": "onnxruntime_onnx",
            "inputs": [
                {"name": "text", "datatype": "INT32", "shape": [-1, -1]},
                {"name": "numbers", "datatype": "FP32", "shape": [-1, 3]},
            ],
            "outputs": [
                {"name": "score", "datatype": "FP32", "shape": [-1, 1]},
                {"name": "mood", "datatype": "FP32", "shape": [-1, 3]},
                {"name": "sure", "datatype": "FP32", "shape": [-1, 1]},
            ],
        }

    def test_metadata_has_a_word_for_every_dtype(self, site: Site):
        inputs = site.client.get("/v2/models/every").json["inputs"]
        assert [one["datatype"] for one in inputs] == ["BOOL", "INT8", "UINT64", "FP16", "FP32", "BYTES"]

    @pytest.mark.parametrize("path", ["/v2/models/toy/ready", "/v2/models/toy/versions/2/ready"])
    def test_it_is_ready(self, site: Site, path):
        assert site.client.get(path).json == {"name": "toy", "ready": True}

    def test_one_that_could_not_be_loaded_is_not_ready(self, site: Site):
        site.refuse()
        response = site.client.get("/v2/models/fake/ready")
        assert response.status_code == 503
        assert response.json == {"name": "fake", "ready": False}
        assert error(site.client.get("/v2/models/fake"), 503) == "fake could not be loaded"

    @pytest.mark.parametrize("call", ["", "/ready"])
    def test_one_that_is_not_served_is_not_found(self, site: Site, call):
        assert "no model 'nobody' is served" in error(site.client.get(f"/v2/models/nobody{call}"), 404)

    @pytest.mark.parametrize("version", ["50", "new", "-1", "1.0", "٣", "9" * 5000])
    @pytest.mark.parametrize("call", ["", "/ready"])
    def test_a_version_that_is_not_served_is_not_found(self, site: Site, version, call):
        message = error(site.client.get(f"/v2/models/toy/versions/{version}{call}"), 404)
        assert message.startswith("toy is not served in version")
        assert message.endswith("there is 3, 2")
        assert len(message) < 100


class TestRepository:
    @pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": false}'])
    def test_the_index_lists_every_version(self, site: Site, body):
        response = site.client.post("/v2/repository/index", data=body)
        assert [(one["name"], one["version"]) for one in response.json] == [
            ("toy", "3"),
            ("toy", "2"),
            ("fake", "1"),
            ("every", "1"),
        ]
        assert all((one["state"], one["reason"]) == ("READY", "") for one in response.json)

    def test_what_is_not_ready_says_why(self, site: Site):
        site.refuse()
        site.catalog.versions("every")[1].state = State.LOADING
        listed = {one["name"]: one for one in site.client.post("/v2/repository/index").json}
        assert listed["fake"]["state"] == listed["every"]["state"] == "UNAVAILABLE"
        assert listed["fake"]["reason"] == "OSError: no such file"
        assert listed["every"]["reason"] == "loading"

    def test_it_can_list_the_ready_alone(self, site: Site):
        site.refuse()
        response = site.client.post("/v2/repository/index", json={"ready": True})
        assert {one["name"] for one in response.json} == {"toy", "every"}

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"[]", "expected an object"),
            (b'{"ready": 1}', "/ready: expected true or false, got 1"),
            (b"{", "not JSON"),
        ],
    )
    def test_a_filter_that_is_none_is_refused(self, site: Site, body, words):
        assert words in error(site.client.post("/v2/repository/index", data=body))

    @pytest.mark.parametrize("call", ["load", "unload"])
    def test_admin_calls_are_off(self, site: Site, call):
        message = error(site.client.post(f"/v2/repository/models/toy/{call}"), 403)
        assert message.startswith("admin calls are off")
        error(site.client.post(f"/v2/repository/models/nobody/{call}"), 404)


class TestLoading:
    """A toy in version 3, of whose store versions come and go."""

    @pytest.fixture
    def store(self, tmp_path: Path, toy_folder: Path) -> Path:
        shutil.copytree(toy_folder, tmp_path / "store" / "toy" / "3")
        return tmp_path / "store"

    @pytest.fixture
    def client(self, store: Path, tmp_path: Path) -> FlaskClient:
        settings, hand = Settings(store=str(store), engine="onnx"), Hand()
        load = partial(loading.load, settings=settings, choose_driver=lambda _: hand)
        trial = Trial(load, tmp_path / "loading", partial(loading.weight, settings=settings), memory.read)
        catalog = Catalog([], trial, grace=0)
        repository = Repository(catalog, Wishes.of(settings), Folder(tmp_path / "served"), trial)
        repository.follow()
        catalog.load_all()
        key = granted(tmp_path / "keys.json", "ops", *Scope)
        guard = Guard(Keyring(tmp_path / "keys.json"), tmp_path / "places")
        client = create_app(settings, catalog, hand.wait, repository, guard).test_client()
        client.environ_base["HTTP_X_API_KEY"] = key
        return client

    def index(self, client: FlaskClient) -> list[tuple[str, str, str]]:
        return [(one["version"], one["state"], one["reason"]) for one in client.post("/v2/repository/index").json]

    def change(self, client: FlaskClient, verb: str, status: int = 200, model: str = "toy", **body: Any) -> Any:
        response = client.post(f"/v2/repository/models/{model}/{verb}", **body)
        assert response.status_code == status, response.text
        return response.json

    def predict(self, client: FlaskClient) -> TestResponse:
        return client.post("/predict/toy", json={"text": "cat", "numbers": [1, 2, 3]})

    def test_a_model_is_unloaded_and_loaded_again(self, client: FlaskClient):
        before = self.predict(client).json
        for _ in range(2):
            assert self.change(client, "unload") == {}
        assert self.index(client) == [("3", "UNAVAILABLE", "unloaded")]
        assert self.predict(client).status_code == 404
        assert client.get("/v2/models/toy/ready").status_code == 404
        assert client.get("/readyz").status_code == 200
        [status] = client.get("/v1/models/toy").json["model_version_status"]
        assert (status["state"], status["status"]["error_code"]) == ("END", "OK")
        assert client.post("/v1/models/toy:predict", json={"instances": []}).status_code == 404
        for _ in range(2):
            assert self.change(client, "load", data=b"{}") == {}
        assert self.index(client) == [("3", "READY", "")]
        assert self.predict(client).json == before

    def test_a_new_version_takes_over(self, client: FlaskClient, store: Path):
        shutil.copytree(store / "toy" / "3", store / "toy" / "4")
        self.change(client, "load")
        assert self.index(client) == [("4", "READY", ""), ("3", "UNAVAILABLE", "unloaded")]
        assert self.predict(client).headers["X-Model-Version"] == "4"
        assert client.get("/v2/models/toy").json["versions"] == ["4"]
        assert error(client.get("/v2/models/toy/versions/3"), 404) == "toy is unloaded in version 3"

    def test_a_version_with_wrong_answers_never_serves(self, client: FlaskClient, store: Path, tmp_path: Path):
        wrong = artifacts.toy(tmp_path, golden_off_by=0.01)
        shutil.copytree(wrong, store / "toy" / "4")
        message = self.change(client, "load", 400)["error"]
        assert message.startswith("toy cannot be loaded: ")
        assert "off the golden answers" in message
        assert self.index(client) == [
            ("4", "UNAVAILABLE", message.removeprefix("toy cannot be loaded: ")),
            ("3", "READY", ""),
        ]
        assert self.predict(client).status_code == 200
        assert client.get("/readyz").status_code == 200

    def test_a_damaged_version_never_serves_and_tells_no_paths(self, client: FlaskClient, store: Path):
        shutil.copytree(store / "toy" / "3", store / "toy" / "4")
        (store / "toy" / "4" / TWIN).write_bytes(b"no model")
        message = self.change(client, "load", 400)["error"]
        assert str(store.parent) not in message
        assert "toy" in message
        assert self.predict(client).status_code == 200

    def test_what_is_not_in_the_store_is_not_found(self, client: FlaskClient, store: Path):
        for verb in ("load", "unload"):
            assert "nobody" in self.change(client, verb, 404, "nobody")["error"]
        shutil.rmtree(store / "toy")
        self.change(client, "load", 404)
        assert self.index(client) == [("3", "READY", "")]
        self.change(client, "unload")

    def test_a_model_is_served_as_it_lies_in_the_store_or_not_at_all(self, client: FlaskClient):
        self.change(client, "unload", json={"parameters": {"unload_dependents": True}})
        told = self.change(client, "load", 400, json={"parameters": {"config": "{}", "file:1/model.onnx": ""}})
        assert "/parameters/config: there is no such parameter" in told["error"]
        assert "/parameters/file:1~1model.onnx" in told["error"]
        self.change(client, "load", 400, json={"parameters": []})
        self.change(client, "load", 400, json=[])
        self.change(client, "unload", 400, data=b"{")
        assert self.index(client) == [("3", "UNAVAILABLE", "unloaded")]


class TestInference:
    def test_an_answer_has_all_the_protocol_wants(self, site: Site):
        response = infer(site.client, "fake", {"id": "seven", "inputs": [X]})
        assert response.json == {
            "model_name": "fake",
            "model_version": "1",
            "id": "seven",
            "outputs": [{"name": "y", "datatype": "FP64", "shape": [2, 1], "data": [5.0, 11.0]}],
        }
        assert response.headers["X-Model-Version"] == "1"
        assert "infer;dur=" in response.headers["Server-Timing"]

    def test_a_version_is_chosen_by_its_path(self, site: Site):
        for version in ("2", "3"):
            inputs = [tensor("text", "INT32", [[2]]), tensor("numbers", "FP32", NUMBERS[:1])]
            response = infer(site.client, f"toy/versions/{version}", {"inputs": inputs})
            assert response.json["model_version"] == version

    def test_the_batch_is_the_request_itself(self, site: Site):
        infer(site.client, "fake", {"inputs": [X]})
        [call] = site.engine.calls
        assert call["x"].tolist() == [[1, 2], [3, 4]]
        assert call["x"].base is not None  # no row was taken out and put back

    def test_more_rows_than_a_batch_are_answered_in_their_order(self, site: Site):
        rows = [[number] for number in range(MAX_QUEUE_ROWS)]
        response = infer(site.client, "fake", {"inputs": [tensor("x", "FP32", rows)]})
        assert outputs(response)["y"].tolist() == rows
        assert [len(call["x"]) for call in site.engine.calls] == [8, 8, 8, 8]

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
    def test_the_type_of_the_body_does_not_matter(self, site: Site, content_type):
        headers = {"Content-Type": content_type}
        response = site.client.post("/v2/models/fake/infer", data=json.dumps({"inputs": [X]}), headers=headers)
        assert response.status_code == 200

    def test_optional_members_may_be_null(self, site: Site):
        body = {"id": None, "parameters": None, "outputs": None, "inputs": [{**X, "parameters": None}]}
        assert "id" not in infer(site.client, "fake", body).json

    def test_other_members_are_ignored(self, site: Site):
        assert infer(site.client, "fake", {"model_name": "fake", "comment": [1], "inputs": [X]}).status_code == 200

    def test_inputs_may_come_in_any_order(self, site: Site):
        inputs = [tensor("text", "INT32", [[2, 3]]), tensor("numbers", "FP32", NUMBERS[:1])]
        answers = [infer(site.client, "toy", {"inputs": some}).json["outputs"] for some in (inputs, inputs[::-1])]
        assert answers[0] == answers[1]

    def test_numbers_that_are_not_finite_come_out_as_null(self):
        hand = fakes.Hand()
        odd = fakes.FakeEngine(function=lambda _: {"y": np.array([[np.nan], [np.inf]])})
        response = infer(client_of(fakes.handle(odd, hand), hand=hand), "fake", {"inputs": [X]})
        assert response.json["outputs"][0]["data"] == [None, None]

    def test_rows_whose_outputs_differ_in_shape_make_no_tensor(self):
        hand = fakes.Hand()
        grows = fakes.FakeEngine(function=lambda inputs: {"y": np.ones((len(inputs["x"]), int(inputs["x"][0, 0])))})
        client = client_of(fakes.handle(grows, hand, max_batch_rows=1), hand=hand)
        assert outputs(infer(client, "fake", {"inputs": [tensor("x", "FP32", [[2], [2]])]}))["y"].shape == (2, 2)
        message = error(infer(client, "fake", {"inputs": [tensor("x", "FP32", [[2], [3]])]}))
        assert message.startswith("the rows of y differ in shape")


class TestInputsOnTheCard:
    def test_ids_are_answered_as_ever(self, site: Site):
        inputs = [tensor("text", "INT32", [[2, 3, 4], [5, 6, 7]]), tensor("numbers", "FP32", NUMBERS)]
        found = outputs(infer(site.client, "toy", {"inputs": inputs}))
        expected = [site.answer("the cat sat", NUMBERS[0]), site.answer("on mat good", NUMBERS[1])]
        for name, array in found.items():
            assert array == pytest.approx(np.array([one[name] for one in expected]))

    def test_padding_changes_nothing(self, site: Site):
        padded = [tensor("text", "INT32", [[2, 3, 4], [5, 0, 0]]), tensor("numbers", "FP32", NUMBERS)]
        found = outputs(infer(site.client, "toy", {"inputs": padded}))
        assert found["score"][1] == pytest.approx(site.answer("on", NUMBERS[1])["score"])

    @pytest.mark.parametrize("shape", [(2,), (2, 1)])
    def test_text_works_here_too(self, site: Site, shape):
        texts = np.array(["The cat sat.", "on"], object).reshape(shape)
        inputs = [tensor("text", "BYTES", texts), tensor("numbers", "FP32", NUMBERS)]
        found = outputs(infer(site.client, "toy", {"inputs": inputs}))
        assert found["score"][0] == pytest.approx(site.answer("the cat sat", NUMBERS[0])["score"])
        assert found["score"][1] == pytest.approx(site.answer("on", NUMBERS[1])["score"])

    def test_what_only_the_card_refuses_is_refused_with_its_place(self, site: Site):
        inputs = [tensor("text", "INT32", [[2, 3], [2, 99]]), tensor("numbers", "FP32", NUMBERS)]
        assert "/inputs/0/data/1/1: expected a token id from 0 to 9, got 99" in error(
            infer(site.client, "toy", {"inputs": inputs})
        )

    def test_an_input_that_is_not_on_the_card_takes_no_text(self, site: Site):
        inputs = [tensor("text", "BYTES", ["on"]), tensor("numbers", "BYTES", ["7"])]
        assert "/inputs/1/datatype: expected FP32, got" in error(infer(site.client, "toy", {"inputs": inputs}))


@pytest.fixture
def shop(shop_folder: Path) -> FlaskClient:
    """A service of the shop alone."""
    hand = fakes.Hand()
    handle = loading.load(Version("shop", 1, shop_folder), Settings(engine="onnx"), lambda _: hand)
    return client_of(handle, hand=hand)


class TestPicturesAndLabels:
    """The shop: a photo, a fabric by its label or number, days of numbers."""

    WORN = tensor("worn", "FP32", [[[0, 1], [1, 0.5]]])
    FABRIC = tensor("fabric", "INT32", [1])
    PHOTO = tensor("photo", "UINT8", [artifacts.PHOTO])

    def test_pixels_and_a_picture_are_the_same_and_so_are_a_number_and_its_label(self, shop):
        expected = outputs(infer(shop, "shop", {"inputs": [self.PHOTO, self.FABRIC, self.WORN]}))
        coded = artifacts.png(artifacts.PHOTO)
        picture, label = tensor("photo", "BYTES", [coded]), tensor("fabric", "BYTES", [["cotton"]])
        chunk = strings(base64.b64decode(coded))
        in_file = in_bytes("photo", "BYTES", [1], chunk)
        for found in (
            outputs(infer(shop, "shop", {"inputs": [picture, label, self.WORN]})),
            outputs(infer(shop, "shop", {"inputs": [in_file, label, self.WORN]}, chunk)),
        ):
            assert {name: array.tolist() for name, array in found.items()} == {
                name: array.tolist() for name, array in expected.items()
            }

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (tensor("fabric", "INT32", [7]), "/inputs/1/data/0: expected"),
            (tensor("fabric", "BYTES", ["felt"]), "/inputs/1/data/0: unknown label 'felt'"),
            (tensor("photo", "BYTES", ["felt"]), "/inputs/0/data/0: expected a PNG or JPEG"),
            (tensor("photo", "UINT8", [artifacts.PHOTO[:-1]]), "/inputs/0/shape: expected [-1, 4, 6, 3]"),
            (tensor("worn", "BYTES", ["1"]), "/inputs/2/data/0: expected"),
        ],
        ids=["number", "label", "picture", "size", "numbers"],
    )
    def test_what_only_the_card_refuses_is_refused(self, shop, wrong, words):
        right = {one["name"]: one for one in (self.PHOTO, self.FABRIC, self.WORN)}
        inputs = list((right | {wrong["name"]: wrong}).values())
        assert words in error(infer(shop, "shop", {"inputs": inputs}))


@pytest.mark.parametrize(
    "path",
    ["models/toy/config", "models/stats", "models/toy/stats", "systemsharedmemory/status", "trace/setting", "logging"],
)
def test_what_the_protocol_does_not_define_is_told_in_its_shape(site: Site, path):
    response = site.client.get(f"/v2/{path}")
    assert response.status_code == 404
    assert list(response.json) == ["error"]


class TestOutputs:
    INPUTS = (tensor("text", "INT32", [[2]]), tensor("numbers", "FP32", NUMBERS[:1]))

    def ask(self, site: Site, *asked):
        return infer(site.client, "toy", {"inputs": list(self.INPUTS), "outputs": list(asked)})

    def test_all_come_where_none_is_asked_for(self, site: Site):
        assert list(outputs(self.ask(site))) == ["score", "mood", "sure"]

    def test_those_asked_for_come_in_the_order_asked(self, site: Site):
        assert list(outputs(self.ask(site, {"name": "sure"}, {"name": "score"}))) == ["sure", "score"]

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ([{"name": "mod"}], "/outputs/0: unknown output 'mod', did you mean 'mood'?"),
            ([{"name": "sure"}, {"name": "sure"}], "/outputs/1: output 'sure' is asked for twice"),
            (["sure"], "/outputs/0: expected an object with a name"),
            ([{}], "/outputs/0/name: missing name"),
            ([{"name": 7}], "/outputs/0/name: expected a string, got 7"),
            (
                [{"name": "mood", "parameters": {"classification": 2}}],
                "/outputs/0/parameters/classification: classification is not served",
            ),
            (
                [{"name": "mood", "parameters": {"binary_data": 1}}],
                "/outputs/0/parameters/binary_data: expected true or false, got 1",
            ),
        ],
        ids=["unknown", "twice", "string", "nameless", "number", "classification", "binary_data"],
    )
    def test_what_is_no_output_is_refused(self, site: Site, asked, words):
        assert words in error(self.ask(site, *asked))

    def test_outputs_that_are_no_list_are_refused(self, site: Site):
        body = {"inputs": [X], "outputs": {"name": "y"}}
        assert "/outputs: expected a list of outputs, got an object" in error(infer(site.client, "fake", body))


class TestParameters:
    def test_what_the_service_does_not_use_stands_in_the_answer_again(self, site: Site):
        parameters = {"trace": "a", "number": 1.5, "on": True, "priority": 3, "timeout": 0, "sequence_id": 7}
        body = {
            "parameters": parameters,
            "inputs": [{**X, "parameters": {"scale": "m"}}],
            "outputs": [{"name": "y", "parameters": {"binary_data": False, "unit": "m"}}],
        }
        answer = infer(site.client, "fake", body).json
        assert answer["parameters"] == {"trace": "a", "number": 1.5, "on": True}
        assert answer["outputs"][0]["parameters"] == {"unit": "m"}

    @pytest.mark.parametrize("value", [None, [], {}, [1]])
    def test_a_value_is_a_string_a_number_or_true_or_false(self, site: Site, value):
        for body in (
            {"inputs": [X], "parameters": {"p": value}},
            {"inputs": [{**X, "parameters": {"p": value}}]},
            {"inputs": [X], "outputs": [{"name": "y", "parameters": {"p": value}}]},
        ):
            message = error(infer(site.client, "fake", body))
            assert "parameters/p: expected a string, a number, true or false, got" in message

    @pytest.mark.parametrize("parameters", [[], "p", 7])
    def test_parameters_are_an_object(self, site: Site, parameters):
        for body in ({"inputs": [X], "parameters": parameters}, {"inputs": [{**X, "parameters": parameters}]}):
            assert "parameters: expected an object, got" in error(infer(site.client, "fake", body))

    def test_shared_memory_is_refused_not_overlooked(self, site: Site):
        given = {**X, "parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 16}}
        assert "shared memory is not served" in error(infer(site.client, "fake", {"inputs": [given]}))

    @pytest.mark.parametrize("timeout", [-1, 1.5, "1", True])
    def test_a_timeout_is_so_many_microseconds(self, site: Site, timeout):
        body = {"inputs": [X], "parameters": {"timeout": timeout}}
        assert "/parameters/timeout: expected microseconds" in error(infer(site.client, "fake", body))

    def test_a_timeout_ends_the_wait(self, site: Site):
        site.hand.held = True
        message = error(infer(site.client, "fake", {"inputs": [X], "parameters": {"timeout": 1000}}), 504)
        assert message == "the answer was not there in the time the request allows"
        site.hand.turn()
        assert site.engine.calls == []


class TestWrongInputs:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (tensor("z", "FP32", [[1]]), "/inputs/0: unknown input 'z'; the inputs are x"),
            (tensor("x", "INT32", [[1]]), '/inputs/0/datatype: expected FP32, got the string "INT32"'),
            (tensor("x", "BYTES", [["a"]]), '/inputs/0/datatype: expected FP32, got the string "BYTES"'),
            ({**X, "datatype": "fp32"}, "/inputs/0/datatype: expected FP32"),
            ({**X, "datatype": None}, "/inputs/0/datatype: expected FP32, got null"),
            ({**X, "shape": [4]}, "/inputs/0/shape: expected [-1, -1], where -1 is any size, got [4]"),
            ({**X, "shape": [2, 2, 1]}, "/inputs/0/shape: expected [-1, -1]"),
            ({**X, "shape": [2, -2]}, "/inputs/0/shape: expected [-1, -1]"),
            ({**X, "shape": [2, 2.0]}, "/inputs/0/shape: expected [-1, -1]"),
            ({**X, "shape": [True, 4]}, "/inputs/0/shape: expected [-1, -1]"),
            ({**X, "shape": "2, 2"}, "/inputs/0/shape: expected [-1, -1]"),
            ({**X, "shape": [2] * 1000}, "where -1 is any size, got a list of 1000"),
            ({**X, "shape": [0, 2], "data": []}, "/inputs/0/shape: expected at least one row"),
            ({**X, "shape": [2, 0], "data": []}, "/inputs/0/shape: expected at least one row, and no axis of 0"),
            ({**X, "data": [1, 2, 3]}, "/inputs/0/data: expected 4 elements of shape [2, 2], got 3"),
            ({**X, "data": [1, 2, 3, 4, 5]}, "/inputs/0/data: expected 4 elements of shape [2, 2], got 5"),
            ({**X, "shape": [2, 10**15]}, "expected 2000000000000000 elements of shape [2, 1000000000000000], got 4"),
            ({**X, "data": [[1, 2], [3]]}, "/inputs/0/data/1: expected 2 elements, got 1"),
            ({**X, "data": [[1, 2], [3, 4], [5, 6]]}, "/inputs/0/data: expected 2 elements, got 3"),
            ({**X, "data": [1, 2, [3], 4]}, "/inputs/0/data/2: expected a number, got a list of 1"),
            ({**X, "data": [1, 2, "3", 4]}, '/inputs/0/data/2: expected a number, got the string "3"'),
            ({**X, "data": [1, True, 3, 4]}, "/inputs/0/data/1: expected a number, got true"),
            ({**X, "data": [1, None, 3, 4]}, "/inputs/0/data/1: expected a number, got null"),
            ({**X, "data": 7}, "/inputs/0/data: expected a list, got 7"),
            ({**X, "data": {}}, "/inputs/0/data: expected a list, got an object"),
            (
                {name: value for name, value in X.items() if name != "data"},
                "/inputs/0: expected either data or parameters.binary_data_size",
            ),
            ("x", '/inputs/0: expected an object with a name, got the string "x"'),
            ({**X, "name": ["x"]}, "/inputs/0/name: expected a string, got a list of 1"),
        ],
        ids=lambda value: value[:50] if isinstance(value, str) else "",
    )
    def test_a_wrong_tensor_is_told_with_its_place(self, site: Site, given, words):
        assert words in error(infer(site.client, "fake", {"inputs": [given]}))
        assert site.engine.calls == []

    def test_every_fault_is_named_at_once(self, site: Site):
        inputs = [tensor("text", "FP32", [[2]]), tensor("numbrs", "FP32", [[1, 2, 3]])]
        body = {"id": 7, "inputs": inputs, "outputs": [{"name": "mod"}], "parameters": {"p": None}}
        message = error(infer(site.client, "toy", body))
        for words in (
            "/id: expected a string, got 7",
            "/inputs/0/datatype: expected INT32",
            "/inputs/1: unknown input 'numbrs', did you mean 'numbers'?",
            "/inputs: missing input 'numbers'",
            "/outputs/0: unknown output 'mod'",
            "/parameters/p: expected a string",
        ):
            assert words in message

    def test_an_input_comes_once(self, site: Site):
        assert "/inputs/1: input 'x' is given twice" in error(infer(site.client, "fake", {"inputs": [X, X]}))

    def test_all_inputs_have_as_many_rows(self, site: Site):
        inputs = [tensor("text", "INT32", [[2], [3]]), tensor("numbers", "FP32", NUMBERS[:1])]
        message = error(infer(site.client, "toy", {"inputs": inputs}))
        assert message == "/inputs: expected as many rows of every input, got 2 of text, 1 of numbers"

    @pytest.mark.parametrize("inputs", [None, {}, "x", 7])
    def test_inputs_are_a_list(self, site: Site, inputs):
        assert "/inputs: expected a list of tensors" in error(infer(site.client, "fake", {"inputs": inputs}))

    @pytest.mark.parametrize("body", [[], "inputs", 7, None, [{"inputs": [X]}]])
    def test_a_body_is_an_object(self, site: Site, body):
        assert "expected an object with 'inputs', got" in error(infer(site.client, "fake", body))

    def test_thousands_of_faults_are_not_all_repeated(self, site: Site):
        inputs = [{"name": "z" * 60}] * 500
        assert len(error(infer(site.client, "fake", {"inputs": inputs}))) < 5000


class TestDatatypes:
    """Every datatype goes in and comes out as it was, flat or nested; what does not fit is refused, never wrapped."""

    def test_the_list_is_complete(self):
        assert set(DATATYPES.values()) == {*oip.DATATYPES, "BF16"}

    @pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
    @pytest.mark.parametrize("datatype", NUMERIC)
    @hypothesis_settings(max_examples=20)
    @given(data=st.data())
    def test_numbers_come_back(self, datatype, nested, data):
        dtype = np.dtype(NUMERIC[datatype])
        finite = {"allow_nan": False, "allow_infinity": False} if dtype.kind == "f" else {}
        shape = data.draw(arrays.array_shapes(min_dims=2, max_dims=3, max_side=4))
        array = data.draw(arrays.arrays(dtype, shape, elements=arrays.from_dtype(dtype, **finite)))
        client = mirror_of(dtype.name, len(shape))
        found = outputs(infer(client, "mirror", {"inputs": [tensor("x", datatype, array, nested=nested)]}))["x"]
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)

    @given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
    def test_strings_come_back(self, texts):
        found = outputs(infer(mirror_of("object", 1), "mirror", {"inputs": [tensor("x", "BYTES", texts)]}))["x"]
        assert found.tolist() == texts

    @pytest.mark.parametrize("datatype", [name for name in NUMERIC if "INT" in name])
    @pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
    def test_an_integer_out_of_range_is_refused_never_wrapped(self, datatype, nested):
        limits = np.iinfo(NUMERIC[datatype])
        client = mirror_of(NUMERIC[datatype], 2)
        for wrong in (limits.min - 1, limits.max + 1):
            data = [[0, wrong]] if nested else [0, wrong]
            given = {"name": "x", "datatype": datatype, "shape": [1, 2], "data": data}
            place = "/inputs/0/data/0/1" if nested else "/inputs/0/data/1"
            assert f"{place}: expected" in error(infer(client, "mirror", {"inputs": [given]}))

    @pytest.mark.parametrize("datatype", [name for name in NUMERIC if "INT" in name])
    def test_a_client_may_write_2_as_a_float(self, datatype):
        largest = min(np.iinfo(NUMERIC[datatype]).max, 2**53 - 1)
        for data in ([[2.0, largest]], [2.0, largest]):
            given = {"name": "x", "datatype": datatype, "shape": [1, 2], "data": data}
            found = outputs(infer(mirror_of(NUMERIC[datatype], 2), "mirror", {"inputs": [given]}))["x"]
            assert found.tolist() == [[2, largest]]

    @pytest.mark.parametrize(
        ("datatype", "value"),
        [
            ("INT32", 1.5),
            ("INT64", 2.0**53),
            ("UINT8", 256.0),
            ("INT64", True),
            ("BOOL", 1),
            ("BYTES", 1),
            ("FP32", False),
            ("FP16", 1e6),
        ],
    )
    def test_a_value_of_another_kind_is_refused(self, datatype, value):
        client = mirror_of(oip.DATATYPES[datatype], 1)
        given = {"name": "x", "datatype": datatype, "shape": [1], "data": [value]}
        assert "/inputs/0/data/0: expected" in error(infer(client, "mirror", {"inputs": [given]}))


@pytest.mark.parametrize("path", ["/v2/models/fake/infer", "/v2/repository/index"])
def test_a_body_too_large_is_refused(site: Site, path):
    assert "larger than" in error(site.client.post(path, data=b" " * (MAX_BODY_BYTES + 1)), 413)


def test_requests_are_counted_for_the_model_and_version_that_answered(site: Site):
    line = 'manifold_requests_total{dialect="oip",model="fake",status="200",version="1"}'

    def counted() -> float:
        found = [one for one in site.client.get("/metrics").text.splitlines() if one.startswith(line)]
        return float(found[0].split()[-1]) if found else 0.0

    before = counted()
    infer(site.client, "fake", {"inputs": [X]})
    assert counted() == before + 1
