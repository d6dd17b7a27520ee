"""A real server whose model hangs on a certain row: who waits is told, the worker is replaced, all is well."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from loadtest.chaos import faulty
from tests.service.server import Server, patiently, running

HUNG = {"x": [2], "fault": [faulty.HANG]}
FINE = {"x": [2], "fault": [faulty.FINE]}
ANSWER = {"y": {"value": 5.0, "unit": "points"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker with a model on its event loop and one on a thread; a call may take four seconds."""
    root = tmp_path_factory.mktemp("faulty")
    faulty.write(root / "quick" / "1")
    faulty.write(root / "slow" / "1", faulty.DRAG)
    with running(root, root / "log", workers=1, engine="onnx", engine_timeout=4) as server:
        yield server


def next_worker(server: Server, before: list[int]) -> None:
    """Wait until another process answers, and none of these can."""
    for _ in patiently():
        workers = server.workers()
        if workers and not {*before} & {*workers} and server.ready():
            return
    raise AssertionError(server.log.read_text())


def test_on_a_thread_everybody_who_waits_gets_an_error_and_the_worker_leaves(server: Server):
    before = server.workers()
    with ThreadPoolExecutor(2) as pool:
        asked = list(pool.map(lambda row: server.post("/predict/slow", row), [HUNG, FINE]))
    hung = [answer for answer in asked if answer.status_code != 200]  # the other may have been quicker
    assert [answer.status_code for answer in hung] in ([503], [503, 503])
    assert hung[0].json()["type"] == "urn:manifold:problem:engine-hung"
    assert hung[0].headers["Retry-After"] == "1"
    next_worker(server, before)
    assert server.post("/predict/slow", FINE).json() == ANSWER


def test_on_the_loop_the_process_dies_and_the_next_one_answers(server: Server):
    before = server.workers()
    with pytest.raises(requests.ConnectionError):
        server.post("/predict/quick", HUNG)
    server.wait_for_log("quick/1: a call of the model's engine has not come back for 4 s; this worker is replaced")
    next_worker(server, before)
    assert server.post("/predict/quick", FINE).json() == ANSWER
