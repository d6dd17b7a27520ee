"""Live on real servers, with both kinds of workers: everybody's numbers, and streams that nobody has to wait for."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from service.live.history import PART
from service.live.streams import LASTS
from tests.service import artifacts
from tests.service.server import SECONDS, Server, patiently, running

ROW = {"text": artifacts.EXAMPLE, "numbers": [0.5, -1.0, 2.0]}
MUCH = 40_000_000
ESTABLISHED = "01"
"""As /proc/net/tcp has it."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model."""
    folder = tmp_path_factory.mktemp("store")
    artifacts.toy(folder)
    return folder


@pytest.fixture(params=["greenlet", "gthread"])
def server(request: pytest.FixtureRequest, store: Path, tmp_path: Path) -> Iterator[Server]:
    patient = {"graceful_timeout": 10 * SECONDS, "worker_timeout": 10 * SECONDS}
    with running(store, tmp_path / "log", engine="onnx", workers=2, worker=request.param, **patient) as server:
        yield server


class Stream:
    """Events, as they come."""

    def __init__(self, server: Server, **headers: str) -> None:
        self.response = requests.get(server.url("/console/live/events"), headers=headers, stream=True, timeout=SECONDS)
        self._lines = self.response.iter_lines(chunk_size=1, decode_unicode=True)

    def event(self) -> tuple[str, list[dict[str, Any]]]:
        """The next one's id and samples."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            fields[name] = value
            if not line and "data" in fields:
                return fields["id"], json.loads(fields["data"])
        raise EOFError

    def rest(self) -> None:
        """Read to its end; an error if it breaks off."""
        for _ in self._lines:
            pass


def asked(server: Server) -> int:
    """Requests for the toy in all samples."""
    return sum(one["models"].get("toy", {}).get("ok", 0) for one in server.get("/console/live/samples").json())


def until(holds: Callable[[], object]) -> None:
    for _ in patiently():
        if holds():
            return
    raise AssertionError


def test_it_shows_all_workers_and_goes_on_as_they_come_and_go(server: Server):
    until(lambda: server.get("/console/live/samples").json())
    for _ in range(20):  # each on a connection of its own, so that both workers answer some
        assert server.post("/predict/toy", ROW).status_code == 200
    until(lambda: asked(server) == 20)
    began = time.monotonic()
    streams = [Stream(server) for _ in range(4)]
    seen = [stream.event() for stream in streams]
    before = set(server.workers())
    server.process.send_signal(signal.SIGHUP)
    for stream in streams:
        stream.rest()
    until(lambda: len(server.workers()) == 2 and not before & set(server.workers()))
    assert time.monotonic() - began < LASTS, "or nobody has ended them but their time"
    for _ in range(10):
        assert server.post("/predict/toy", ROW).status_code == 200
    os.kill(server.workers()[0], signal.SIGKILL)  # one of the two adds to the history
    again = Stream(server, **{"Last-Event-ID": seen[0][0]})
    found = again.event()[1]
    assert found[0]["at"] > seen[0][1][-1]["at"]
    until(lambda: asked(server) == 30)
    until(lambda: locks(server))
    [lock] = locks(server)
    fill(lock.parent)
    events, samples = (unread(server, f"/console/live/{what}") for what in ("events", "samples"))
    server.process.send_signal(signal.SIGTERM)
    until(lambda: connected(server) == 1)
    assert len(samples.json()[0]["pad"]) == MUCH, "an answer with an end is waited for"
    assert server.process.wait(SECONDS) == 0
    again.rest()
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        assert events.content


def unread(server: Server, path: str) -> requests.Response:
    """An answer whose client reads no more than its head."""
    return requests.get(server.url(path), headers={"Accept-Encoding": "identity"}, stream=True, timeout=SECONDS)


def fill(history: Path) -> None:
    """Put more in it than fits between a server and a client who does not read."""
    at = int(time.time()) - 600
    sample = {"at": at, "seconds": 5.0, "models": {}, "pad": MUCH * "x"}
    (history / f"{at // PART}.jsonl").write_text(json.dumps(sample, separators=(",", ":")) + "\n")


def connected(server: Server) -> int:
    """How many connections to it stand, at its own end."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{server.port:04X}") and row[3] == ESTABLISHED for row in rows)


def test_who_has_left_or_is_one_too_many_holds_no_place(store: Path, tmp_path: Path):
    with running(store, tmp_path / "log", engine="onnx", workers=1, worker="gthread", threads=16) as server:
        until(lambda: server.get("/console/live/samples").json())
        assert locks(server)
        streams = [Stream(server) for _ in range(2)]
        for stream in streams:
            stream.event()
        refused = server.get("/console/live/events")
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:manifold:problem:streams-taken"
        assert int(refused.headers["Retry-After"]) > 0
        assert server.get("/healthz").ok
        streams[0].response.close()

        def free() -> bool:
            with requests.get(server.url("/console/live/events"), stream=True, timeout=SECONDS) as answer:
                return answer.status_code == 200

        until(free)


def test_without_the_console_there_is_neither_a_history_nor_a_stream(store: Path, tmp_path: Path):
    with running(store, tmp_path / "log", engine="onnx", workers=1, console="off") as server:
        assert server.get("/console/live").status_code == 404
        assert server.get("/console/live/events").status_code == 404
        assert not locks(server)


def locks(server: Server) -> list[Path]:
    """The lock of the history, if a worker keeps that: it has it open."""
    files: list[Path] = []
    for worker in server.workers():
        with contextlib.suppress(FileNotFoundError):  # it has just gone
            files += [file.resolve() for file in Path(f"/proc/{worker}/fd").iterdir()]
    return [file for file in files if file.match("*/live/lock")]
