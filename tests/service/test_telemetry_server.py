"""Traces and logs of real servers: two workers, requests of all dialects, and a collector that may not be there."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.service.artifacts import toy
from tests.service.calls import Client, predict, tensor
from tests.service.collector import Collector, collecting
from tests.service.server import Server, free_port, patiently, running

PARENT = "b7ad6b7169203331"
ROW = {"text": "the cat", "numbers": [0.5, -1.0, 2.0]}
TFS = {"instances": [{"text": [2, 3], "numbers": [0.5, -1.0, 2.0]}]}
OIP = {
    "inputs": [
        {"name": "text", "datatype": "INT32", "shape": [1, 2], "data": [2, 3]},
        {"name": "numbers", "datatype": "FP32", "shape": [1, 3], "data": [0.5, -1.0, 2.0]},
    ]
}
ASKED = {
    "native": ("/predict/toy", ROW, "POST /predict/<model>"),
    "tfs": ("/v1/models/toy:predict", TFS, "POST /v1/models/<model>:predict"),
    "oip": ("/v2/models/toy/infer", OIP, "POST /v2/models/<model>/infer"),
}
GRPC = "tensorflow.serving.PredictionService/Predict"


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the toy model."""
    root = tmp_path_factory.mktemp("toys")
    toy(root)
    return root


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def trace_of(number: int) -> str:
    return f"{number + 1:032x}"


def traceparent(number: int) -> str:
    return f"00-{trace_of(number)}-{PARENT}-01"


def lines(log: Path) -> list[dict[str, Any]]:
    """Everything that a server has printed, each line of it JSON."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_requests_of_all_dialects_are_in_their_clients_traces(toys, collector, monkeypatch, tmp_path):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "models")
    port, log = free_port(), tmp_path / "log"
    told = {"traces": "on", "access_log": 1, "log_format": "json", "grpc_port": port, "workers": 2, "engine": "onnx"}
    with running(toys, log, **told) as server:
        names = ask_all(server) + ask_grpc(port, len(ASKED))
        assert server.stop() == 0  # what is left is sent before the workers end
    spans = collector.spans()
    assert collector.services() == {"models"}
    for number, name in enumerate(names):
        own = [span for span in spans if span.trace_id.hex() == trace_of(number)]
        assert sorted(span.name for span in own) == sorted([name, "parse", "queue", "engine", "encode"])
        [request] = [span for span in own if span.name == name]
        assert request.parent_span_id.hex() == PARENT
        [engine] = [span for span in own if span.name == "engine"]
        [batch] = [span for span in spans if span.span_id == engine.links[0].span_id]
        assert (batch.name, [link.span_id for link in batch.links]) == ("batch", [request.span_id])
    said = [line for line in lines(log) if line["logger"] == "manifold.access" and line.get("rows")]
    assert {(line["trace_id"], line["dialect"]) for line in said} == {
        (trace_of(number), dialect) for number, dialect in enumerate([*ASKED, "grpc"])
    }
    assert Counter(line["status"] for line in said) == {200: len(names)}
    assert {"gunicorn.error", "manifold.catalog"} <= {line["logger"] for line in lines(log)}


def ask_all(server: Server) -> list[str]:
    """One request of each dialect over HTTP; the names of their spans."""
    for number, (path, body, _) in enumerate(ASKED.values()):
        answer = server.post(path, body, headers={"traceparent": traceparent(number)})
        assert answer.status_code == 200
    return [name for _, _, name in ASKED.values()]


def ask_grpc(port: int, number: int) -> list[str]:
    client = Client(port)
    request = predict("toy", {"text": tensor([[2, 3]], "DT_INT32"), "numbers": [[0.5, -1.0, 2.0]]})
    client.start("Predict", request, metadata=[("traceparent", traceparent(number))]).result()
    client.channel.close()
    return [GRPC]


@pytest.mark.parametrize("worker", ["greenlet", "gthread"])
def test_without_a_collector_requests_are_answered_and_the_server_ends_in_time(
    worker, toys, deaf_port, monkeypatch, tmp_path
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    log = tmp_path / "log"
    with running(toys, log, traces="on", log_format="json", worker=worker, workers=1, engine="onnx") as server:
        for _ in patiently():
            answer = server.post("/predict/toy", ROW)
            assert answer.status_code == 200
            if dropped(server) > 0:
                break
        assert server.stop() == 0
    told = [line for line in lines(log) if line["logger"] == "manifold.telemetry"]
    assert [line["message"].partition(".")[0] for line in told] == ["Spans are dropped until a collector takes them"]
    assert not [line for line in lines(log) if line["logger"].startswith("opentelemetry")]


def dropped(server: Server) -> float:
    text = server.get("/metrics").text
    found = [line for line in text.splitlines() if line.startswith('manifold_telemetry_dropped_total{what="span"}')]
    return float(found[0].split()[-1]) if found else 0.0


def test_off_there_is_no_line_for_a_request_and_gunicorn_writes_as_ever(toys, tmp_path):
    log = tmp_path / "log"
    with running(toys, log, workers=1, engine="onnx") as server:
        assert requests.get(server.url("/models"), timeout=60).status_code == 200
    assert "/models" not in log.read_text().replace("/readyz", "")
    assert "[INFO] Listening at" in log.read_text()
