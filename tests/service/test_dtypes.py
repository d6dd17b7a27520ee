"""Dtypes that JSON has no words for, from the wire through a real engine and back: halves, bfloat16, strings."""

from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from service import loading
from service.batching.batcher import Batcher
from service.batching.queueing import Queue
from service.engines.onnx import OnnxEngine
from service.errors import InvalidInput
from service.settings import Settings
from service.versions.store import Version
from tests.service import artifacts, saved_models
from tests.service.fakes import Hand, ManualDriver, job
from tests.service.oip import HEADER, client_of, error, in_bytes, infer, outputs, strings, tensor

ALL = {"binary_data_output": True}


def served(folder: Path, engine: str) -> FlaskClient:
    """A service of the model in that folder."""
    hand = Hand()
    version = Version(folder.parent.name, int(folder.name), folder)
    return client_of(loading.load(version, Settings(engine=engine), lambda _: hand), hand=hand)


def widened(chunk: bytes) -> np.ndarray:
    """bfloat16 as float32, of which it is the upper half."""
    return (np.frombuffer(chunk, "<u2").astype(np.uint32) << 16).view(np.float32)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return served(artifacts.half(tmp_path_factory.mktemp("store")), "onnx")


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("store") / "narrow" / "1"
    return served(saved_models.save(saved_models.Narrow(), folder), "saved_model")


@pytest.fixture(scope="module")
def echo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifacts.echo(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def echo(echo_folder: Path) -> FlaskClient:
    return served(echo_folder, "onnx")


class TestHalves:
    """float16, in ONNX Runtime: every dialect's JSON has it, and bytes."""

    @given(numbers=st.lists(st.floats(width=16, allow_nan=False), min_size=3, max_size=3))
    def test_bytes_come_back_as_bytes(self, half, numbers):
        chunk = np.array([numbers], "<f2").tobytes()
        body = {"inputs": [in_bytes("x", "FP16", [1, 3], chunk)], "parameters": ALL}
        with np.errstate(over="ignore"):
            doubled = np.array([numbers], np.float16) * np.float16(2)
        assert np.array_equal(outputs(infer(half, "half", body, chunk))["y"], doubled)

    def test_json_is_json(self, half):
        x, y = [0.5, -1, 1e4], [1, -2, 2e4]
        assert outputs(infer(half, "half", {"inputs": [tensor("x", "FP16", [x])]}))["y"].tolist() == [y]
        assert half.post("/predict/half", json={"x": x}).json == {"y": y}
        assert half.post("/v1/models/half:predict", json={"instances": [x]}).json == {"predictions": [y]}

    def test_what_no_half_holds_is_refused(self, half):
        body = {"inputs": [{"name": "x", "datatype": "FP16", "shape": [1, 3], "data": [1, 65520, 2]}]}
        assert "/inputs/0/data/1: expected float16" in error(infer(half, "half", body))


class TestBrainFloats:
    """bfloat16, in TensorFlow: bytes in the Open Inference Protocol, and what float32 would be in JSON."""

    @given(
        halves=st.lists(
            st.sampled_from([0x0000, 0x3F80, 0xC020, 0x7F00, 0x7F80, 0xFF80, 0x0D80]), min_size=3, max_size=3
        )
    )
    def test_bytes_come_back_as_bytes(self, narrow, halves):
        chunk = np.array(halves, "<u2").tobytes()
        body = {"inputs": [in_bytes("x", "BF16", [1, 3], chunk)], "parameters": ALL}
        response = infer(narrow, "narrow", body, chunk)
        size = int(response.headers[HEADER])
        with np.errstate(over="ignore"):
            assert np.array_equal(widened(response.data[size:]), widened(chunk) * np.float32(2))

    def test_metadata_names_it(self, narrow):
        assert narrow.get("/v2/models/narrow").json["inputs"] == [{"name": "x", "datatype": "BF16", "shape": [-1, 3]}]
        assert narrow.get("/models/narrow").json["signature"]["inputs"]["x"]["dtype"] == "bfloat16"

    def test_json_is_rounded_in_and_widened_out(self, narrow):
        x, y = [1.00390625, 0.1, -3], [2, 0.20019531, -6]
        assert narrow.post("/predict/narrow", json={"x": x}).json == {"y": y}
        assert narrow.post("/predict/narrow", json=[{"x": x}, {"x": x}]).json == [{"y": y}, {"y": y}]
        assert narrow.post("/v1/models/narrow:predict", json={"instances": [x]}).json == {"predictions": [y]}
        assert narrow.post("/v1/models/narrow:predict", json={"inputs": [x]}).json == {"outputs": [y]}

    def test_the_example_of_a_model_without_a_card_works(self, narrow):
        example = narrow.get("/models/narrow").json["example"]
        assert narrow.post("/predict/narrow", json=example).json == {"y": [0, 0, 0]}

    def test_what_it_does_not_hold_is_refused(self, narrow):
        response = narrow.post("/predict/narrow", json={"x": [1, 3.4e38, 2]})
        assert response.status_code == 422
        assert response.json["faults"][0]["pointer"] == "/x/1"

    def test_the_protocol_takes_its_numbers_as_bytes_only(self, narrow):
        body = {"inputs": [{"name": "x", "datatype": "BF16", "shape": [1, 3], "data": [1, 2, 3]}]}
        assert "BF16 has no values in JSON; send it as binary data" in error(infer(narrow, "narrow", body))

    def test_what_was_not_asked_for_as_bytes_is_widened(self, narrow):
        chunk = b"\x80\x3f" * 3
        response = infer(narrow, "narrow", {"inputs": [in_bytes("x", "BF16", [1, 3], chunk)]}, chunk)
        assert response.json["outputs"] == [{"name": "y", "datatype": "BF16", "shape": [1, 3], "data": [2, 2, 2]}]


class TestStrings:
    """ONNX Runtime takes text, where clients send bytes."""

    def test_base64_is_the_text_it_stands_for(self, echo):
        row = [{"b64": "Wm/Dqw=="}, "b'no'"]
        response = echo.post("/v1/models/echo:predict", json={"instances": [row]})
        assert response.json == {"predictions": [["Zoë", "b'no'"]]}

    def test_bytes_are_the_text_they_stand_for(self, echo):
        chunk = strings("Zoë".encode(), b"")
        body = {"inputs": [in_bytes("x", "BYTES", [1, 2], chunk)]}
        assert infer(echo, "echo", body, chunk).json["outputs"][0]["data"] == ["Zoë", ""]

    def test_bytes_that_are_no_text_are_the_clients_fault(self, echo):
        words = "expected text in UTF-8 for 'x', got bytes"
        chunk = strings(b"fine", b"\xff")
        assert words in error(infer(echo, "echo", {"inputs": [in_bytes("x", "BYTES", [1, 2], chunk)]}, chunk))
        response = echo.post("/v1/models/echo:predict", json={"instances": [[{"b64": "/w=="}]]})
        assert words in error(response)

    def test_they_fail_no_neighbour(self, echo_folder):
        batcher = Batcher(OnnxEngine(echo_folder), Queue(8, 32), ManualDriver)
        jobs = [job([[text]], "object") for text in ("one", b"\xff", b"three")]
        batcher.submit(jobs)
        batcher.step()
        one, bad, three = (each.future for each in jobs)
        assert one.result(0).outputs["y"].tolist() == [["one"]]
        assert three.result(0).outputs["y"].tolist() == [["three"]]
        assert isinstance(bad.exception(0), InvalidInput)
