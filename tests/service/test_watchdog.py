"""What becomes of engine calls that do not come back, by a clock and ends moved by hand."""

import logging
import threading
from pathlib import Path

import pytest

from service.batching.batcher import Batcher
from service.batching.drivers import ThreadDriver
from service.batching.queueing import Queue
from service.batching.watchdog import BEFORE, Ends, Limits, Watchdog
from service.errors import EngineHung
from service.versions.store import Version
from tests.service import fakes
from tests.service.fakes import HANGS, Clock, FakeEngine, Hand, ManualDriver, job
from tests.service.test_device import until

SECONDS = 60
"""How long a test waits for what must come at once, before it fails."""
ALLOWED, SILENCE, LAST = 50.0, 100.0, 30.0
VERSION = Version("fake", 1, Path())


class Scene:
    """A watchdog, what it has done, and a model of two-row batches that hangs until it is let on."""

    def __init__(self, make_driver=ManualDriver, allowed=ALLOWED) -> None:
        self.clock = Clock()
        self.ended: list[str] = []
        self.ends = Ends(lambda: self.ended.append("left"), lambda: self.ended.append("died"))
        self.watchdog = Watchdog(Limits(allowed, SILENCE, LAST), self.ends, self.clock)
        self.engine = FakeEngine()
        self.entered, self.let_on = threading.Event(), threading.Event()
        self.batcher = Batcher(self.engine, Queue(2, 64), make_driver, clock=self.clock)
        self.watchdog.watch("fake/1", self.batcher)

    def hang_on_a_thread(self) -> list:
        """Three jobs: the first two hang together, the third waits."""

        def hang():
            self.entered.set()
            assert self.let_on.wait(SECONDS)

        self.engine.hangs = hang
        jobs = [job([[HANGS]]), job([[1]]), job([[2]])]
        self.batcher.submit(jobs)
        assert self.entered.wait(SECONDS)
        return jobs

    def after(self, seconds: float) -> list[str]:
        """What the watchdog has done by then."""
        self.clock.now += seconds
        self.watchdog.look()
        return self.ended


@pytest.fixture
def scene():
    scene = Scene(ThreadDriver)
    yield scene
    scene.let_on.set()


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.ERROR, "manifold.watchdog")
    return caplog


def test_a_call_that_takes_no_longer_than_allowed_is_left_alone(scene):
    jobs = scene.hang_on_a_thread()
    assert scene.after(ALLOWED - 1) == []
    scene.let_on.set()
    assert jobs[2].future.result(SECONDS).outputs["y"].tolist() == [[2.0]]
    until(lambda: not scene.batcher.calls)
    assert scene.after(ALLOWED) == []
    assert not scene.batcher.hung


def test_whoever_waits_for_a_hung_engine_is_told_and_so_is_who_comes(scene):
    jobs = scene.hang_on_a_thread()
    scene.after(ALLOWED)
    for one in jobs:
        with pytest.raises(EngineHung, match="a call of the model's engine has not come back for 50 s"):
            one.future.result(0)
    with pytest.raises(EngineHung):
        scene.batcher.submit([job([[1]])])
    assert scene.batcher.waiting_rows == 0


def test_a_worker_with_a_hung_thread_leaves_once_and_dies_if_that_takes_too_long(scene, said):
    scene.hang_on_a_thread()
    assert scene.after(ALLOWED) == ["left"]
    assert [record.getMessage() for record in said.records] == [
        "fake/1: a call of the model's engine has not come back for 50 s; this worker is replaced"
    ]
    assert scene.after(LAST - 1) == ["left"]
    assert scene.after(1) == ["left", "died"]


def test_at_its_end_a_worker_waits_for_no_hung_thread(scene):
    scene.hang_on_a_thread()
    scene.watchdog.end()
    assert scene.ended == []
    scene.after(ALLOWED)
    scene.batcher.close()
    scene.watchdog.end()
    assert scene.ended == ["left", "died"]


def test_nor_for_a_model_that_loads():
    scene = Scene()

    def load(_):
        scene.watchdog.end()
        return fakes.handle(FakeEngine(), Hand())

    scene.watchdog.over(load)(VERSION)
    assert scene.ended == ["died"]
    scene.watchdog.end()
    assert scene.ended == ["died"]


def test_an_answer_that_comes_after_all_hurts_nobody(scene):
    scene.hang_on_a_thread()
    scene.after(ALLOWED)
    scene.let_on.set()
    scene.batcher._driver.close()
    assert scene.batcher.calls == []


def test_a_call_that_stops_the_event_loop_ends_the_process_before_gunicorn_does():
    """The main thread of a worker has the loop; what hangs it is looked at from another."""
    scene = Scene(allowed=1000)
    scene.engine.hangs = lambda: seen.extend([*scene.after(BEFORE * SILENCE - 1), "-", *scene.after(1)])
    seen: list[str] = []
    scene.batcher.submit([job([[HANGS]])])
    scene.batcher.step()
    assert seen == ["-", "died"]


def test_a_model_whose_engine_hangs_is_not_ready_and_says_why():
    catalog = fakes.catalog([handle := fakes.handle(FakeEngine(), Hand())])
    assert catalog.unready() == {}
    handle.batcher.give_up("it hangs")
    assert catalog.unready() == {"fake/1": "it hangs"}
    catalog.close()


def test_a_model_that_loads_for_very_long_is_spoken_of_and_nothing_more(said):
    scene = Scene()

    def load(version):
        scene.after(ALLOWED - 1)
        scene.after(1)
        scene.after(ALLOWED)
        return fakes.handle(FakeEngine(), Hand())

    scene.watchdog.over(load)(VERSION)
    assert scene.after(ALLOWED) == []
    assert [record.getMessage() for record in said.records] == ["fake/1 is still loading, after another 50 s"] * 2


def test_what_was_loaded_is_watched():
    scene = Scene()
    engine = FakeEngine()
    handle = scene.watchdog.over(lambda _: fakes.handle(engine, Hand()))(VERSION)
    handle.batcher._clock = scene.clock
    engine.hangs = lambda: scene.after(ALLOWED)
    handle.batcher.submit([job([[HANGS]])])
    handle.batcher.step()
    assert scene.ended == ["died"]


def test_what_failed_to_load_is_forgotten(said):
    scene = Scene()

    def load(_):
        raise MemoryError

    with pytest.raises(MemoryError):
        scene.watchdog.over(load)(VERSION)
    scene.after(ALLOWED)
    assert said.records == []
