"""The inference client of KServe's SDK over REST: the Open Inference Protocol, and TensorFlow Serving's, its V1."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import numpy as np
import pytest
from kserve import InferenceRESTClient, InferInput, InferRequest, InferResponse, RESTConfig

from tests.clients import DATATYPES, FIRST, IDS, NUMBERS, SECOND, TEXTS

BINARY = pytest.mark.parametrize("binary", [True, False], ids=["bytes", "JSON"])

Ask = Callable[[InferenceRESTClient, str], Awaitable[Any]]


def told(address: str, ask: Ask, protocol: str = "v2") -> Any:
    """What a client of its own is told."""

    async def answer() -> Any:
        client = InferenceRESTClient(RESTConfig(protocol=protocol))
        try:
            return await ask(client, f"http://{address}")
        finally:
            await client.close()

    return asyncio.run(answer())


def request(model: str, *, binary: bool, parameters: dict | None = None, **arrays: np.ndarray) -> InferRequest:
    inputs = [InferInput(name, list(array.shape), DATATYPES[array.dtype.kind]) for name, array in arrays.items()]
    for one, array in zip(inputs, arrays.values(), strict=True):
        one.set_data_from_numpy(array, binary_data=binary)
    return InferRequest(model, inputs, request_id="7", parameters=parameters)


def infer(address: str, model: str, **more: Any) -> InferResponse:
    return told(address, lambda client, url: client.infer(url, request(model, **more), model_name=model))


def test_it_reads_the_health_calls(address: str):
    assert told(address, lambda client, url: client.is_server_live(url)) is True
    assert told(address, lambda client, url: client.is_server_ready(url)) is True
    assert told(address, lambda client, url: client.is_model_ready(url, "simple")) is True
    assert told(address, lambda client, url: client.is_model_ready(url, "nobody")) is False


@pytest.mark.parametrize("parameters", [None, {"binary_data_output": True}], ids=["JSON out", "bytes out"])
@BINARY
def test_it_adds_and_subtracts(address: str, binary, parameters):
    answer = infer(address, "simple", binary=binary, parameters=parameters, INPUT0=FIRST, INPUT1=SECOND)
    assert (answer.id, answer.model_name) == ("7", "simple")  # its from_bytes reads no version
    found = {output.name: output.as_numpy() for output in answer.outputs}
    assert np.array_equal(found["OUTPUT0"], FIRST + SECOND)
    assert np.array_equal(found["OUTPUT1"], FIRST - SECOND)


@BINARY
def test_it_sends_text_for_words(address: str, binary):
    by_text, by_ids = (infer(address, "toy", binary=binary, text=text, numbers=NUMBERS) for text in (TEXTS, IDS))
    assert np.array_equal(by_text.outputs[0].as_numpy(), by_ids.outputs[0].as_numpy())


def test_it_sends_halves(address: str):
    half = InferInput("x", [1, 3], "FP16")
    half.set_data_from_numpy(np.array([[0.5, -1, 3]], np.float16), binary_data=True)
    asked = InferRequest("half", [half], parameters={"binary_data_output": True})
    answer = told(address, lambda client, url: client.infer(url, asked, model_name="half"))
    assert answer.outputs[0].as_numpy().tolist() == [[1, -2, 6]]


def test_it_understands_a_refusal(address: str):
    with pytest.raises(httpx.HTTPStatusError, match="missing input 'INPUT1', '400"):
        infer(address, "simple", binary=True, INPUT0=FIRST)
    with pytest.raises(httpx.HTTPStatusError, match="no model 'nobody' is served"):
        infer(address, "nobody", binary=True, INPUT0=FIRST)


def test_it_speaks_tensorflow_servings_protocol(address: str):
    body = {"inputs": {"INPUT0": FIRST.tolist(), "INPUT1": SECOND.tolist()}}
    answer = told(address, lambda client, url: client.infer(url, body, model_name="simple"), protocol="v1")
    assert answer["outputs"]["OUTPUT0"] == (FIRST + SECOND).tolist()
