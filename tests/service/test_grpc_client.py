"""TensorFlow Serving's gRPC API, asked by TensorFlow Serving's own client, tensorflow-serving-api."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.service import artifacts
from tests.service.server import ROOT, SECONDS, Server, environment, free_port, running

NUMBERS = [[0.5, -1.0, 2.0], [1.0, 2.0, 3.0]]


@pytest.fixture(scope="module")
def port() -> int:
    """A port for gRPC."""
    return free_port()


@pytest.fixture(scope="module")
def server(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the toy and the slow model."""
    folder = tmp_path_factory.mktemp("client")
    artifacts.toy(folder / "store")
    artifacts.slow(folder / "store")
    with running(folder / "store", folder / "log", workers=1, engine="onnx", grpc_port=port) as server:
        yield server


@pytest.fixture(scope="module")
def told(server: Server, port: int) -> dict[str, Any]:
    """What the client was answered."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.service.tf_client", str(port)],
        cwd=ROOT,
        env=environment() | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def rest(server: Server) -> list[dict[str, Any]]:
    """The same rows, asked over REST."""
    texts = ["the cat sat", "very good"]
    instances = [{"text": text, "numbers": numbers} for text, numbers in zip(texts, NUMBERS, strict=True)]
    return server.post("/v1/models/toy:predict", {"instances": instances}).json()["predictions"]


def column(rows: list[dict[str, Any]], name: str) -> Any:
    return pytest.approx(np.array([row[name] for row in rows]), rel=1e-5)


def test_our_messages_are_theirs(told):
    assert told["differences"] == []
    assert told["fields"] > 70


def test_predict_answers_as_rest_does(told, rest):
    assert set(told["predicted"]) == {"score", "mood", "sure"}
    for name, values in told["predicted"].items():
        assert np.array(values) == column(rest, name)


def test_an_output_filter_is_kept_to(told):
    assert told["filtered"] == {"sure": told["predicted"]["sure"]}


def test_one_value_stands_for_a_whole_tensor(server: Server, told):
    row = {"text": [2, 2, 2], "numbers": [0.5, 0.5, 0.5]}
    rows = server.post("/v1/models/toy:predict", {"instances": [row] * 2}).json()["predictions"]
    assert np.array(told["repeated"]["score"]) == column(rows, "score")


def test_classify_gives_labels_and_scores(told, rest):
    assert [[label for label, _ in row] for row in told["mood"]] == [["calm", "happy", "sad"]] * 2
    assert np.array([[score for _, score in row] for row in told["mood"]]) == column(rest, "mood")
    assert [[label for label, _ in row] for row in told["sure"]] == [["no", "yes"]] * 2
    assert np.array([[row[1][1]] for row in told["sure"]]) == column(rest, "sure")


def test_regress_gives_a_value(told, rest):
    assert np.array([[value] for value in told["score"]]) == column(rest, "score")


def test_metadata_and_status_are_those_of_rest(server: Server, told):
    assert told["metadata"] == server.get("/v1/models/toy/metadata").json()["metadata"]["signature_def"]
    assert told["status"] == server.get("/v1/models/toy").json()


def test_errors_are_statuses(told):
    assert told["refused"] == {
        "unknown": "NOT_FOUND",
        "wrong": "INVALID_ARGUMENT",
        "late": "DEADLINE_EXCEEDED",
        "multi": "UNIMPLEMENTED",
        "reload": "PERMISSION_DENIED",
    }
