"""The real server under gunicorn, with either kind of worker, and what clients, operators and kernels do to it."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pytest
import requests

from service.access.keys import Scope
from service.engines.onnx import OnnxEngine
from service.serve import welcome
from service.settings import BadSettings, Settings
from service.sockets import check_free
from service.versions.store import Version
from tests.service import artifacts
from tests.service.artifacts import VOCABULARY
from tests.service.keys import granted
from tests.service.server import (
    ROOT,
    SECONDS,
    Server,
    command,
    environment,
    patiently,
    read_reply,
    request_bytes,
    running,
)

MAX_QUEUE_ROWS = 16
MAX_BODY_BYTES = 100_000

NUMBERS = [0.5, -1.0, 2.0]
ROW = {"text": "The cat sat.", "numbers": NUMBERS}
BY_IDS = {"text": [2, 3, 4], "numbers": NUMBERS}
SERVED = "toy/1 is served by"
"""What a worker logs when it has loaded the toy."""

LONG = 400_000
"""Turns of the slow model that take far longer than its clients' deadline, and than a quick model's answer."""
TRIES = 5
"""What only happens while the server computes may be missed by a client who is kept from running; not so often."""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def server(worker: str, store: Path, logs: Path) -> Iterator[Server]:
    """One worker with a small queue and small bodies."""
    settings = {"engine": "onnx", "max_queue_rows": MAX_QUEUE_ROWS, "max_body_bytes": MAX_BODY_BYTES, "workers": 1}
    with running(store, logs / f"{worker}.log", worker=worker, **settings) as server:
        yield server


@pytest.fixture(scope="module")
def pair(worker: str, logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers over a store of twins, with settings as they come."""
    root = tmp_path_factory.mktemp("twins")
    artifacts.toy(root)
    with running(root, logs / f"{worker}-pair.log", worker=worker, workers=2) as server:
        server.wait_for_log(SERVED, times=2)
        yield server


@pytest.fixture(scope="module")
def engine(store: Path) -> OnnxEngine:
    """The toy model, asked directly."""
    return OnnxEngine(store / "toy" / "1")


def answers_as_ever(server: Server) -> bool:
    return server.post("/predict/toy", ROW).status_code == 200


def test_words_and_ids_are_answered_in_both_dialects(server: Server, engine: OnnxEngine):
    expected = engine.run({"text": np.array([[2, 3, 4]], np.int32), "numbers": np.array([NUMBERS], np.float32)})
    score = pytest.approx(expected["score"].item(), rel=1e-6)
    for row in (ROW, BY_IDS):
        native = server.post("/predict/toy", row)
        assert native.json()["score"] == {"value": score, "unit": "points"}
        [tfs] = server.post("/v1/models/toy:predict", {"instances": [row]}).json()["predictions"]
        assert tfs["score"] == [score]
        columns = {name: [value] for name, value in row.items()}
        assert server.post("/v1/models/toy:predict", {"inputs": columns}).json()["outputs"]["score"] == [[score]]


def test_the_server_is_alive_and_ready(server: Server):
    assert server.get("/healthz").json() == {"live": True}
    assert server.get("/readyz").json() == {"ready": True, "unready": {}}


def test_many_requests_share_a_connection(server: Server):
    with requests.Session() as session:
        statuses = [session.post(server.url("/predict/toy"), json=ROW, timeout=SECONDS).status_code for _ in range(20)]
    assert statuses == [200] * 20


def test_an_answer_without_a_body_is_sent_and_the_connection_lives_on(server: Server):
    tag = server.get("/openapi.json").headers["ETag"]
    with requests.Session() as session:
        for _ in range(2):
            known = session.get(server.url("/openapi.json"), headers={"If-None-Match": tag}, timeout=SECONDS)
            assert (known.status_code, known.content) == (304, b"")
            assert session.post(server.url("/predict/toy"), json=ROW, timeout=SECONDS).status_code == 200


def test_a_large_request_may_follow_at_once_on_the_same_connection(server: Server):
    small = request_bytes("/predict/toy", json.dumps(ROW).encode())
    large = request_bytes("/predict/toy", json.dumps(ROW).encode().ljust(MAX_BODY_BYTES), "Connection: close")
    with server.connect() as connection:
        connection.sendall(small + large)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200") == 2


def test_the_greeting_is_a_command_that_works(server: Server):
    [line] = re.findall(r"^ *(curl .*)$", server.log.read_text(), re.MULTILINE)
    if shutil.which("curl"):
        done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, timeout=SECONDS)
        answer = json.loads(done.stdout)
        # The toy's numbers are not on its card, so the line lacks them: the problem shows a whole example.
        assert answer["faults"] == [{"pointer": "/numbers", "detail": "missing input 'numbers'"}]


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\xff\x16\x03\x01garbage\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /predict/toy HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /predict/toy HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST /predict/toy HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /predict/toy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /predict/toy HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["garbage", "version", "negative", "letters", "two lengths", "bad chunk", "no colon", "endless line"],
)
def test_what_is_no_http_is_refused_and_hurts_nobody(server: Server, data):
    with server.connect() as connection:
        with contextlib.suppress(OSError):  # it may be refused, and the connection closed, before all is sent
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        status, _ = read_reply(connection)
    assert status == 0 or 400 <= status < 600
    assert status != 500
    assert answers_as_ever(server)


def chunks():
    for _ in range(4):
        yield b"[" + b" " * 40_000


class TestBodies:
    @pytest.mark.parametrize("path", ["/predict/toy", "/v1/models/toy:predict"])
    @pytest.mark.parametrize("make", [lambda: b" " * (MAX_BODY_BYTES + 1), chunks], ids=["declared", "chunked"])
    def test_a_body_too_large_is_refused(self, server: Server, path, make):
        response = requests.post(server.url(path), data=make(), timeout=SECONDS)
        assert response.status_code == 413
        body = response.json()
        assert f"larger than {MAX_BODY_BYTES} bytes" in body.get("detail", body.get("error"))
        assert answers_as_ever(server)

    def test_a_client_that_asks_first_need_not_send_a_body_too_large(self, server: Server):
        with server.connect() as connection:
            connection.sendall(request_bytes("/predict/toy", b"", "Expect: 100-continue", length=10**9))
            status, body = read_reply(connection)
        assert status == 413
        assert b"larger than" in body

    def test_a_body_just_small_enough_is_read(self, server: Server):
        body = json.dumps(ROW).encode()
        response = requests.post(server.url("/predict/toy"), data=body.ljust(MAX_BODY_BYTES), timeout=SECONDS)
        assert response.status_code == 200

    def test_a_chunked_body_is_read(self, server: Server):
        parts = re.findall(rb".{1,10}", json.dumps(ROW).encode())
        response = requests.post(server.url("/predict/toy"), data=iter(parts), timeout=SECONDS)
        assert response.status_code == 200

    @pytest.mark.parametrize(
        ("body", "status", "words"),
        [
            (b"[" * 40_000 + b"]" * 40_000, 400, "nested too deep"),
            (b'{"text": "cat", "numbers": [1, NaN, 2]}', 422, "/numbers/1: expected a finite number"),
            (b"\xff", 400, "not JSON"),
            (b"", 400, "empty"),
        ],
        ids=["deep", "NaN", "no UTF-8", "empty"],
    )
    def test_what_is_no_json_is_refused(self, server: Server, body, status, words):
        response = requests.post(server.url("/predict/toy"), data=body, timeout=SECONDS)
        assert response.status_code == status
        assert words in response.json()["detail"]

    def test_a_path_beyond_ascii_is_understood(self, server: Server):
        response = server.post("/predict/t%C3%B6y", ROW)
        assert response.status_code == 404
        assert "'töy'" in response.json()["detail"]


class TestTheSlowModel:
    def test_a_deadline_ends_the_wait_while_others_are_answered(self, server: Server):
        def quick_before_long() -> bool:
            with ThreadPoolExecutor(1) as pool:
                long = pool.submit(server.post, "/predict/slow", {"spins": [LONG]})
                late = server.post("/predict/slow", {"spins": [LONG]}, headers={"X-Request-Timeout": "0.05"})
                quick = server.post("/predict/toy", ROW)
                first = not long.done()
                assert late.status_code == 504
                assert late.json()["type"] == "urn:manifold:problem:deadline-exceeded"
                assert quick.status_code == 200
                assert long.result(SECONDS).json() == {"spun": [float(LONG)]}
            return first

        assert any(quick_before_long() for _ in range(TRIES))

    def test_under_a_flood_every_request_is_answered_or_sent_away(self, server: Server):
        assert any(self.flood(server) == {200, 429} for _ in range(TRIES))
        assert answers_as_ever(server)

    def flood(self, server: Server) -> set[int]:
        """Of what statuses the answers are; each is right."""
        clients = 40
        together = threading.Barrier(clients)

        def ask(number: int) -> requests.Response:
            together.wait(SECONDS)
            return server.post("/predict/slow", [{"spins": [20_000 + number]}] * 4)

        with ThreadPoolExecutor(clients) as pool:
            responses = list(pool.map(ask, range(clients)))
        for number, response in enumerate(responses):
            if response.status_code == 200:
                assert response.json() == [{"spun": [20_000.0 + number]}] * 4
            else:
                assert response.status_code == 429
                assert int(response.headers["Retry-After"]) >= 1
        return {response.status_code for response in responses}

    def test_a_client_that_leaves_hurts_nobody(self, server: Server):
        body = json.dumps({"spins": [20_000]}).encode()
        for _ in range(5):
            with server.connect() as asked, server.connect() as half:
                asked.sendall(request_bytes("/predict/slow", body))
                half.sendall(request_bytes("/predict/slow", body[:5], length=len(body)))
        assert server.post("/predict/slow", {"spins": [7]}).json() == {"spun": [7.0]}
        assert answers_as_ever(server)


def test_fifty_clients_at_once_with_texts_of_every_length_each_get_their_own_answer(server: Server, engine: OnnxEngine):
    clients, each = 50, 4
    random = np.random.default_rng(1)
    ids = [random.integers(1, len(VOCABULARY), random.integers(1, 12)).tolist() for _ in range(clients * each)]
    together = threading.Barrier(clients)

    def ask(client: int) -> list[float | str]:
        together.wait(SECONDS)
        with requests.Session() as session:
            scores = []
            for text in ids[client * each : (client + 1) * each]:
                while True:
                    response = session.post(
                        server.url("/predict/toy"), json={"text": text, "numbers": NUMBERS}, timeout=SECONDS
                    )
                    if response.status_code != 429:  # fifty at once are more than this queue holds
                        break
                scores.append(response.json()["score"]["value"] if response.status_code == 200 else response.text)
            return scores

    with ThreadPoolExecutor(clients) as pool:
        scores = [score for own in pool.map(ask, range(clients)) for score in own]
    numbers = np.array([NUMBERS], np.float32)
    expected = [engine.run({"text": np.array([text], np.int32), "numbers": numbers})["score"].item() for text in ids]
    assert scores == pytest.approx(expected, rel=1e-5, abs=1e-6)


class TestTwoWorkers:
    def test_metrics_are_summed_over_workers_and_outlive_them(self, pair: Server):
        def counted() -> float:
            text = pair.get("/metrics").text
            found = re.search(
                r'^manifold_requests_total\{dialect="native",model="toy",status="200",version="1"\} (\S+)$',
                text,
                re.MULTILINE,
            )
            return float(found[1]) if found else 0.0

        before = counted()
        for _ in range(30):
            assert answers_as_ever(pair)
        assert {counted() for _ in range(10)} == {before + 30}

        victim, survivor = pair.workers()
        os.kill(victim, signal.SIGKILL)
        statuses = Counter(pair.post("/predict/toy", ROW).status_code for _ in range(10))
        assert set(statuses) <= {200, 503}  # its successor answers before it has loaded, and says so
        pair.wait_for_log(SERVED, times=3)
        assert survivor in pair.workers()
        assert victim not in pair.workers()
        for _ in range(10):
            assert answers_as_ever(pair)
        assert counted() == before + 30 + statuses[200] + 10

    def test_workers_that_serve_twins_never_load_tensorflow(self, pair: Server):
        for pid in pair.workers():
            libraries = Path(f"/proc/{pid}/maps").read_text()
            assert "onnxruntime" in libraries
            assert "tensorflow" not in libraries


class TestLoading:
    """Two workers; each request comes on a connection of its own, to whichever accepts it."""

    @pytest.fixture
    def admin(self, worker: str, tmp_path: Path) -> Iterator[Server]:
        artifacts.toy(tmp_path / "store")
        key = granted(tmp_path / "keys.json", "ops", *Scope)
        settings = {"workers": 2, "engine": "onnx", "keys": tmp_path / "keys.json", "watch": 0}
        with running(tmp_path / "store", tmp_path / "log", worker=worker, **settings) as server:
            server.headers = {"X-Api-Key": key}
            server.wait_for_log(SERVED if worker == "gthread" else "ASGI server listening", times=2)
            yield server

    def change(self, server: Server, verb: str) -> None:
        answer = server.post(f"/v2/repository/models/toy/{verb}", {})
        assert (answer.status_code, answer.json()) == (200, {})

    def test_every_worker_follows_and_so_do_their_successors(self, admin: Server, tmp_path: Path):
        """Under traffic: what is asked is answered by a version that is served, or refused with the reason."""
        ended, lock = threading.Event(), threading.Lock()
        heard: set[tuple[int, str]] = set()

        def ask() -> int:
            count = 0
            while not ended.is_set():
                try:
                    answer = admin.post("/predict/toy", ROW)
                except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):  # its worker was killed
                    continue
                reason = answer.headers["X-Model-Version"] if answer.status_code == 200 else answer.json()["type"]
                with lock:
                    heard.add((answer.status_code, reason.rpartition(":")[2]))
                count += 1
            return count

        with ThreadPoolExecutor(2) as pool:
            askers = [pool.submit(ask) for _ in range(2)]
            try:
                self.until_heard(heard, (200, "1"))
                artifacts.toy(tmp_path / "store", version=2)
                self.change(admin, "load")
                admin.wait_for_log("toy/2 is served by", times=2)
                admin.wait_for_log("toy/1 is unloaded", times=2)
                self.until_heard(heard, (200, "2"))
                assert heard == {(200, "1"), (200, "2")}

                self.change(admin, "unload")
                admin.wait_for_log("toy/2 is unloaded", times=2)
                for _ in range(10):
                    assert admin.post("/predict/toy", ROW).status_code == 404
                self.until_heard(heard, (404, "model-not-found"))
                os.kill(admin.workers()[0], signal.SIGKILL)
                admin.wait_for_log("Booting worker", times=3)
                for _ in range(10):
                    states = {one["reason"] for one in admin.post("/v2/repository/index").json()}
                    assert states <= {"unloaded", "start"}  # the successor knows of no version

                self.change(admin, "load")
                admin.wait_for_log("toy/2 is served by", times=4)
                os.kill(admin.workers()[0], signal.SIGKILL)
                admin.wait_for_log("toy/2 is served by", times=5)
                for _ in range(10):
                    assert admin.post("/predict/toy", ROW).headers["X-Model-Version"] == "2"
            finally:
                ended.set()
            assert min(one.result(SECONDS) for one in askers) > 10
        assert heard <= {(200, "1"), (200, "2"), (404, "model-not-found"), (503, "draining"), (503, "model-not-ready")}

    def until_heard(self, heard: set[tuple[int, str]], wanted: tuple[int, str]) -> None:
        for _ in patiently():
            if wanted in heard:
                return
        raise AssertionError(heard)

    def test_a_version_that_cannot_serve_changes_nothing(self, admin: Server, tmp_path: Path):
        artifacts.toy(tmp_path / "store", version=2, golden_off_by=0.01)
        answer = admin.post("/v2/repository/models/toy/load")
        assert answer.status_code == 400
        assert "off the golden answers" in answer.json()["error"]
        assert str(tmp_path) not in answer.text
        assert admin.get("/readyz").json() == {"ready": True, "unready": {}}
        assert admin.post("/predict/toy", ROW).headers["X-Model-Version"] == "1"


def test_a_model_with_wrong_answers_is_not_served_but_the_others_are(worker: str, tmp_path: Path):
    artifacts.toy(tmp_path / "store", name="right")
    artifacts.toy(tmp_path / "store", name="wrong", golden_off_by=0.01)
    with running(tmp_path / "store", tmp_path / "log", worker=worker, workers=1) as server:
        ready = server.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["ready"] is False
        assert list(ready.json()["unready"]) == ["wrong/1"]
        assert "off the golden answers" in ready.json()["unready"]["wrong/1"]
        assert server.get("/healthz").status_code == 200
        assert server.post("/predict/right", ROW).status_code == 200
        refused = server.post("/predict/wrong", ROW)
        assert refused.status_code == 503
        assert refused.json()["detail"] == "wrong could not be loaded"


def test_a_sigterm_while_a_worker_starts_is_heeded(worker: str, store: Path, tmp_path: Path):
    """With so long a grace, a worker that lost the signal would outlive the test's patience."""
    server = Server(store, tmp_path / "log", worker=worker, workers=2, engine="onnx", graceful_timeout=10 * SECONDS)
    try:
        server.wait_for_log("Booting worker", times=2)
        assert server.stop() == 0
    finally:
        server.process.kill()
        server.process.wait(SECONDS)


def test_every_request_accepted_before_a_sigterm_is_answered(worker: str, store: Path, tmp_path: Path):
    patient = {"graceful_timeout": 10 * SECONDS}
    with running(store, tmp_path / "log", worker=worker, workers=1, engine="onnx", **patient) as server:
        body = json.dumps(ROW).encode()
        slow = json.dumps({"spins": [100_000]}).encode()
        half = [server.connect() for _ in range(3)]
        running_ = [server.connect() for _ in range(3)]
        for connection in half:
            connection.sendall(request_bytes("/predict/toy", body[:10], length=len(body)))
        for connection in running_:
            connection.sendall(request_bytes("/predict/slow", slow))
        assert answers_as_ever(server)  # connections are accepted in their order: all of the above are

        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        time.sleep(0.3)  # the rest comes after the signal has done its work; this test asks no more of the clock
        for connection in half:
            connection.sendall(body[10:])
        replies = [read_reply(connection) for connection in [*half, *running_]]
        for connection in [*half, *running_]:
            connection.close()
        assert [status for status, _ in replies] == [200] * 6
        assert all(json.loads(body)["score"] for _, body in replies[:3])
        assert all(json.loads(body) == {"spun": [100_000.0]} for _, body in replies[3:])
        assert server.process.wait(SECONDS) == 0


def test_what_waits_to_be_accepted_at_a_sigterm_is_answered(worker: str, store: Path, tmp_path: Path):
    with running(store, tmp_path / "log", worker=worker, workers=1, engine="onnx") as server:
        [only] = server.workers()
        os.kill(only, signal.SIGSTOP)
        waiting = [server.connect() for _ in range(5)]
        for connection in waiting:
            connection.sendall(request_bytes("/predict/toy", json.dumps(ROW).encode()))
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        os.kill(only, signal.SIGCONT)
        assert [read_reply(connection)[0] for connection in waiting] == [200] * 5
        for connection in waiting:
            connection.close()
        assert server.process.wait(SECONDS) == 0


def test_idle_connections_do_not_hold_up_a_sigterm(store: Path, tmp_path: Path):
    patient = {"keepalive": 10 * SECONDS, "graceful_timeout": 10 * SECONDS}
    with running(store, tmp_path / "log", workers=2, engine="onnx", **patient) as server:
        idle = [server.connect() for _ in range(8)]
        for connection in idle:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
            assert read_reply(connection)[0] == 200
        assert server.stop() == 0
        assert all(connection.recv(1) == b"" for connection in idle)
        for connection in idle:
            connection.close()


def test_what_comes_to_a_worker_that_hangs_is_taken_in_by_another(store: Path, tmp_path: Path):
    with running(store, tmp_path / "log", workers=2, engine="onnx", worker_timeout=10 * SECONDS) as server:
        server.wait_for_log("ASGI server listening", times=2)
        hung = server.workers()[0]
        os.kill(hung, signal.SIGSTOP)
        try:
            for _ in range(20):  # of which the kernel gives some to the one that hangs
                assert server.get("/healthz").status_code == 200
        finally:
            os.kill(hung, signal.SIGCONT)


class TestSuccessors:
    """A server of two workers that is asked all the while, on connections of either kind."""

    @pytest.fixture
    def asked(self, tmp_path: Path) -> Iterator[Server]:
        """Fails unless every request is answered, with a 200, and nobody had to ask twice."""
        artifacts.toy(tmp_path / "store")
        ended = threading.Event()

        def ask() -> Counter[int]:
            statuses: Counter[int] = Counter()
            with requests.Session() as session:
                while not ended.is_set():
                    statuses[session.post(server.url("/predict/toy"), json=ROW, timeout=SECONDS).status_code] += 1
                    statuses[server.post("/predict/toy", ROW).status_code] += 1
            return statuses

        with running(tmp_path / "store", tmp_path / "log", workers=2) as server, ThreadPoolExecutor(2) as pool:
            server.wait_for_log("ASGI server listening", times=2)
            askers = [pool.submit(ask) for _ in range(2)]
            try:
                yield server
            finally:
                ended.set()
                wait(askers, SECONDS)
                for pid in masters(server)[1:]:
                    os.kill(pid, signal.SIGTERM)
                    server.wait_for_log("Shutting down", times=2)
            statuses = [set(one.result(0)) for one in askers]
            assert statuses == [{200}] * 2

    def test_workers_leave_once_others_listen_in_their_place(self, asked: Server, tmp_path: Path):
        before = set(asked.workers())
        for times in (4, 6):
            asked.process.send_signal(signal.SIGHUP)
            asked.wait_for_log("ASGI server listening", times=times)
        asked.wait_for_log("Worker exiting", times=4)
        for _ in patiently():
            if not before & set(asked.workers()):
                break
        assert not before & set(asked.workers())
        until_one_left, _, _ = asked.log.read_text().partition("Worker shutting down")
        assert until_one_left.count("ASGI server listening") > 2  # one more for each that leaves, all of them if quick

        (tmp_path / "store").rename(tmp_path / "gone")
        asked.process.send_signal(signal.SIGHUP)
        asked.wait_for_log("Worker failed to boot. The others go on")
        assert len(asked.workers()) >= 2

    def test_a_server_leaves_once_another_listens_in_its_place(self, asked: Server):
        asked.process.send_signal(signal.SIGUSR2)
        asked.wait_for_log("ASGI server listening", times=4)
        assert len(masters(asked)) == 2
        assert asked.stop() == 0
        assert answers_as_ever(asked)


def masters(server: Server) -> list[int]:
    """The process ids of the server and of its successors."""
    return [int(pid) for pid in re.findall(r"\[(\d+)\] \[INFO\] Starting gunicorn", server.log.read_text())]


def finished(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("serve", *arguments),
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


class TestWelcome:
    def test_it_says_what_to_try(self, tmp_path: Path):
        said = welcome(Settings(port=9000), [Version("toy", 1, artifacts.toy(tmp_path))]).splitlines()
        assert said[0] == "In a browser: http://127.0.0.1:9000/"
        assert said[-1].startswith("  curl -s http://127.0.0.1:9000/predict/toy -d ")

    def test_with_a_key_where_there_are_keys_and_of_a_policy_that_is_not_there(self, tmp_path: Path):
        chosen = Settings(keys="keys.json", policy=str(tmp_path / "none.json"))
        said = welcome(chosen, [Version("toy", 1, artifacts.toy(tmp_path))]).splitlines()
        assert "none.json is not there yet" in said[0]
        assert '/predict/toy -H "X-Api-Key: $KEY" -d ' in said[-1]


class TestMistakes:
    def test_without_a_store_the_operator_is_told_what_to_do(self, tmp_path: Path):
        done = finished("--store", str(tmp_path / "none"))
        assert done.returncode == 2
        assert done.stderr == (
            f"the store {tmp_path / 'none'} does not exist; train a model first: python -m training similarity\n"
        )

    def test_a_port_that_is_taken_is_said_in_one_line(self, store: Path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = finished("--store", str(store), port=str(port))
        assert done.returncode == 2
        assert done.stderr == f"MANIFOLD_PORT={port}: Address already in use\n"

    def test_a_host_that_is_none_of_this_machines_is_said_to_be_so(self):
        with pytest.raises(BadSettings, match=r"^MANIFOLD_HOST=192\.0\.2\.1: Cannot assign requested address$"):
            check_free("192.0.2.1", 0, "PORT")

    def test_all_bad_settings_are_listed(self, store: Path):
        done = finished("--store", str(store), "--engine", "abacus", port="many", max_batch_rows="0", colour="red")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        lines = done.stderr.splitlines()
        assert [line.split(":")[0].split("=")[0] for line in lines] == [
            "MANIFOLD_COLOUR is no setting",
            "MANIFOLD_ENGINE",
            "MANIFOLD_MAX_BATCH_ROWS",
            "MANIFOLD_PORT",
        ]
