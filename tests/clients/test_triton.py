"""tritonclient: the HTTP client of Triton Inference Server, in both its kinds."""

import asyncio
import gc
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
from tritonclient import http
from tritonclient.http import aio
from tritonclient.utils import InferenceServerException

from tests.clients import DATATYPES, FIRST, IDS, NUMBERS, SECOND, TEXTS

SECONDS = 60

BINARY = pytest.mark.parametrize("binary", [True, False], ids=["bytes", "JSON"])


@pytest.fixture
def client(address: str) -> Iterator[http.InferenceServerClient]:
    with http.InferenceServerClient(address, network_timeout=SECONDS) as client:
        yield client
    gc.collect()


def inputs(*, binary: bool, module: ModuleType = http, **arrays: np.ndarray) -> list:
    made = [module.InferInput(name, list(array.shape), DATATYPES[array.dtype.kind]) for name, array in arrays.items()]
    for one, array in zip(made, arrays.values(), strict=True):
        one.set_data_from_numpy(array, binary_data=binary)
    return made


class TestMetadata:
    def test_it_finds_the_server_live_and_ready(self, client):
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("simple")
        assert client.is_model_ready("simple", "1")
        assert not client.is_model_ready("simple", "2")
        assert not client.is_model_ready("nobody")

    def test_it_reads_what_is_served(self, client):
        assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
        metadata = client.get_model_metadata("simple", "1")
        assert metadata["versions"] == ["1"]
        assert [(one["name"], one["datatype"], one["shape"]) for one in metadata["inputs"]] == [
            ("INPUT0", "INT32", [-1, 16]),
            ("INPUT1", "INT32", [-1, 16]),
        ]
        index = client.get_model_repository_index()
        assert {(one["name"], one["version"], one["state"]) for one in index} == {
            (name, "1", "READY") for name in ("simple", "toy", "half", "echo")
        }


class TestInference:
    @pytest.mark.parametrize("sent", [True, False], ids=["bytes in", "JSON in"])
    @pytest.mark.parametrize("received", [True, False], ids=["bytes out", "JSON out"])
    def test_it_adds_and_subtracts(self, client, sent, received):
        outputs = [http.InferRequestedOutput(name, binary_data=received) for name in ("OUTPUT1", "OUTPUT0")]
        result = client.infer(
            "simple",
            inputs(binary=sent, INPUT0=FIRST, INPUT1=SECOND),
            "1",
            outputs,
            request_id="7",
            timeout=SECONDS * 10**6,
            parameters={"who": "me"},
        )
        assert np.array_equal(result.as_numpy("OUTPUT0"), FIRST + SECOND)
        assert np.array_equal(result.as_numpy("OUTPUT1"), FIRST - SECOND)
        response = result.get_response()
        assert [one["name"] for one in response["outputs"]] == ["OUTPUT1", "OUTPUT0"]
        assert (response["id"], response["model_version"]) == ("7", "1")
        assert response["parameters"] == {"who": "me"}

    def test_it_need_not_name_the_outputs(self, client):
        result = client.infer("simple", inputs(binary=True, INPUT0=FIRST, INPUT1=SECOND))
        assert np.array_equal(result.as_numpy("OUTPUT0"), FIRST + SECOND)

    def test_it_sends_many_at_once(self, client):
        pending = [
            client.async_infer("simple", inputs(binary=True, INPUT0=FIRST + at, INPUT1=SECOND)) for at in range(8)
        ]
        for at, request in enumerate(pending):
            assert np.array_equal(request.get_result(timeout=SECONDS).as_numpy("OUTPUT0"), FIRST + at + SECOND)

    @pytest.mark.parametrize("coding", ["gzip", "deflate"])
    @BINARY
    def test_it_compresses_what_it_sends_and_receives(self, client, coding, binary):
        first, second = np.tile(FIRST, (16, 1)), np.tile(SECOND, (16, 1))
        result = client.infer(
            "simple",
            inputs(binary=binary, INPUT0=first, INPUT1=second),
            outputs=[http.InferRequestedOutput("OUTPUT0", binary_data=binary)],
            request_compression_algorithm=coding,
            response_compression_algorithm=coding,
        )
        assert np.array_equal(result.as_numpy("OUTPUT0"), first + second)

    @BINARY
    def test_it_sends_text_for_words(self, client, binary):
        by_text, by_ids = (
            client.infer("toy", inputs(binary=binary, text=text, numbers=NUMBERS)) for text in (TEXTS, IDS)
        )
        assert np.array_equal(by_text.as_numpy("score"), by_ids.as_numpy("score"))

    def test_it_sends_halves(self, client):
        array = np.array([[0.1, -65504, 3]], np.float16)
        half = http.InferInput("x", [1, 3], "FP16").set_data_from_numpy(array)
        doubled = client.infer("half", [half]).as_numpy("y")
        assert doubled.dtype == np.float16
        assert doubled.tolist() == [[np.float16(0.2), -np.inf, 6]]

    @BINARY
    def test_it_sends_strings(self, client, binary):
        texts = http.InferInput("x", [1, 2], "BYTES").set_data_from_numpy(np.array([["Zoë", ""]], object), binary)
        answer = client.infer("echo", [texts], outputs=[http.InferRequestedOutput("y", binary_data=binary)])
        told = answer.as_numpy("y").tolist()
        assert told == [["Zoë".encode(), b""]] if binary else [["Zoë", ""]]

    def test_it_understands_a_refusal(self, client):
        with pytest.raises(InferenceServerException, match="missing input 'INPUT1'") as refused:
            client.infer("simple", inputs(binary=True, INPUT0=FIRST))
        assert refused.value.status() == "400"
        with pytest.raises(InferenceServerException, match="admin calls are off"):
            client.load_model("simple")
        with pytest.raises(InferenceServerException, match="no model 'nobody' is served"):
            client.get_model_metadata("nobody")


def test_it_unloads_and_loads(admin_address: str, authorized: dict[str, str]):
    with http.InferenceServerClient(admin_address, network_timeout=SECONDS) as client:

        def index() -> list[tuple[str, ...]]:
            listed = client.get_model_repository_index(headers=authorized)
            return [(one["name"], one["version"], one["state"]) for one in listed]

        for _ in range(2):
            client.unload_model("simple", unload_dependents=True, headers=authorized)
            assert not client.is_model_ready("simple", headers=authorized)
            assert index() == [("simple", "1", "UNAVAILABLE")]
            with pytest.raises(InferenceServerException, match="simple is unloaded"):
                client.infer("simple", inputs(binary=True, INPUT0=FIRST, INPUT1=SECOND), headers=authorized)
            client.load_model("simple", headers=authorized)
            assert client.is_model_ready("simple", headers=authorized)
            assert index() == [("simple", "1", "READY")]
            result = client.infer("simple", inputs(binary=True, INPUT0=FIRST, INPUT1=SECOND), headers=authorized)
            assert np.array_equal(result.as_numpy("OUTPUT0"), FIRST + SECOND)
        with pytest.raises(InferenceServerException, match="a key is needed") as refused:
            client.load_model("simple")
        assert refused.value.status() == "401"
        with pytest.raises(InferenceServerException, match="no model 'nobody' is in the store") as refused:
            client.load_model("nobody", headers=authorized)
        assert refused.value.status() == "404"
        with pytest.raises(InferenceServerException, match="there is no such parameter"):
            client.load_model("simple", config="{}", headers=authorized)
        with pytest.raises(InferenceServerException, match="no model 'nobody' is served"):
            client.unload_model("nobody", headers=authorized)
    gc.collect()


@BINARY
def test_its_asyncio_client_does_as_well(address: str, binary):
    async def ask() -> list[np.ndarray]:
        async with aio.InferenceServerClient(address) as client:
            assert await client.is_server_ready()
            assert (await client.get_model_metadata("simple"))["name"] == "simple"
            requests = [
                client.infer("simple", inputs(module=aio, binary=binary, INPUT0=FIRST + at, INPUT1=SECOND))
                for at in range(8)
            ]
            return [result.as_numpy("OUTPUT1") for result in await asyncio.gather(*requests)]

    for at, found in enumerate(asyncio.run(ask())):
        assert np.array_equal(found, FIRST + at - SECOND)
