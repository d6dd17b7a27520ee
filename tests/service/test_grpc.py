"""TensorFlow Serving's gRPC API, over a real socket: what REST says, in messages."""

import asyncio
import base64
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from hypothesis import given
from hypothesis import strategies as st

from service import loading, metrics
from service.beside import Side
from service.card import Card
from service.grpc.examples import read as read_examples
from service.grpc.front import METHODS as METHODS_SERVED
from service.grpc.front import CannotListen, Front
from service.grpc.health import Health
from service.grpc.messages import POOL, SignatureDefMap, message
from service.outputs import NumberOutput, ProbabilityOutput
from service.settings import Settings
from service.versions.store import Version
from tests.service import calls, fakes
from tests.service.artifacts import PHOTO, png
from tests.service.calls import METHODS, Client, examples, mirror, new, predict, serving, spec, tensor
from tests.service.server import SECONDS, patiently
from tests.service.site import MAX_BODY_BYTES, MAX_QUEUE_ROWS, Site
from tests.service.test_device import until

NUMBERS = [[0.5, -1.0, 2.0], [1.0, 2.0, 3.0]]
TEXTS = ["the cat sat", "very good"]
IDS = [[2, 3, 4], [9, 7, 0]]
"""The same words by their ids, padded."""
HEALTH = "/grpc.health.v1.Health/"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
SERVICES = ["tensorflow.serving.ModelService", "tensorflow.serving.PredictionService"]


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    """A client of the site's models."""
    with serving(site.settings, site.catalog, site.hand.wait) as client:
        yield client


@pytest.fixture(scope="module")
def mirrored() -> Iterator[Client]:
    """A client of a model that gives what it gets."""
    hand = fakes.Hand()
    handle = mirror(("x", "float32", (None, None)), ("name", "object", (None,)), hand=hand)
    with serving(Settings(), fakes.catalog([handle]), hand.wait) as client:
        yield client


def words(texts: list[str]):
    return tensor(texts, "DT_STRING")


def ids(rows: list[list[int]]):
    return tensor(rows, "DT_INT32")


def classify(model: str, *rows, **more):
    return new("ClassificationRequest", model_spec=spec(model, **more), input=examples(*rows))


def regress(model: str, *rows, context=None, **more):
    return new("RegressionRequest", model_spec=spec(model, **more), input=examples(*rows, context=context))


def metadata(model: str, *fields: str, **more):
    return new("GetModelMetadataRequest", model_spec=spec(model, **more), metadata_field=fields or ["signature_def"])


def status(model: str, **more):
    return new("GetModelStatusRequest", model_spec=spec(model, **more))


class TestPredict:
    @pytest.mark.parametrize("signature", ["", "serving_default", "text"])
    @pytest.mark.parametrize("text", [words(TEXTS), tensor([[text] for text in TEXTS], "DT_STRING"), ids(IDS)])
    def test_rows_are_answered_as_over_rest(self, site: Site, client: Client, signature, text):
        answered = client.predict("toy", {"text": text, "numbers": NUMBERS}, signature_name=signature)
        rows = [{"text": text, "numbers": numbers} for text, numbers in zip(TEXTS, NUMBERS, strict=True)]
        rest = site.tfs("toy", {"instances": rows}).json["predictions"]
        assert set(answered) == {"score", "mood", "sure"}
        for name, array in answered.items():
            assert array.dtype == np.float32
            assert array == pytest.approx(np.array([row[name] for row in rest]), rel=1e-6)

    def test_every_dtype_goes_both_ways(self, site: Site, client: Client):
        inputs = {
            "flag": tensor([[True], [False]], "DT_BOOL"),
            "byte": tensor([[-128], [127]], "DT_INT8"),
            "count": tensor([[2**64 - 1], [0]], "DT_UINT64"),
            "half": tensor([[0.5], [-2]], "DT_HALF"),
            "image": tensor(np.arange(8).reshape(2, 2, 2)),
            "name": tensor(["café", "x"], "DT_STRING"),
        }
        outputs = client.predict("every", inputs)
        assert set(outputs) == {"flag", "count", "half", "image", "name"}
        for name in ("flag", "count", "half", "image"):
            assert outputs[name].tolist() == calls.array(inputs[name]).tolist()
            assert outputs[name].dtype == calls.array(inputs[name]).dtype
        assert [name.decode() for name in outputs["name"]] == ["café", "x"]

    def test_the_answer_says_who_gave_it(self, client: Client):
        inputs = {"text": ids(IDS), "numbers": NUMBERS}
        named = client.call("Predict", predict("toy", inputs, version=2)).model_spec
        assert (named.name, named.version.value, named.signature_name) == ("toy", 2, "serving_default")
        named = client.call("Predict", predict("toy", inputs, signature_name="text")).model_spec
        assert (named.version.value, named.signature_name) == (3, "text")

    def test_whole_tensors_are_one_batch(self, site: Site, client: Client):
        rows = [[float(row), 1.0] for row in range(8)]
        assert client.predict("fake", {"x": rows})["y"].ravel().tolist() == [row + 2.0 for row in range(8)]
        [call] = site.engine.calls
        assert call["x"].tolist() == rows

    def test_more_rows_than_a_batch_are_answered_in_order(self, client: Client):
        rows = [[float(row)] for row in range(20)]
        assert client.predict("fake", {"x": rows})["y"].ravel().tolist() == [float(row) for row in range(20)]

    def test_a_filter_names_the_outputs_it_wants(self, client: Client):
        inputs = {"text": ids(IDS), "numbers": NUMBERS}
        everything = client.predict("toy", inputs)
        some = client.predict("toy", inputs, output_filter=["sure", "score"])
        assert set(some) == {"sure", "score"}
        assert all(some[name].tobytes() == everything[name].tobytes() for name in some)

    @given(data=st.data())
    def test_what_goes_in_comes_out(self, mirrored: Client, data):
        rows, width = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 5))
        floats = st.floats(width=32, allow_nan=False)
        x = data.draw(st.lists(st.lists(floats, min_size=width, max_size=width), min_size=rows, max_size=rows))
        names = data.draw(st.lists(st.binary(max_size=9), min_size=rows, max_size=rows))
        outputs = mirrored.predict("mirror", {"x": tensor(x), "name": tensor(names, "DT_STRING")})
        assert outputs["x"].tolist() == x
        assert outputs["name"].tolist() == names

    def test_a_picture_is_its_file_or_its_pixels(self, shop_folder: Path):
        hand = fakes.Hand()
        limits = Settings(engine="onnx")
        shop = loading.load(Version("shop", 1, shop_folder), limits, lambda _: hand)
        worn = tensor([[[0.5, 0.25]]])
        with serving(limits, fakes.catalog([shop]), hand.wait) as client:
            pixels = client.predict(
                "shop", {"photo": tensor([PHOTO], "DT_UINT8"), "fabric": tensor([1], "DT_INT32"), "worn": worn}
            )
            file = {"photo": words([base64.b64decode(png(PHOTO))]), "fabric": words(["cotton"]), "worn": worn}
            assert_equal(client.predict("shop", file), pixels)
            features = {"photo": file["photo"].string_val, "fabric": ["cotton"], "worn": [0.5, 0.25]}
            price = client.call("Regress", regress("shop", features, signature_name="price"))
        assert [one.value for one in price.result.regressions] == pixels["price"].ravel().tolist()


class TestWrongRequests:
    def test_every_fault_is_named(self, client: Client):
        inputs = {"txt": [1.0], "numbers": tensor([[1, 2]], "DT_FLOAT")}
        code, message = client.refused("Predict", predict("toy", inputs, output_filter=["scores", "mood", "mood"]))
        assert code == "INVALID_ARGUMENT"
        assert message.split("; ") == [
            "/inputs/txt: unknown input 'txt', did you mean 'text'?",
            "/inputs/text: missing input 'text'",
            "/inputs/numbers: expected shape [-1, 3], where -1 is any size, got [1, 2]",
            "/output_filter/0: unknown output 'scores', did you mean 'score'?",
            "/output_filter/2: output 'mood' is asked for twice",
        ]

    @pytest.mark.parametrize(
        ("text", "words_"),
        [
            (tensor([[1.0]]), "/inputs/text: expected DT_INT32, got DT_FLOAT"),
            (words(["cat", "cat"]), "/inputs: expected as many rows of every input, got 2 of text, 1 of numbers"),
            (ids([[2, 99]]), "/inputs/text/0/1: expected a token id from 0 to 9, got 99"),
            (ids([[0, 0]]), "/inputs/text/0: expected at least one word"),
            (tensor("cat", "DT_STRING"), "/inputs/text: expected shape [-1]"),
            (tensor([["a", "b"]], "DT_STRING"), "/inputs/text: expected shape [-1, 1]"),
            (words([b"\xff"]), "/inputs/text/0: expected a string or a list of token ids"),
        ],
    )
    def test_a_wrong_tensor_is_an_invalid_argument(self, client: Client, text, words_):
        code, message = client.refused("Predict", predict("toy", {"text": text, "numbers": [[1, 2, 3]]}))
        assert code == "INVALID_ARGUMENT"
        assert words_ in message

    def test_more_rows_than_may_wait_are_refused_before_they_are_read(self, client: Client):
        many = tensor([[1.0]])
        many.tensor_shape.dim[0].size = 10**9
        code, message = client.refused("Predict", predict("fake", {"x": many}))
        assert code == "INVALID_ARGUMENT"
        assert f"expected at most {MAX_QUEUE_ROWS} rows in one request, got {10**9}" in message

    @pytest.mark.parametrize("method", sorted(METHODS.keys() - {"MultiInference", "HandleReloadConfigRequest"}))
    @pytest.mark.parametrize(
        ("named", "code", "words_"),
        [
            ({}, "INVALID_ARGUMENT", "Missing ModelSpec"),
            ({"model_spec": {}}, "INVALID_ARGUMENT", "ModelSpec has no name specified."),
            ({"model_spec": {"name": "nobody"}}, "NOT_FOUND", "nobody"),
            ({"model_spec": spec("toy", 50)}, "NOT_FOUND", "50"),
            ({"model_spec": spec("toy", -1)}, "NOT_FOUND", "-1"),
            (
                {"model_spec": spec("toy", version_label="canary")},
                "INVALID_ARGUMENT",
                "Unrecognized servable version label: canary",
            ),
        ],
    )
    def test_what_is_not_served_is_said_as_tensorflow_serving_says_it(
        self, client: Client, method, named, code, words_
    ):
        more = {"metadata_field": ["signature_def"]} if method == "GetModelMetadata" else {}
        got, message = client.refused(method, new(METHODS[method].input_type.name, **named, **more))
        assert got == code
        assert words_ in message

    def test_an_unknown_model_is_named_with_the_version(self, client: Client):
        assert client.refused("Predict", predict("x", {}))[1] == "Servable not found for request: Latest(x)"
        assert (
            client.refused("Predict", predict("x", {}, version=4))[1]
            == "Servable not found for request: Specific(x, 4)"
        )

    @pytest.mark.parametrize("signature", ["text", "classify", "x" * 10_000])
    def test_an_unknown_signature_is_refused(self, client: Client, signature):
        code, message = client.refused("Predict", predict("fake", {"x": [[1.0]]}, signature_name=signature))
        assert code == "INVALID_ARGUMENT"
        assert message == f'Serving signature name: "{signature[:60]}" not found in signature def'

    def test_a_message_stays_short_enough_for_every_client(self, client: Client):
        inputs = {"\U0001f600" * 50 + str(number): [1.0] for number in range(50)}
        code, message = client.refused("Predict", predict("fake", inputs))
        assert code == "INVALID_ARGUMENT"
        assert message.startswith("/inputs/\U0001f600")

    @pytest.mark.parametrize("method", ["MultiInference", "HandleReloadConfigRequest"])
    def test_what_is_not_served_says_so(self, client: Client, method):
        code, message = client.refused(method, b"")
        assert code == {"MultiInference": "UNIMPLEMENTED", "HandleReloadConfigRequest": "PERMISSION_DENIED"}[method]
        assert message

    def test_a_method_nobody_knows_is_unimplemented(self, client: Client):
        call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Guess")
        with pytest.raises(grpc.RpcError) as raised:
            call(b"", timeout=SECONDS)
        assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED

    @given(method=st.sampled_from(sorted(METHODS)), data=st.binary())
    def test_any_bytes_are_answered_or_refused(self, mirrored: Client, method, data):
        assert_no_surprise(mirrored, method, data)

    @given(method=st.sampled_from(["Predict", "Classify"]), at=st.integers(0, 200), byte=st.integers(0, 255))
    def test_a_request_with_a_wrong_byte_is_answered_or_refused(self, mirrored: Client, method, at, byte):
        whole = {
            "Predict": predict("mirror", {"x": tensor([[1.0, 2.0]]), "name": words(["a"])}),
            "Classify": classify("mirror", {"x": [1.5, 2.0], "name": ["a"]}, signature_name="x"),
        }[method]
        data = bytearray(whole.SerializeToString())
        data[at % len(data)] = byte
        assert_no_surprise(mirrored, method, bytes(data))


class TestStatuses:
    def test_a_full_queue_says_when_to_try_again(self, site: Site, client: Client):
        site.queue([[1.0]] * MAX_QUEUE_ROWS)
        error = client.start("Predict", predict("fake", {"x": [[2.0]]})).exception()
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert dict(error.trailing_metadata())["retry-after"] == "1"
        assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"] == "0"

    def test_a_model_that_drains_is_unavailable(self, site: Site, client: Client):
        site.fake.batcher.close()
        error = client.start("Predict", predict("fake", {"x": [[2.0]]})).exception()
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert dict(error.trailing_metadata())["retry-after"] == "1"

    def test_a_model_that_could_not_be_loaded_is_unavailable_for_good(self, site: Site, client: Client):
        site.refuse()
        error = client.start("Predict", predict("fake", {"x": [[2.0]]})).exception()
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, "fake could not be loaded")
        assert "retry-after" not in dict(error.trailing_metadata())

    def test_a_model_that_fails_is_an_internal_error_of_one_line(self, client: Client):
        code, message = client.refused("Predict", predict("fake", {"x": [[float(fakes.RAISES)]]}))
        assert (code, message) == ("INTERNAL", "RuntimeError: poisoned row")

    def test_the_settings_end_a_wait_that_the_client_would_bear(self, site: Site):
        site.hand.held = True
        with serving(replace(site.settings, request_timeout=0.05), site.catalog, site.hand.wait) as client:
            code, message = client.refused("Predict", predict("fake", {"x": [[1.0]]}))
        assert (code, message) == ("DEADLINE_EXCEEDED", "the answer was not there in the time the request allows")

    def test_rows_whose_deadline_is_over_leave_the_queue(self, site: Site, client: Client):
        """Asked until some have come: on a busy machine their deadline may be over before."""
        site.hand.held = True
        deadlines = (0.05 * 2**tried for tried in range(10))

        def came() -> int:
            code, _ = client.refused("Predict", predict("fake", {"x": [[1.0]]}), seconds=next(deadlines))
            assert code == "DEADLINE_EXCEEDED"
            return site.fake.batcher.waiting_rows

        until(came)
        until(lambda: not metrics.UNDER_WAY)
        site.hand.turn()
        assert site.engine.calls == []

    def test_rows_of_a_client_that_gives_up_leave_the_queue(self, site: Site, client: Client):
        site.hand.held = True
        call = client.start("Predict", predict("fake", {"x": [[1.0]]}))
        for _ in patiently():
            if site.fake.batcher.waiting_rows:
                break
        before = counted(site, 'dialect="grpc",model="fake",status="499"')
        call.cancel()
        await_counted(site, 'dialect="grpc",model="fake",status="499"', before + 1)
        site.hand.turn()
        assert site.engine.calls == []

    def test_every_call_is_counted_as_over_rest(self, site: Site, client: Client):
        labels = ['model="toy",status="200",version="2"', 'model="",status="404",version=""']
        before = [counted(site, f'dialect="grpc",{label}') for label in labels]
        client.predict("toy", {"text": words(["cat"]), "numbers": [[1, 2, 3]]}, version=2)
        client.refused("Predict", predict("nobody", {}))
        assert [counted(site, f'dialect="grpc",{label}') for label in labels] == [number + 1 for number in before]

    @pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
    def test_a_message_too_large_is_refused(self, client: Client, compression):
        data = predict("fake", {"x": tensor(np.zeros((1, MAX_BODY_BYTES)))}).SerializeToString()
        call = client.channel.unary_unary(calls.PATHS["Predict"]).future(data, SECONDS, compression=compression)
        assert call.exception().code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert client.predict("fake", {"x": [[1.0]]})["y"] == 1


class TestClassifyAndRegress:
    def test_labels_and_scores_are_those_of_the_native_dialect(self, site: Site, client: Client):
        rows = [{"text": [TEXTS[at]], "numbers": NUMBERS[at], "unheard": ["of"]} for at in range(2)]
        found = client.call("Classify", classify("toy", *rows, signature_name="mood"))
        named = found.model_spec
        assert (named.name, named.version.value, named.signature_name) == ("toy", 3, "mood")
        for row, classes in zip(rows, found.result.classifications, strict=True):
            native = site.predict("toy", {"text": row["text"][0], "numbers": row["numbers"]}).json["mood"]
            assert [one.label for one in classes.classes] == ["calm", "happy", "sad"]
            top = sorted(((one.score, one.label) for one in classes.classes), reverse=True)
            assert [label for _, label in top] == [label for label, _ in native["top"]]
            assert [score for score, _ in top] == pytest.approx([score for _, score in native["top"]], rel=1e-6)

    def test_one_probability_is_two_classes(self, site: Site, client: Client):
        row = {"text": ["cat"], "numbers": [1.5, 2, -1]}
        [classes] = client.call("Classify", classify("toy", row, signature_name="sure")).result.classifications
        yes = site.answer("cat", [1.5, 2, -1])["sure"].item()
        assert [one.label for one in classes.classes] == ["no", "yes"]
        assert [one.score for one in classes.classes] == pytest.approx([1 - yes, yes], abs=1e-6)

    def test_a_number_is_the_value(self, site: Site, client: Client):
        rows = [{"text": [2, 3], "numbers": [1.5, 2, -1]}, {"text": ["bad"], "numbers": [0, 0, 1]}]
        found = client.call("Regress", regress("toy", *rows, signature_name="score")).result.regressions
        expected = [site.answer("the cat", [1.5, 2, -1]), site.answer("bad", [0, 0, 1])]
        assert [one.value for one in found] == pytest.approx([one["score"].item() for one in expected], rel=1e-6)

    def test_the_only_output_needs_no_name(self):
        hand = fakes.Hand()
        for outputs, method, read in (
            ({"y": NumberOutput()}, "Regress", lambda result: result.regressions[0].value),
            (
                {"y": ProbabilityOutput(("a", "b"))},
                "Classify",
                lambda result: result.classifications[0].classes[1].score,
            ),
        ):
            handle = fakes.handle(fakes.FakeEngine(), hand, card=Card(outputs=outputs))
            request = new(f"{METHODS[method].input_type.name}", model_spec=spec("fake"), input=examples({"x": [0.5]}))
            with serving(Settings(), fakes.catalog([handle]), hand.wait) as client:
                response = client.call(method, request)
            assert read(response.result) == 0.5
            assert response.model_spec.signature_name == "serving_default"

    def test_the_context_stands_in_for_what_an_example_lacks(self, client: Client):
        alone = [{"text": ["cat"], "numbers": [1.0, 2, 3]}, {"text": ["good"], "numbers": [1.0, 2, 3]}]
        shared = {"text": ["cat"], "numbers": [1.0, 2, 3]}
        expected = client.call("Regress", regress("toy", *alone, signature_name="score"))
        request = regress("toy", {}, {"text": ["good"]}, signature_name="score", context=shared)
        assert client.call("Regress", request) == expected

    @pytest.mark.parametrize(
        ("method", "signature", "words_"),
        [
            ("Classify", "", "Expected classification signature method_name to be tensorflow/serving/classify. Was: "),
            ("Classify", "score", "if its card calls it a probability or probabilities"),
            ("Regress", "", "Expected regression signature method_name to be tensorflow/serving/regress. Was: "),
            ("Regress", "mood", "if its card calls it a number"),
            ("Regress", "loss", 'Serving signature name: "loss" not found in signature def'),
        ],
    )
    def test_an_output_of_another_kind_is_refused_as_tensorflow_serving_does(
        self, client: Client, method, signature, words_
    ):
        make = classify if method == "Classify" else regress
        code, message = client.refused(method, make("toy", {"text": ["cat"]}, signature_name=signature))
        assert code == "INVALID_ARGUMENT"
        assert words_ in message

    @pytest.mark.parametrize(
        ("rows", "words_"),
        [
            ([], "Input is empty."),
            ([{"text": ["cat"]}], "/input/0/numbers: missing input 'numbers'"),
            ([{"text": ["cat"], "numbers": []}], "/input/0/numbers: expected values of shape [3]"),
            ([{"text": ["cat"], "numbers": [1.0, 2]}], "/input/0/numbers: expected values of shape [3]"),
            ([{"text": ["cat"], "numbers": ["a", "b", "c"]}], "/input/0/numbers/0: expected a number"),
            ([{"text": ["a", "b"], "numbers": [1, 2, 3]}], "/input/0/text: expected one string, got 2"),
            ([{"text": [2.5], "numbers": [1, 2, 3]}], "/input/0/text/0: expected an integer, got 2.5"),
            (
                [{"text": [2], "numbers": [1, 2, 3]}, {"text": [99], "numbers": [1, 2, 3]}],
                "/input/1/text/0: expected a",
            ),
            ([{}] * (MAX_QUEUE_ROWS + 1), f"expected at most {MAX_QUEUE_ROWS} rows"),
        ],
    )
    def test_features_that_are_no_rows_are_refused(self, client: Client, rows, words_):
        code, message = client.refused("Regress", regress("toy", *rows, signature_name="score"))
        assert code == "INVALID_ARGUMENT"
        assert words_ in message

    def test_features_fill_every_dtype(self):
        tensors = [("flag", "bool", (None,)), ("name", "object", (None, 2)), ("half", "float16", (None, None, 2))]
        handle = mirror(*tensors, hand=fakes.Hand())
        row = {"flag": [1], "name": ["a", b"\xff"], "half": [1.5, 2.0, 3.0, 4.0]}
        [(_, group)] = read_examples(handle, new("Input", **examples(row)))
        assert {name: array.tolist() for name, array in group.items()} == {
            "flag": [True],
            "name": [["a", b"\xff"]],
            "half": [[[1.5, 2.0], [3.0, 4.0]]],
        }


class TestModels:
    def test_a_label_names_a_version(self, client: Client):
        named = metadata("toy")
        named.model_spec.version_label = "stable"
        assert client.call("GetModelMetadata", named).model_spec.version.value == 2
        status = new("GetModelStatusRequest", model_spec=spec("toy", version_label="stable"))
        assert [found.version for found in client.call("GetModelStatus", status).model_version_status] == [2]

    @pytest.mark.parametrize("model", ["toy", "fake", "every"])
    def test_metadata_is_that_of_rest(self, site: Site, client: Client, model):
        response = client.call("GetModelMetadata", metadata(model))
        rest = site.client.get(f"/v1/models/{model}/metadata").json
        assert list(response.metadata) == ["signature_def"]
        signatures = SignatureDefMap()
        assert response.metadata["signature_def"].type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
        assert response.metadata["signature_def"].Unpack(signatures)
        assert full(signatures) == rest["metadata"]["signature_def"]
        named = response.model_spec
        assert {
            "name": named.name,
            "signature_name": named.signature_name,
            "version": str(named.version.value),
        } == rest["model_spec"]

    @pytest.mark.parametrize(
        ("request_", "words_"),
        [
            (metadata("toy", "weights"), "Metadata field weights is not supported"),
            (new("GetModelMetadataRequest", model_spec=spec("toy")), "must specify at least one metadata_field"),
        ],
    )
    def test_other_metadata_is_refused(self, client: Client, request_, words_):
        code, message = client.refused("GetModelMetadata", request_)
        assert code == "INVALID_ARGUMENT"
        assert words_ in message

    @pytest.mark.parametrize(("version", "path"), [(None, ""), (2, "/versions/2")])
    def test_the_status_is_that_of_rest(self, site: Site, client: Client, version, path):
        response = client.call("GetModelStatus", status("toy", version=version))
        rest = site.client.get(f"/v1/models/toy{path}").json
        assert full(response) == rest

    def test_a_version_that_could_not_be_loaded_has_ended_with_the_reason(self, site: Site, client: Client):
        site.refuse()
        [one] = client.call("GetModelStatus", status("fake")).model_version_status
        assert full(one) == {
            "version": "1",
            "state": "END",
            "status": {"error_code": "UNKNOWN", "error_message": "OSError: no such file"},
        }

    def test_a_model_that_is_not_served_has_no_status(self, client: Client):
        assert client.refused("GetModelStatus", status("x"))[1] == "Could not find any versions of model x"
        assert client.refused("GetModelStatus", status("toy", version=9))[1] == "Could not find version 9 of model toy"


class TestHealth:
    @pytest.mark.parametrize("service", ["", *SERVICES])
    def test_it_serves_once_every_model_does(self, site: Site, client: Client, service):
        assert health(client, service) == "SERVING"
        site.refuse()
        assert health(client, service) == "NOT_SERVING"

    def test_a_service_nobody_knows_is_not_found(self, client: Client):
        with pytest.raises(grpc.RpcError) as raised:
            health(client, "coffee")
        assert raised.value.code() is grpc.StatusCode.NOT_FOUND

    def test_those_who_watch_are_told_of_every_change(self, site: Site, client: Client):
        request = health_pb2.HealthCheckRequest(service="").SerializeToString()
        statuses = client.channel.unary_stream(HEALTH + "Watch")(request, timeout=SECONDS)
        assert named(next(statuses)) == "SERVING"
        site.refuse()
        assert named(next(statuses)) == "NOT_SERVING"
        statuses.cancel()

    def test_those_who_watch_a_service_nobody_knows_are_told_so(self, client: Client):
        request = health_pb2.HealthCheckRequest(service="coffee").SerializeToString()
        statuses = client.channel.unary_stream(HEALTH + "Watch")(request, timeout=SECONDS)
        assert named(next(statuses)) == "SERVICE_UNKNOWN"
        statuses.cancel()

    def test_no_more_watch_than_may_until_one_leaves(self, site: Site):
        class Rpc:
            async def abort(self, code: grpc.StatusCode, *_: Any) -> None:
                raise LookupError(code)

        async def check() -> None:
            watched = Health(site.catalog, [], asyncio.Event(), most=1)
            first = watched.watch(b"", Rpc())
            await anext(first)
            with pytest.raises(LookupError, match="RESOURCE_EXHAUSTED"):
                await anext(watched.watch(b"", Rpc()))
            await first.aclose()
            await anext(watched.watch(b"", Rpc()))

        asyncio.run(check())

    @pytest.mark.parametrize("method", ["Check", "Watch"])
    def test_what_is_no_request_is_refused(self, client: Client, method):
        with pytest.raises(grpc.RpcError) as raised:
            list(client.channel.unary_stream(HEALTH + method)(b"\xff", timeout=SECONDS))
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


class TestReflection:
    def test_every_service_is_listed(self, client: Client):
        [answer] = reflect(client, {"list_services": ""})
        listed = {service.name for service in answer.list_services_response.service}
        assert listed == {*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}

    @pytest.mark.parametrize("symbol", [*SERVICES, "tensorflow.serving.PredictRequest", "grpc.health.v1.Health"])
    def test_a_client_can_build_every_message_from_what_it_is_told(self, client: Client, symbol):
        [answer] = reflect(client, {"file_containing_symbol": symbol})
        files = [FileDescriptorProto.FromString(file) for file in answer.file_descriptor_response.file_descriptor_proto]
        waiting = {file.name: file for file in files}
        pool = DescriptorPool()

        def add(name: str) -> None:
            file = waiting.pop(name, None)
            if file is not None:
                for needed in file.dependency:
                    add(needed)
                pool.Add(file)

        for name in list(waiting):
            add(name)
        assert pool.FindFileContainingSymbol(symbol).name == POOL.FindFileContainingSymbol(symbol).name

    def test_what_nobody_knows_is_not_found(self, client: Client):
        [unknown, nothing] = reflect(client, {"file_containing_symbol": "coffee.Pot"}, {})
        assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
        assert nothing.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]

    def test_what_is_no_question_is_answered_as_such(self, client: Client):
        [answer] = client.channel.stream_stream(REFLECTION)(iter([b"\xff"]), timeout=SECONDS)
        code = reflection_pb2.ServerReflectionResponse.FromString(answer).error_response.error_code
        assert code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


class TestDraining:
    def test_what_was_accepted_is_answered_and_nothing_else(self, site: Site):
        site.hand.held = True
        front = Front(site.settings, site.catalog, site.hand.wait)
        side = Side(front, SECONDS)
        client = Client(front.port)
        statuses = client.channel.unary_stream(HEALTH + "Watch")(b"", timeout=SECONDS)
        assert named(next(statuses)) == "SERVING"
        talk = client.channel.stream_stream(REFLECTION)(waiting := Endless(), timeout=SECONDS)
        accepted = client.start("Predict", predict("fake", {"x": [[7.0]]}))
        for _ in patiently():
            if site.fake.batcher.waiting_rows:
                break
        drained = side.drain()
        assert [named(status) for status in statuses] == ["NOT_SERVING"]
        assert list(talk) == []
        assert client.refused("Predict", predict("fake", {"x": [[8.0]]}))[0] == "UNAVAILABLE"
        assert not drained.done()
        site.hand.turn()
        response = message("tensorflow.serving.PredictResponse").FromString(accepted.result())
        assert calls.array(response.outputs["y"]).tolist() == [[7.0]]
        drained.result(SECONDS)
        side.close()
        waiting.end()
        client.channel.close()

    def test_patience_has_an_end(self, site: Site):
        site.hand.held = True
        with serving(site.settings, site.catalog, site.hand.wait) as client:
            late = client.start("Predict", predict("fake", {"x": [[7.0]]}))
            for _ in patiently():
                if site.fake.batcher.waiting_rows:
                    break
        assert late.exception() is not None
        site.hand.turn()
        assert site.engine.calls == []

    def test_a_port_that_is_taken_is_named(self, site: Site):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            front = Front(replace(site.settings, grpc_port=port), site.catalog, site.hand.wait)
            with pytest.raises(CannotListen, match=f"gRPC cannot listen on 127.0.0.1:{port}"):
                Side(front, 0)


def test_every_method_of_the_services_is_answered():
    assert {service.full_name: set(methods) for service, methods in METHODS_SERVED.items()} == {
        service.full_name: set(service.methods_by_name) for service in METHODS_SERVED
    }
    assert sorted(service.full_name for service in METHODS_SERVED) == SERVICES


class Endless:
    """Requests that do not come, until they end."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self.end = self._ended.set

    def __iter__(self):
        return self

    def __next__(self):
        self._ended.wait()
        raise StopIteration


def assert_equal(left, right):
    assert left.keys() == right.keys()
    for name in left:
        assert left[name].tolist() == right[name].tolist()


def assert_no_surprise(client: Client, method: str, data: bytes) -> None:
    """A call is answered, or refused with a reason that is the client's to mend."""
    error = client.start(method, data).exception()
    if error is not None:
        assert error.code().name in {
            "INVALID_ARGUMENT",
            "NOT_FOUND",
            "UNIMPLEMENTED",
            "PERMISSION_DENIED",
        }, error


def counted(site: Site, labels: str) -> float:
    """How many requests were counted under these labels."""
    lines = [
        line
        for line in site.client.get("/metrics").text.splitlines()
        if line.startswith("manifold_requests_total{" + labels)
    ]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def await_counted(site: Site, labels: str, least: float = 1) -> None:
    for _ in patiently():
        if counted(site, labels) >= least:
            return
    raise AssertionError(labels)


def full(message_):
    """A message as the REST dialect prints it: every field, by its own name."""
    return MessageToDict(message_, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def health(client: Client, service: str) -> str:
    request = health_pb2.HealthCheckRequest(service=service).SerializeToString()
    return named(client.channel.unary_unary(HEALTH + "Check")(request, timeout=SECONDS))


def named(data: bytes) -> str:
    """A health status by its name."""
    response = health_pb2.HealthCheckResponse
    return response.ServingStatus.Name(response.FromString(data).status)


def reflect(client: Client, *questions):
    """The answers to questions about the services."""
    sent = [reflection_pb2.ServerReflectionRequest(**question).SerializeToString() for question in questions]
    answers = client.channel.stream_stream(REFLECTION)(iter(sent), timeout=SECONDS)
    return [reflection_pb2.ServerReflectionResponse.FromString(answer) for answer in answers]
