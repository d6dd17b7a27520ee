"""TensorFlow Serving's gRPC API under gunicorn, with either kind of worker: many clients, signals, and ports."""

import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests

from service.engines.onnx import OnnxEngine
from service.grpc.messages import message
from tests.service import calls
from tests.service.artifacts import VOCABULARY
from tests.service.calls import Client, predict, tensor
from tests.service.server import ROOT, SECONDS, Server, command, environment, free_port, patiently, running
from tests.service.test_grpc import HEALTH, health, named

NUMBERS = [0.5, -1.0, 2.0]
SPINS = 100_000
"""Turns of the slow model that are not over when a signal comes."""
TRIES = 5
"""What only happens while the server computes may be missed by a client who is kept from running; not so often."""


@pytest.fixture(scope="module")
def port() -> int:
    """A port for gRPC."""
    return free_port()


@pytest.fixture(scope="module")
def server(worker: str, port: int, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers, which share both ports."""
    log = tmp_path_factory.mktemp("logs") / "log"
    with running(store, log, worker=worker, workers=2, engine="onnx", grpc_port=port, max_queue_rows=64) as server:
        server.wait_for_log("slow/1 is served by", times=2)
        for _ in patiently():
            if listeners(port) == 2:
                break
        yield server


@pytest.fixture
def client(server: Server, port: int) -> Iterator[Client]:
    client = Client(port)
    yield client
    client.channel.close()


def listeners(port: int) -> int:
    """How many sockets listen on a port of this machine."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port)


def spins(turns: int):
    """A request that keeps the slow model busy."""
    return predict("slow", {"spins": tensor([[turns]], "DT_INT64")})


def spun(call) -> float:
    """What it answers."""
    outputs = message("tensorflow.serving.PredictResponse").FromString(call.result(SECONDS)).outputs
    return calls.array(outputs["spun"]).item()


def test_every_worker_listens_on_the_port(server: Server, port: int):
    assert listeners(port) == 2


def test_the_arbiter_has_no_thread_and_nothing_of_grpc(server: Server):
    pid = server.process.pid
    assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1
    assert "cygrpc" not in Path(f"/proc/{pid}/maps").read_text()
    for child in server.workers():
        libraries = Path(f"/proc/{child}/maps").read_text()
        assert "cygrpc" in libraries
        assert "tensorflow" not in libraries


def test_it_is_healthy(client: Client):
    assert health(client, "") == "SERVING"


def test_clients_of_both_ports_at_once_each_get_their_own_answer(server: Server, port: int, store: Path):
    clients, each = 16, 8
    random = np.random.default_rng(2)
    texts = [random.integers(1, len(VOCABULARY), random.integers(1, 12)).tolist() for _ in range(clients * each)]
    together = threading.Barrier(clients)

    def over_grpc(own: list[list[int]]) -> list[float]:
        client = Client(port)
        together.wait(SECONDS)
        inputs = [{"text": tensor([text], "DT_INT32"), "numbers": [NUMBERS]} for text in own]
        try:
            return [client.predict("toy", one)["score"].item() for one in inputs]
        finally:
            client.channel.close()

    def over_http(own: list[list[int]]) -> list[float]:
        together.wait(SECONDS)
        with requests.Session() as session:
            bodies = [{"text": text, "numbers": NUMBERS} for text in own]
            posted = [session.post(server.url("/predict/toy"), json=body, timeout=SECONDS) for body in bodies]
        return [response.json()["score"]["value"] for response in posted]

    with ThreadPoolExecutor(clients) as pool:
        jobs = [
            pool.submit(over_http if number % 2 else over_grpc, texts[number * each : (number + 1) * each])
            for number in range(clients)
        ]
        scores = [score for job in jobs for score in job.result()]
    engine = OnnxEngine(store / "toy" / "1")
    numbers = np.array([NUMBERS], np.float32)
    expected = [engine.run({"text": np.array([text], np.int32), "numbers": numbers})["score"].item() for text in texts]
    assert scores == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_a_slow_model_keeps_nobody_from_a_quick_one(client: Client):
    def quick_before_long() -> bool:
        long = client.start("Predict", spins(400_000))
        assert client.predict("toy", {"text": tensor([[2]], "DT_INT32"), "numbers": [NUMBERS]})["score"].shape == (1, 1)
        first = not long.done()
        assert spun(long) == 400_000
        return first

    assert any(quick_before_long() for _ in range(TRIES))


def test_of_a_flood_on_one_connection_every_call_is_answered_or_told_to_try_again(client: Client):
    assert any(flood(client) == {"OK", "RESOURCE_EXHAUSTED"} for _ in range(TRIES))


def flood(client: Client) -> set[str]:
    """What became of three thousand calls at once, of which those that are answered are so rightly."""
    long = client.start("Predict", spins(400_000))
    calls_ = [client.start("Predict", spins(number)) for number in range(3000)]
    codes = Counter("OK" if call.exception() is None else call.exception().code().name for call in calls_)
    assert set(codes) <= {"OK", "RESOURCE_EXHAUSTED"}, codes
    assert all(spun(call) == number for number, call in enumerate(calls_) if call.exception() is None)
    assert spun(long) == 400_000
    return set(codes)


def test_calls_are_counted_with_those_of_every_worker(server: Server, client: Client):
    client.refused("Predict", predict("nobody", {}))
    assert 'manifold_requests_total{dialect="grpc",model="",status="404",version=""}' in server.get("/metrics").text


class TestSignals:
    def test_every_call_accepted_before_a_sigterm_is_answered(self, worker: str, store: Path, tmp_path: Path):
        port = free_port()
        with running(store, tmp_path / "log", worker=worker, workers=1, engine="onnx", grpc_port=port) as server:
            client = Client(port)
            statuses = client.channel.unary_stream(HEALTH + "Watch")(b"", timeout=SECONDS)
            assert named(next(statuses)) == "SERVING"
            accepted = [client.start("Predict", spins(SPINS + number)) for number in range(3)]
            assert (
                health(client, "") == "SERVING"
            )  # calls of a connection are accepted in their order: all of these are

            server.process.send_signal(signal.SIGTERM)
            assert [named(status) for status in statuses] == ["NOT_SERVING"]
            stranger = Client(port)
            assert stranger.refused("Predict", spins(1))[0] == "UNAVAILABLE"
            assert [spun(call) for call in accepted] == [float(SPINS + number) for number in range(3)]
            assert server.process.wait(SECONDS) == 0
            assert "Traceback" not in server.log.read_text()
            for closed in (client, stranger):
                closed.channel.close()

    def test_an_impatient_operator_need_not_wait(self, worker: str, store: Path, tmp_path: Path):
        port = free_port()
        patience = {"graceful_timeout": 10 * SECONDS}
        with running(
            store, tmp_path / "log", worker=worker, workers=1, engine="onnx", grpc_port=port, **patience
        ) as server:
            client = Client(port)
            statuses = client.channel.unary_stream(HEALTH + "Watch")(b"", timeout=SECONDS)
            assert named(next(statuses)) == "SERVING"
            assert server.stop(signal.SIGINT) == 0
            client.channel.close()


def serve(store: Path, path: str = "", **settings) -> subprocess.CompletedProcess[str]:
    """A server that does not come up."""
    return subprocess.run(
        command("serve"),
        cwd=ROOT,
        env=environment(engine="onnx", workers=1, store=store, **settings) | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_a_port_where_another_server_listens_is_refused_at_once(server: Server, port: int, store: Path):
    done = serve(store, port=free_port(), grpc_port=port)
    assert done.returncode == 2
    assert done.stderr.startswith(f"MANIFOLD_GRPC_PORT={port}: Address already in use")
    assert listeners(port) == 2


def test_both_protocols_cannot_have_one_port(worker: str, store: Path):
    port = free_port()
    done = serve(store, worker=worker, port=port, grpc_port=port)
    assert done.returncode == 2
    assert done.stderr == f"MANIFOLD_GRPC_PORT={port}: HTTP has that port\n"


def test_without_its_libraries_the_operator_is_told_what_to_install(store: Path, tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['grpc_health'] = None\n")
    done = serve(store, str(tmp_path), grpc_port=free_port())
    assert done.returncode == 2
    assert done.stderr.endswith("grpcio-health-checking not installed here (deploy/requirements/slim-grpc.txt)\n")
    assert done.stderr.startswith("MANIFOLD_GRPC_PORT=")
