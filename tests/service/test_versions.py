"""Versions that come and go: any order of changes to store and policy, and a real server with two workers."""

import json
import shutil
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from service.batching.jobs import Job
from service.errors import ModelNotFound, ModelNotReady
from service.handle import ModelHandle
from service.versions import policies
from service.versions.catalog import Catalog
from service.versions.policy import Policy
from service.versions.repository import Repository
from service.versions.store import Version
from service.versions.told import Folder
from service.versions.trial import Trial
from service.versions.watch import Watch
from service.versions.wishes import Wishes
from tests.service import artifacts
from tests.service.fakes import Clock, FakeEngine, Hand, handle
from tests.service.server import SECONDS, Server, command, environment, patiently, running
from tests.service.test_gunicorn import ROW
from tests.service.test_policy import NUMBERS, POLICIES
from tests.service.upgrades import Upgrades

WORKERS = st.integers(0, 1)


class Worker(Repository):
    """One of two; it loads what is right on disk, and its engines answer with their version's number."""

    def __init__(self, root: Path, hand: Hand, clock: Clock) -> None:
        def load(version: Version) -> ModelHandle:
            if not (version.folder / "saved_model.pb").read_text().startswith("right"):
                raise OSError("broken")
            engine = FakeEngine(function=lambda inputs: {"y": np.full((len(inputs["x"]), 1), float(version.number))})
            return handle(engine, hand, name="m", version=version.number)

        trial = Trial(load, root / "loading", lambda _: 0, lambda: None)
        self.catalog = Catalog([], trial, grace=0)
        wishes = Wishes(root / "store", file=root / "serving.json")
        super().__init__(self.catalog, wishes, Folder(root / "served"), trial, clock)
        self.follow()
        self.catalog.load_all()

    def numbers(self) -> set[int]:
        try:
            return {number for number, served in self.catalog.versions("m").items() if served.handle is not None}
        except ModelNotFound:
            return set()


class Upgrading(Upgrades):
    """One model in a store that two workers share; version 1 is right from the start."""

    @initialize()
    def start(self):
        self.root = Path(tempfile.mkdtemp())
        self.model = self.root / "store" / "m"
        self.hand, self.clock = Hand(), Clock()
        self.writes = 0
        self.right: set[int] = set()
        self.ever: dict[int, set[bool]] = {}
        self.policy = Policy()
        self.gone = False
        self.found: list[ModelHandle] = []
        self.accepted: list[tuple[int, Job]] = []
        self.publish(1, True)
        self.workers = [self.worker() for _ in range(2)]
        self.watch = Watch(self.workers[0], 1.0, self.clock)

    def worker(self) -> Worker:
        return Worker(self.root, self.hand, self.clock)

    def place(self) -> Path:
        return self.root / "away" / "m" if self.gone else self.model

    @rule(number=NUMBERS, right=st.booleans())
    def publish(self, number, right):
        """New, or written over."""
        self.writes += 1
        folder = self.place() / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "saved_model.pb").write_text(("right" if right else "wrong") + "." * self.writes)
        self.right = self.right | {number} if right else self.right - {number}
        self.ever.setdefault(number, set()).add(right)

    @rule(number=NUMBERS)
    def remove(self, number):
        shutil.rmtree(self.place() / str(number), ignore_errors=True)
        self.right -= {number}

    @rule()
    def vanish_or_return(self):
        one, other = self.root / "store", self.root / "away"
        (other if self.gone else one).rename(one if self.gone else other)
        self.gone = not self.gone

    @rule(wanted=POLICIES)
    def wish(self, wanted):
        (self.root / "serving.json").write_text(json.dumps({"m": policies.document(wanted)}))
        self.policy = wanted

    @rule()
    def look(self):
        self.watch.look()

    @rule(worker=WORKERS)
    def follow(self, worker):
        self.workers[worker].follow()

    @rule()
    def restart(self):
        """It serves what the other was told, or, where that cannot be loaded any more, the other follows it."""
        self.workers[1] = self.worker()

    @rule(worker=WORKERS)
    def ask(self, worker):
        try:
            found = self.workers[worker].catalog.get("m")
        except (ModelNotFound, ModelNotReady):
            assert not self.workers[worker].numbers()
        else:
            self.found.append(found)

    @rule()
    def settle(self):
        """Looked at often enough, both workers serve what is wished of what is right."""
        before = self.workers[0].numbers()
        for _ in range(8):
            self.clock.now += 100
            self.watch.look()
            for worker in self.workers:
                worker.follow()
        first = self.workers[0].numbers()
        wanted = set(self.policy.choose(self.right, 1, lambda _: True))
        if self.gone:
            assert first or not before
        elif all(len(self.ever[number]) == 1 for number in self.ever):  # none was written over otherwise
            assert first == self.workers[1].numbers() or first - self.right  # what is gone, nobody loads any more
            assert first == wanted or (not wanted and self.policy.versions != ())

    @invariant()
    def what_was_never_right_never_answers(self):
        if hasattr(self, "workers"):
            for worker in self.workers:
                assert all(True in self.ever[number] for number in worker.numbers())
            self.hand.turn()
            for number, asked in self.accepted:
                assert asked.future.result(0).outputs["y"].item() == number
            self.accepted.clear()

    def teardown(self):
        if hasattr(self, "workers"):
            for worker in self.workers:
                worker.catalog.close()
                worker.folder.close()
            shutil.rmtree(self.root)


class TestServer:
    """Two workers; each request comes on a connection of its own, to whichever accepts it."""

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[Server]:
        artifacts.toy(tmp_path / "store")
        settings = {"workers": 2, "engine": "onnx", "watch": 0.1}
        with running(tmp_path / "store", tmp_path / "log", **settings) as server:
            server.wait_for_log("ASGI server listening", times=2)
            yield server

    def until_all_say(self, server: Server, path: str, text: str) -> None:
        for _ in patiently():
            if all(text in server.get(path).text for _ in range(20)):
                return
        raise AssertionError(server.get(path).text)

    def test_versions_are_published_refused_and_rolled_back_without_one_failed_request(
        self, server: Server, tmp_path: Path
    ):
        ended = threading.Event()

        def ask() -> Counter[tuple[int, str | None]]:
            heard: Counter[tuple[int, str | None]] = Counter()
            while not ended.is_set():
                answer = server.post("/predict/toy", ROW)
                heard[answer.status_code, answer.headers.get("X-Model-Version")] += 1
            return heard

        with ThreadPoolExecutor(2) as pool:
            askers = [pool.submit(ask) for _ in range(2)]
            try:
                artifacts.toy(tmp_path / "store", version=2)
                server.wait_for_log("toy/1 is unloaded", times=2)
                artifacts.toy(tmp_path / "store", version=3, golden_off_by=0.01)
                for path in ("/models", "/v1/models/toy"):
                    self.until_all_say(server, path, "off the golden answers of score")
                self.until_all_say(server, "/readyz", "true")
                subprocess.run(
                    command("rollback", "toy", "--to", "1"), env=environment(store=tmp_path / "store"), check=True
                )
                server.wait_for_log("toy/2 is unloaded", times=2)
            finally:
                ended.set()
            heard = askers[0].result(SECONDS) + askers[1].result(SECONDS)
        assert set(heard) == {(200, "1"), (200, "2")}
        assert server.post("/predict/toy", ROW).headers["X-Model-Version"] == "1"
        count = 'manifold_versions_refused_total{model="toy",reason="wrong-answers",version="3"} 1.0'
        assert count in server.get("/metrics").text
        assert str(tmp_path) not in server.get("/models").text


TestUpgrading = Upgrading.TestCase
TestUpgrading.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
