"""The real server with a process for each of two logical devices of the CPU: what it answers, what it survives."""

import contextlib
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.service import artifacts, saved_models
from tests.service.server import Server, patiently, running

NAMES = ("cpu:0", "cpu:1")
SERVED = "toy/1 is served by saved_model on cpu:0, cpu:1"
ROW = {"text": [2, 3, 4], "numbers": [0.5, -1.0, 2.0]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("devices")
    saved_models.toy(artifacts.toy(root))
    log = tmp_path_factory.mktemp("log") / "devices.log"
    settings = {"placement": "device", "devices": ",".join(NAMES), "standby": "on", "workers": 2}
    with running(root, log, **settings) as server:
        server.wait_for_log(SERVED, times=2)
        server.wait_for_log("stands by")
        yield server


def devices(server: Server) -> dict[str, int]:
    """The process ids of the devices' processes, as they told."""
    told = [line.split()[-4:] for line in server.log.read_text().splitlines() if " serves cpu:" in line]
    return {name: int(pid) for _, pid, _, name in told}


def spare(server: Server) -> int:
    """The process id of the last that told it stands by."""
    return int(re.findall(r"Process (\d+) stands by", server.log.read_text())[-1])


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def alone(server: Server) -> Iterator[None]:
    """Nobody takes the place of a device's process: who stands by is stopped, and so is who would start another."""
    serving = set(devices(server).values())
    [arbiter] = [pid for pid in children(server.process.pid) if serving & set(children(pid))]
    os.kill(arbiter, signal.SIGSTOP)
    for _ in patiently():
        if Path(f"/proc/{arbiter}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            break
    stopped = [*set(children(arbiter)) - serving, arbiter]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def has_tensorflow(pid: int) -> bool:
    """Whether a process has TensorFlow's libraries in its memory."""
    return "tensorflow" in Path(f"/proc/{pid}/maps").read_text()


def answers(server: Server, times: int = 20) -> Counter[int]:
    """Statuses of so many requests, several at once; a 503 says when to come again."""
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: server.post("/predict/toy", ROW), range(times)))
    assert all(reply.headers["Retry-After"] for reply in replies if reply.status_code == 503)
    return Counter(reply.status_code for reply in replies)


def wait_until_ready(server: Server, ready: bool) -> None:
    for _ in patiently():
        answer = server.ready()
        if answer is not None and answer.json()["ready"] is ready:
            return
    raise AssertionError(server.log.read_text())


def test_the_processes_of_devices_are_no_workers_that_are_not_ready(server: Server):
    wait_until_ready(server, True)
    for _ in patiently():
        if "\nmanifold_ready 1.0\n" in server.get("/metrics").text:
            return
    raise AssertionError(server.get("/metrics").text)


def test_the_answers_are_the_models_own(server: Server):
    weights = artifacts.toy_weights()
    joined = np.concatenate([weights["words"][ROW["text"]].mean(axis=0), ROW["numbers"]])
    score = server.post("/predict/toy", ROW).json()["score"]["value"]
    assert score == pytest.approx((joined @ weights["score"]).item(), rel=1e-4)


def test_only_the_processes_of_devices_and_the_one_that_stands_by_load_tensorflow(server: Server):
    assert answers(server) == {200: 20}
    master = server.process.pid
    own = {*devices(server).values(), spare(server)}
    assert len(own) == 3
    others = {master, *children(master)} - own
    assert len(others) == 4  # gunicorn, its arbiter of such processes, two HTTP workers
    assert [has_tensorflow(pid) for pid in own] == [True] * 3
    assert not any(has_tensorflow(pid) for pid in others)


def test_a_device_whose_process_is_killed_gets_the_one_that_stood_by(server: Server):
    before, successor = devices(server), spare(server)
    os.kill(before["cpu:0"], signal.SIGKILL)
    server.wait_for_log("cpu:0 has gone", times=2)
    assert answers(server) == {200: 20}  # the other answers
    server.wait_for_log(f"Process {successor} serves cpu:0")
    with alone(server):
        for pid in devices(server).values():
            os.kill(pid, signal.SIGKILL)
        wait_until_ready(server, ready=False)
        assert answers(server, 4)[503] > 0
    wait_until_ready(server, ready=True)
    assert answers(server) == {200: 20}
    assert not set(devices(server).values()) & set(before.values())


def test_the_end_of_the_server_is_that_of_its_processes(server: Server):
    own = devices(server).values()
    assert server.stop() == 0
    for _ in patiently():
        if not any(Path(f"/proc/{pid}").exists() for pid in own):
            break
    assert not any(Path(f"/proc/{pid}").exists() for pid in own)
