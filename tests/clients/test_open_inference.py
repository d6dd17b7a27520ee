"""open-inference-openapi: the client generated from the Open Inference Protocol's own OpenAPI document."""

import asyncio

import pytest
from open_inference.openapi import InferenceRequest, RequestInput, RequestOutput
from open_inference.openapi.client import AsyncOpenInferenceClient, OpenInferenceClient
from open_inference.openapi.core.api_error import ApiError
from open_inference.openapi.errors import NotFoundError

from tests.clients import FIRST, SECOND

INPUTS = [
    RequestInput(name=name, shape=[2, 16], datatype="INT32", data=array.tolist())
    for name, array in (("INPUT0", FIRST), ("INPUT1", SECOND))
]
REQUEST = InferenceRequest(id="7", inputs=INPUTS, outputs=[RequestOutput(name="OUTPUT1")])


@pytest.fixture
def client(address: str) -> OpenInferenceClient:
    return OpenInferenceClient(base_url=f"http://{address}")


def test_it_finds_the_server_live_and_ready(client):
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness("simple")
    client.check_model_version_readiness("simple", "1")
    with pytest.raises(NotFoundError):
        client.check_model_version_readiness("simple", "2")


def test_it_reads_what_is_served(client):
    assert client.read_server_metadata().name == "manifold"
    for metadata in (client.read_model_metadata("simple"), client.read_model_version_metadata("simple", "1")):
        assert metadata.versions == ["1"]
        assert [(one.name, one.datatype, one.shape) for one in metadata.inputs] == [
            ("INPUT0", "INT32", [-1, 16]),
            ("INPUT1", "INT32", [-1, 16]),
        ]


def test_it_infers(client):
    for answer in (
        client.model_infer("simple", request=REQUEST),
        client.model_version_infer("simple", "1", request=REQUEST),
    ):
        assert (answer.id, answer.model_version) == ("7", "1")
        [output] = answer.outputs
        assert (output.name, output.shape) == ("OUTPUT1", [2, 16])
        assert output.data.__root__ == (FIRST - SECOND).ravel().tolist()


def test_it_infers_with_asyncio(address: str):
    async def ask() -> list[int]:
        client = AsyncOpenInferenceClient(base_url=f"http://{address}")
        return (await client.model_infer("simple", request=REQUEST)).outputs[0].data.__root__

    assert asyncio.run(ask()) == (FIRST - SECOND).ravel().tolist()


def test_it_understands_a_refusal(client):
    with pytest.raises(ApiError) as refused:
        client.model_infer("simple", request=InferenceRequest(inputs=INPUTS[:1]))
    assert refused.value.status_code == 400
    assert "missing input 'INPUT1'" in str(refused.value.body)
    with pytest.raises(ApiError, match="no model 'nobody' is served"):
        client.model_infer("nobody", request=REQUEST)
