"""Real servers: three that compute, and before them one that asks them; what clients notice when one is killed."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import artifacts
from tests.service.server import SECONDS, Server, free_port, patiently, running

ROWS = [{"text": ids, "numbers": [0.5, -1.0, 2.0]} for ids in ([2, 3, 4], [9, 7], [5], [6, 2, 3, 4, 8])]
CLIENTS, SOME = 8, 400


class Fleet:
    """The servers that compute, by the ports of their gRPC."""

    def __init__(self, store: Path, logs: Path, stack: contextlib.ExitStack) -> None:
        self._store, self._logs, self._stack = store, logs, stack
        self.servers: dict[int, Server] = {}
        for _ in range(3):
            self.start(free_port())

    def start(self, port: int) -> None:
        log = self._logs / f"{port}-{len(list(self._logs.iterdir()))}.log"
        server = running(self._store, log, workers=1, engine="onnx", grpc_port=port)
        self.servers[port] = self._stack.enter_context(server)

    def kill(self, port: int) -> None:
        """All its processes, without a word."""
        server = self.servers[port]
        for pid in [server.process.pid, *server.workers()]:
            os.kill(pid, signal.SIGKILL)
        server.process.wait(SECONDS)

    @property
    def names(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.servers)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    store, logs = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("logs")
    artifacts.toy(store)
    with contextlib.ExitStack() as stack:
        yield Fleet(store, logs, stack)


@pytest.fixture(scope="module")
def server(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It has the card, the vocabulary and golden rows; but neither a SavedModel nor a twin."""
    store = tmp_path_factory.mktemp("front")
    folder = artifacts.toy(store)
    (folder / "assets.extra" / "model.onnx").unlink()
    with running(store, tmp_path_factory.mktemp("log") / "log", workers=1, fleet=fleet.names) as server:
        yield server


def test_the_worker_loads_what_it_speaks_with_and_nothing_that_computes(server: Server):
    assert "toy/1 is served by tf_serving on 127.0.0.1:" in server.log.read_text()
    [worker] = server.workers()
    libraries = Path(f"/proc/{worker}/maps").read_text()
    assert "cygrpc" in libraries
    assert "tensorflow" not in libraries
    assert "cygrpc" not in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_text_is_read_here_and_computed_there(server: Server, fleet: Fleet):
    row = {"text": "the cat sat", "numbers": [1, 2, 3]}
    [there, *_] = fleet.servers.values()
    assert server.post("/predict/toy", row).json() == there.post("/predict/toy", row).json()


def test_every_answer_is_right_while_a_replica_is_killed_and_when_it_is_back(server: Server, fleet: Fleet):
    [there, *_] = fleet.servers.values()
    right = [there.post("/predict/toy", row).json() for row in ROWS]
    wrong: list[object] = []
    heard = threading.Semaphore(0)
    over = threading.Event()

    def ask(number: int) -> None:
        while not over.is_set():
            number = (number + 1) % len(ROWS)
            reply = server.post("/predict/toy", ROWS[number])
            if reply.status_code != 200 or not alike(reply.json(), right[number]):
                wrong.append((reply.status_code, reply.text))
            heard.release()

    clients = [threading.Thread(target=ask, args=[number]) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for _ in range(SOME):
        assert heard.acquire(timeout=SECONDS)
    port = list(fleet.servers)[1]
    fleet.kill(port)
    for _ in range(SOME):
        assert heard.acquire(timeout=SECONDS)
    fleet.start(port)
    server.wait_for_log(f"127.0.0.1:{port} answers", times=2)
    before = calls(server, port)
    for _ in patiently():
        if calls(server, port) > before:
            break
    over.set()
    for client in clients:
        client.join(SECONDS)
    assert wrong == []
    assert calls(server, port) > before


def calls(server: Server, port: int) -> float:
    """How many batches a replica has answered."""
    name = f'manifold_fleet_calls_total{{code="OK",replica="127.0.0.1:{port}"}}'
    found = [line.split()[-1] for line in server.get("/metrics").text.splitlines() if line.startswith(name)]
    return float(found[0]) if found else 0.0


def alike(one: dict, other: dict) -> bool:
    """Whether the numbers are the same, but for rounding."""
    flat = [[answer["score"]["value"], answer["sure"]["probability"]] for answer in (one, other)]
    return flat[0] == pytest.approx(flat[1], rel=1e-4)


def test_without_any_replica_it_is_not_ready_and_says_when_to_come_back(server: Server, fleet: Fleet):
    for port in fleet.servers:
        fleet.kill(port)
    for _ in patiently():
        answer = server.ready()
        if answer is not None and answer.status_code == 503:
            break
    assert "toy/1" in answer.json()["unready"]
    reply = server.post("/predict/toy", ROWS[0])
    assert reply.status_code == 503
    assert reply.headers["Retry-After"] == "1"


def test_a_fleet_that_is_not_there_yet_is_waited_for(tmp_path: Path, store: Path):
    port = free_port()
    (tmp_path / "front").mkdir()
    artifacts.toy(tmp_path / "front")
    with running(tmp_path / "front", tmp_path / "log", workers=1, fleet=f"localhost:{port}") as early:
        assert early.ready().status_code == 503
        with running(store, tmp_path / "replica", workers=1, engine="onnx", models="toy", grpc_port=port):
            early.wait_for_log("toy/1 is served by tf_serving")
            for _ in patiently():
                if early.ready().status_code == 200:
                    break
            assert early.post("/predict/toy", ROWS[0]).status_code == 200
