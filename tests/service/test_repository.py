"""Models loaded and unloaded while they are asked, and workers that follow one another."""

import fcntl
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from service.batching.batcher import Batcher
from service.batching.jobs import Job
from service.batching.queueing import Queue
from service.engines.tf_serving.fleet import FleetAway
from service.errors import (
    DeadlineExceeded,
    Draining,
    ModelNotFound,
    ModelNotReady,
    QueueFull,
    ServiceError,
    VersionNotFound,
)
from service.handle import ModelHandle
from service.versions.background import go_on
from service.versions.catalog import Catalog
from service.versions.repository import AGAIN, CannotLoad, Repository
from service.versions.served import State
from service.versions.store import NothingToServe, Version
from service.versions.told import Folder
from service.versions.trial import Trial
from service.versions.verdict import Unloadable
from service.versions.watch import Watch
from service.versions.wishes import CannotWrite, Wishes
from tests.service.fakes import Clock, FakeEngine, Hand, handle, job
from tests.service.server import SECONDS
from tests.service.test_device import until
from tests.service.upgrades import Upgrades

NUMBERS = st.integers(1, 4)


def engine(number: int) -> FakeEngine:
    """Answers every row with the version's number."""
    return FakeEngine(function=lambda inputs: {"y": np.full((len(inputs["x"]), 1), float(number))})


def answer(asked: Job) -> float:
    return asked.future.result(0).outputs["y"].item()


def publish(root: Path, number: int, name: str = "m") -> None:
    (root / name / str(number)).mkdir(parents=True)
    (root / name / str(number) / "saved_model.pb").touch()


class Changing(Upgrades):
    """One model whose versions come and go, in the order of the rules; rows wait until the engines turn."""

    @initialize(number=NUMBERS)
    def start(self, number):
        self.hand = Hand()
        self.broken: set[int] = set()
        self.engines: list[FakeEngine] = []
        self.found: list[ModelHandle] = []
        self.accepted: list[tuple[int, Job]] = []
        self.catalog = Catalog([Version("m", number, Path())], self.load, grace=0)
        self.catalog.load_all()
        self.served = {number}

    def load(self, version: Version) -> ModelHandle:
        if version.number in self.broken:
            raise OSError("broken")
        self.engines.append(engine(version.number))
        return handle(self.engines[-1], self.hand, name="m", version=version.number)

    @rule(numbers=st.sets(NUMBERS))
    def swap(self, numbers):
        wanted = [Version("m", number, Path()) for number in sorted(numbers, reverse=True)]
        if self.broken & (numbers - self.served):
            with pytest.raises(Unloadable, match="OSError: broken"):
                self.catalog.swap("m", wanted)
        else:
            self.catalog.swap("m", wanted)
            self.served = set(numbers)
            for number, asked in self.accepted:
                assert number in numbers or answer(asked) == number

    @rule(number=NUMBERS)
    def break_or_mend(self, number):
        self.broken ^= {number}

    @rule(number=st.none() | NUMBERS)
    def find(self, number):
        try:
            found = self.catalog.get("m", number)
        except (ModelNotFound, VersionNotFound):
            assert number not in self.served
            assert number or not self.served
        else:
            assert found.version == (number or max(self.served))
            self.found.append(found)

    @rule()
    def turn(self):
        self.hand.turn()
        for number, asked in self.accepted:
            assert answer(asked) == number

    @invariant()
    def one_engine_is_open_per_served_version(self):
        if hasattr(self, "catalog"):
            states = {number: served.state for number, served in self.catalog.versions("m").items()}
            assert {number for number, state in states.items() if state is State.AVAILABLE} == self.served
            assert set(states.values()) <= {State.AVAILABLE, State.END}
            assert len([one for one in self.engines if not one.closed]) == len(self.served)
            assert list(states) == sorted(states, reverse=True)
            assert self.catalog.unready() == {}

    def teardown(self):
        if hasattr(self, "catalog"):
            self.catalog.close()
            for number, asked in self.accepted:
                assert answer(asked) == number


TestChanging = Changing.TestCase
TestChanging.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_no_request_is_refused_while_another_version_takes_over():
    """Threads that ask all the time, while versions 1 and 2 replace each other.

    A thread that dawdles beyond the grace, as on a busy machine, may be refused.
    """
    ended, heard, grace = threading.Event(), set[float](), 0.05

    def load(version: Version) -> ModelHandle:
        made = engine(version.number)
        return ModelHandle(
            **{**vars(handle(made, Hand(), version=version.number)), "batcher": Batcher(made, Queue(8, 99))}
        )

    catalog = Catalog([Version("m", 1, Path())], load, grace=grace)
    catalog.load_all()

    def ask() -> None:
        while not ended.is_set():
            before, found, asked = time.monotonic(), catalog.get("m"), job([[0.0]])
            time.sleep(grace / 10)
            try:
                found.batcher.submit([asked])
            except Draining:
                assert time.monotonic() - before >= grace
                continue
            assert asked.future.result(SECONDS).outputs["y"].item() == found.version
            heard.add(found.version)

    with ThreadPoolExecutor(3) as pool:
        askers = [pool.submit(ask) for _ in range(3)]
        try:
            for number, _ in zip(cycle((2, 1)), range(8), strict=False):
                heard.discard(number)
                catalog.swap("m", [Version("m", number, Path())])
                until(lambda number=number: number in heard)
        finally:
            ended.set()
        for one in askers:
            one.result(SECONDS)
    catalog.close()


def test_what_has_not_loaded_yet_can_be_unloaded_and_loaded():
    loaded = []

    def load(version: Version) -> ModelHandle:
        loaded.append(version.number)
        return handle(FakeEngine(), Hand(), version=version.number)

    catalog = Catalog([Version("m", 3, Path()), Version("m", 2, Path())], load, grace=0)
    catalog.swap("m", [Version("m", 2, Path())])
    catalog.load_all()
    assert loaded == [2]
    assert [(number, one.state) for number, one in catalog.versions("m").items()] == [
        (3, State.END),
        (2, State.AVAILABLE),
    ]


def test_going_is_unloading_until_what_was_accepted_is_answered():
    asked, seen = job([[0.0]]), []

    class Looking(FakeEngine):
        def close(self) -> None:
            seen.append((catalog.versions("m")[1].state, asked.future.done()))
            with pytest.raises(ModelNotFound, match="m is unloaded"):
                catalog.get("m")

    catalog = Catalog([Version("m", 1, Path())], lambda _: handle(Looking(), Hand()), grace=0)
    catalog.load_all()
    catalog.get("m").batcher.submit([asked])
    catalog.swap("m", [])
    assert seen == [(State.UNLOADING, True)]
    assert catalog.versions("m")[1].state is State.END


class Closing(FakeEngine):
    """Tells when it is let go."""

    def __init__(self, closed: threading.Event) -> None:
        super().__init__()
        self._closed = closed

    def close(self) -> None:
        super().close()
        self._closed.set()


class Site:
    """A store of m/1, and workers that share a folder; they follow and look when the test says."""

    def __init__(self, root: Path) -> None:
        self.root = root / "store"
        self.folder = root / "served"
        self.broken: set[int] = set()
        self.away: set[int] = set()
        self.why: type[ServiceError] = FleetAway
        self.closed = threading.Event()
        self.clock = Clock()
        publish(self.root, 1)

    def end(self) -> None:
        """The server's folder is gone, at once: while its files went, a follower might write a new one."""
        if self.folder.exists():
            self.folder.rename(self.folder.with_name("ended"))

    def write(self, **policies: Any) -> None:
        (self.root / "serving.json").write_text(json.dumps(policies))

    def worker(self, copies: int = 1, available: int | None = None, **wishes: Any) -> "Worker":
        def load(version: Version) -> ModelHandle:
            if version.number in self.broken or not version.folder.is_dir():
                raise OSError(f"cannot read {version.folder}/saved_model.pb\nnor /usr/share/else")
            if version.number in self.away:
                raise self.why("a:8500: NOT_FOUND")
            assert version.folder == self.root / version.model / str(version.number)
            return handle(Closing(self.closed), Hand(), name=version.model, version=version.number)

        trial = Trial(load, self.folder / "loading", lambda _: 100, lambda: available, copies)
        wished = Wishes(self.root, file=self.root / "serving.json", **wishes)
        return Worker(Catalog([], trial, grace=0), wished, Interrupted(self.folder / "served"), trial, self.clock)

    def workers(self, count: int, **wishes: Any) -> "list[Worker]":
        made = [self.worker(**wishes) for _ in range(count)]
        for worker in made:
            worker.follow()
            worker.catalog.load_all()
        return made


class Interrupted(Folder):
    """Somebody else may come before whoever wants a lock: `first` is called once, then."""

    first: Callable[[], object] | None = None

    def lock(self, model: str, kind: int = fcntl.LOCK_EX) -> AbstractContextManager[None]:
        first, self.first = self.first, None
        if first is not None:
            first()
        return super().lock(model, kind)


class Worker(Repository):
    """A repository and the watch over it."""

    folder: Interrupted

    def __init__(self, catalog: Catalog, *more: Any) -> None:
        super().__init__(catalog, *more)
        self.catalog = catalog
        self.watch = Watch(self, 1.0, more[-1])

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.watch.look()

    def numbers(self, model: str = "m") -> list[int]:
        return [number for number, served in self.catalog.versions(model).items() if served.handle is not None]


def states(worker: Worker, model: str = "m") -> dict[int, tuple[State, str]]:
    return {number: (served.state, served.error) for number, served in worker.catalog.versions(model).items()}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.end()


class Sharing(RuleBasedStateMachine):
    """Two workers that share a store: one calls, looks or follows, in any order."""

    WHO = st.integers(0, 1)

    @initialize(versions=st.sampled_from([1, "all"]))
    def start(self, versions):
        self.place = TemporaryDirectory()
        self.site = Site(Path(self.place.name))
        self.workers = self.site.workers(2, default=versions)
        self.wanted = True
        self.served = [True, True]

    @rule(number=st.integers(2, 3))
    def publish(self, number):
        if not (self.site.root / "m" / str(number)).exists():
            publish(self.site.root, number)

    @rule(number=NUMBERS)
    def break_or_mend(self, number):
        self.site.broken ^= {number}

    @rule(who=WHO, wanted=st.booleans())
    def call(self, who, wanted):
        worker = self.workers[who]
        try:
            (worker.load if wanted else worker.unload)("m").result(SECONDS)
        except CannotLoad:
            return
        self.wanted = wanted
        self.served[who] = wanted

    @rule(who=WHO)
    def follow(self, who):
        self.workers[who].follow()

    @rule(who=WHO, wanted=st.none() | st.booleans())
    def look(self, who, wanted):
        """Or within a call of the other's, which has written the policy file, and is the first to have the lock."""
        worker = self.workers[who]
        if wanted is not None:
            self.site.write(m={} if wanted else {"versions": []})
            worker.folder.first = lambda: self.call(1 - who, wanted)
        worker.look(1)
        if worker.folder.first is not None:
            worker.folder.first()
            worker.folder.first = None

    @invariant()
    def what_is_wanted_and_served_stays(self):
        if hasattr(self, "workers"):
            for who, worker in enumerate(self.workers):
                serves = bool(worker.numbers())
                assert serves or not (self.wanted and self.served[who])
                self.served[who] = serves
            assert self.workers[0].told("m").versions or not self.wanted

    def teardown(self):
        if hasattr(self, "place"):
            self.place.cleanup()


TestSharing = Sharing.TestCase
TestSharing.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


WHY = "OSError: cannot read m/2/saved_model.pb"


class TestCalls:
    def test_every_worker_follows(self, site: Site):
        workers = site.workers(3)
        publish(site.root, 2)
        for asked in workers[:2]:
            asked.load("m").result(SECONDS)
            for worker in workers:
                worker.follow()
                assert worker.numbers() == [2]
        workers[2].unload("m").result(SECONDS)
        for worker in workers:
            worker.follow()
            assert worker.numbers() == []

    def test_unloaded_is_unloaded_for_good(self, site: Site):
        [worker] = site.workers(1)
        worker.unload("m").result(SECONDS)
        assert json.loads((site.root / "serving.json").read_text()) == {"m": {"versions": []}}
        publish(site.root, 2)
        worker.look(3)
        assert worker.numbers() == []
        assert worker.catalog.unready() == {}
        assert {state for state, _ in states(worker).values()} == {State.END}
        worker.load("m").result(SECONDS)
        assert worker.numbers() == [2]
        assert json.loads((site.root / "serving.json").read_text()) == {}

    def test_a_model_that_came_since_is_served_by_all(self, site: Site):
        asked, other = site.workers(2)
        publish(site.root, 7, "new")
        asked.load("new").result(SECONDS)
        other.follow()
        assert other.numbers("new") == [7]
        assert other.catalog.models() == ["m", "new"]

    def test_what_cannot_be_loaded_says_why_without_folders_and_changes_nothing(self, site: Site):
        workers = site.workers(2)
        publish(site.root, 2)
        site.broken = {2}
        with pytest.raises(CannotLoad) as caught:
            workers[0].load("m").result(SECONDS)
        assert str(caught.value) == f"m cannot be loaded: {WHY}"
        for worker in workers:
            worker.follow()
            assert states(worker) == {2: (State.END, WHY), 1: (State.AVAILABLE, "")}
            assert worker.catalog.unready() == {}

    @pytest.mark.parametrize("name", ["nobody", "..", ".m.lock", "", "m" * 300, "é", "m/1"])
    def test_what_is_not_in_the_store_is_not_found(self, site: Site, name):
        [worker] = site.workers(1)
        before = list(site.folder.rglob("*"))
        with pytest.raises(ModelNotFound):
            worker.load(name)
        with pytest.raises(ModelNotFound):
            worker.unload(name)
        assert list(site.folder.rglob("*")) == before

    def test_other_models_than_those_named_are_not_found(self, site: Site):
        publish(site.root, 1, "other")
        [worker] = site.workers(1, named=("m",))
        with pytest.raises(ModelNotFound):
            worker.load("other")

    def test_the_last_of_many_changes_stands_everywhere(self, site: Site):
        workers = site.workers(3)
        changes = [getattr(worker, verb) for verb in ("load", "unload") for worker in workers]
        with ThreadPoolExecutor(len(changes)) as pool:
            for done in pool.map(lambda change: change("m"), changes * 5):
                done.result(SECONDS)
        for worker in workers:
            worker.follow()
            assert worker.numbers() == list(worker.told("m").versions)
        assert worker.numbers() == ([] if (site.root / "serving.json").read_text() != "{}\n" else [1])

    def test_what_one_that_is_asked_cannot_load_stays_where_it_is_served(self, site: Site):
        asked, other = site.workers(2)
        asked.unload("m").result(SECONDS)
        other.load("m").result(SECONDS)
        site.broken = {1}
        with pytest.raises(CannotLoad, match=r"m cannot be loaded: .*m/1/saved_model.pb"):
            asked.load("m").result(SECONDS)
        for worker in (other, asked):
            worker.follow()
        assert (other.numbers(), asked.numbers()) == ([1], [])
        site.broken = set()
        site.clock.now += AGAIN
        asked.follow()
        assert asked.numbers() == [1]

    def test_a_policy_file_that_cannot_be_written_changes_nothing(self, site: Site):
        [worker] = site.workers(1)
        (site.root / "serving.json").mkdir()
        with pytest.raises(CannotWrite, match="it is no file"):
            worker.unload("m").result(SECONDS)
        assert worker.numbers() == [1]

    def test_workers_follow_by_themselves_until_the_server_ends(self, site: Site):
        asked, other = site.worker(), site.worker()
        other.start().join(SECONDS)
        followers = [one for one in threading.enumerate() if one.name == "follower"]
        asked.unload("m").result(SECONDS)
        assert site.closed.wait(SECONDS)
        site.end()
        for follower in followers:
            follower.join(SECONDS)
            assert not follower.is_alive()
        assert other.numbers() == []

    def test_a_worker_stands_once_it_serves_what_the_others_do(self, site: Site):
        """Not while it alone cannot load that: those it relieves would leave."""
        asked, other = site.worker(), site.worker()
        asked.start().join(SECONDS)
        assert asked.stands()
        assert not other.stands()
        site.broken = {1}
        other.start().join(SECONDS)
        assert not other.stands()
        asked.unload("m").result(SECONDS)
        while not other.stands():
            threading.Event().wait(0.01)
        assert other.numbers() == []


class TestBeginning:
    def test_a_new_worker_begins_as_the_others_are(self, site: Site):
        [worker] = site.workers(1)
        publish(site.root, 2)
        worker.load("m").result(SECONDS)
        publish(site.root, 3)
        [late] = site.workers(1)
        assert late.numbers() == [2]
        shutil.rmtree(site.root / "m" / "3")
        worker.unload("m").result(SECONDS)
        [late] = site.workers(1)
        assert late.catalog.models() == ["m"] or late.catalog.models() == []
        assert late.catalog.unready() == {}

    def test_an_older_version_begins_where_the_newest_is_broken_in_any_worker(self, site: Site):
        publish(site.root, 2)
        first, second = site.worker(), site.worker()
        assert first.catalog.unready() == second.catalog.unready() == {"m/2": "START"}
        site.broken = {2}
        for worker in (first, second):
            worker.follow()
            worker.catalog.load_all()
            assert states(worker)[1] == (State.AVAILABLE, "")
            assert states(worker)[2] == (State.END, WHY)
            assert worker.catalog.unready() == {}

    def test_a_model_of_which_nothing_can_be_served_says_why(self, site: Site):
        site.broken = {1}
        for worker in site.workers(2):
            assert worker.catalog.unready() == {"m/1": WHY.replace("/2/", "/1/")}

    def test_a_worker_that_alone_cannot_load_what_all_serve_has_them_take_the_other(self, site: Site):
        """Of two versions; where there is but one, they go on, and it tries again."""
        publish(site.root, 2)
        [worker] = site.workers(1)
        site.broken = {2}
        [late] = site.workers(1)
        worker.follow()
        assert worker.numbers() == late.numbers() == [1]
        site.broken = {1}
        [late] = site.workers(1)
        assert late.numbers() == []
        worker.follow()
        assert worker.numbers() == [1]
        site.broken = set()
        late.follow()
        assert late.numbers() == []
        site.clock.now += AGAIN
        late.follow()
        assert late.numbers() == [1]

    def test_no_worker_takes_the_place_of_others_without_what_they_serve(self, site: Site):
        [worker] = site.workers(1)
        worker.folder.join()
        (site.root / "m").rename(site.root / ".m")
        with pytest.raises(NothingToServe, match="m/1, which other workers serve, is no longer in the store"):
            site.worker()
        worker.folder.close()
        assert site.worker().catalog.unready() == {"m/1": "START"}

    def test_a_worker_waits_to_join_for_one_that_asks_whether_there_are_others(self, site: Site):
        [worker] = site.workers(1)
        with (site.folder / "served" / ".serving").open("w") as asking:
            fcntl.flock(asking, fcntl.LOCK_EX)
            joining = threading.Thread(target=worker.folder.join)
            joining.start()
            joining.join(0.05)
            assert joining.is_alive()
        joining.join(SECONDS)
        assert site.worker().folder.others()

    def test_a_version_that_went_from_the_store_is_not_tried_for_ever_where_no_other_can_be(self, site: Site):
        [worker] = site.workers(1)
        shutil.rmtree(site.root / "m" / "1")
        publish(site.root, 2)
        [late] = site.workers(1)
        site.broken = {2}
        with pytest.raises(CannotLoad, match=r"m cannot be loaded: .*m/2/saved_model.pb"):
            late.load("m").result(SECONDS)
        assert (late.told("m").versions, set(late.told("m").refused)) == ((1,), {2})
        worker.follow()
        assert worker.numbers() == [1]
        publish(site.root, 1)
        late.follow()
        site.clock.now += AGAIN
        late.follow()
        assert late.numbers() == [1]

    def test_a_worker_begins_without_the_store(self, site: Site):
        [worker] = site.workers(1)
        site.root.rename(site.root.with_name("away"))
        [late] = site.workers(1)
        late.look()
        worker.look()
        assert (worker.numbers(), late.numbers()) == ([1], [])
        assert late.catalog.unready()
        site.root.with_name("away").rename(site.root)
        site.clock.now += AGAIN
        late.follow()
        assert late.numbers() == [1]


class TestWatching:
    def test_a_new_version_is_tried_by_one_and_followed_by_all(self, site: Site):
        workers = site.workers(3)
        publish(site.root, 2)
        workers[0].look(1)
        assert workers[0].numbers() == [1]
        workers[0].look(1)
        for worker in workers:
            worker.follow()
            assert worker.numbers() == [2]

    def test_a_version_on_its_way_is_not_touched(self, site: Site):
        [worker] = site.workers(1)
        publish(site.root, 2)
        for size in range(5):
            (site.root / "m" / "2" / "weights").write_bytes(b"x" * size)
            worker.look(1)
            assert worker.numbers() == [1]
        worker.look(1)
        assert worker.numbers() == [2]

    def test_a_refused_version_is_tried_again_only_when_its_files_change(self, site: Site):
        workers = site.workers(2)
        publish(site.root, 2)
        site.broken = {2}
        workers[0].look(2)
        for worker in workers:
            worker.follow()
            assert states(worker) == {2: (State.END, WHY), 1: (State.AVAILABLE, "")}
            with pytest.raises(ModelNotReady):
                worker.catalog.get("m", 2)
        site.broken = set()
        workers[0].look(3)
        assert workers[0].numbers() == [1]
        (site.root / "m" / "2" / "weights").write_bytes(b"right")
        workers[0].look(2)
        for worker in workers:
            worker.follow()
            assert worker.numbers() == [2]

    @pytest.mark.parametrize("why", [FleetAway, ModelNotReady, QueueFull, DeadlineExceeded])
    def test_a_version_that_the_fleet_lacks_is_tried_until_it_has_it(self, site: Site, why: type[ServiceError]):
        site.away, site.why = {1, 2}, why
        workers = site.workers(2)
        workers[0].look(2)
        assert states(workers[0]) == {1: (State.END, "a:8500: NOT_FOUND")}
        assert workers[0].told("m").refused[1].reason == "away"
        site.away = {2}
        workers[0].look(1)
        for worker in workers:
            worker.follow()
            assert worker.numbers() == [1]
        publish(site.root, 2)
        workers[0].look(3)
        assert workers[0].numbers() == [1]
        site.away = set()
        workers[0].look(1)
        for worker in workers:
            worker.follow()
            assert worker.numbers() == [2]

    def test_a_refused_version_that_goes_is_forgotten(self, site: Site):
        [worker] = site.workers(1)
        publish(site.root, 2)
        site.broken = {2}
        worker.look(2)
        shutil.rmtree(site.root / "m" / "2")
        worker.look(1)
        assert worker.told("m").refused == {}
        assert worker.catalog.versions("m")[2].error == ""

    def test_a_store_that_vanishes_takes_nothing_away_and_is_told_once(self, site: Site, caplog):
        publish(site.root, 1, "n")
        [worker] = site.workers(1)
        shutil.rmtree(site.root / "m")
        worker.look(3)
        assert worker.numbers() == [1]
        assert caplog.text.count("m is no longer in the store") == 1
        shutil.rmtree(site.root)
        worker.look(3)
        assert (worker.numbers(), worker.numbers("n")) == ([1], [1])
        assert caplog.text.count("does not exist") == 1
        publish(site.root, 2)
        worker.look(2)
        assert worker.numbers() == [2]

    def test_a_model_that_has_gone_from_the_store_is_unloaded_where_the_policy_says_so(self, site: Site):
        [worker] = site.workers(1)
        shutil.rmtree(site.root / "m")
        site.write(m={"versions": []})
        worker.look(1)
        assert worker.numbers() == []

    def test_a_version_that_is_removed_beside_others_gives_way(self, site: Site):
        publish(site.root, 2)
        [worker] = site.workers(1)
        shutil.rmtree(site.root / "m" / "2")
        worker.look(2)
        assert worker.numbers() == [1]

    def test_a_new_model_is_served_unless_others_are_named(self, site: Site):
        [all_, named] = [site.workers(1)[0], site.worker(named=("m",))]
        publish(site.root, 1, "new")
        named.look(2)
        assert "new" not in all_.catalog.models()
        all_.look(2)
        assert all_.numbers("new") == [1]

    def test_the_policy_file_is_followed_and_its_mistakes_are_told_once(self, site: Site, caplog):
        publish(site.root, 2)
        workers = site.workers(2)
        site.write(m={"versions": [1], "labels": {"stable": 1}})
        workers[0].look(2)
        for worker in workers:
            worker.follow()
            assert worker.numbers() == [1]
            assert worker.catalog.policy("m").labels == {"stable": 1}
        site.write(m={"version": 2})
        workers[0].look(3)
        assert workers[0].numbers() == [1]
        assert workers[0].catalog.policy("m").labels == {"stable": 1}
        assert caplog.text.count("did you mean 'versions'?") == 1
        (site.root / "serving.json").unlink()
        workers[0].look(2)
        assert workers[0].numbers() == [2]
        assert workers[0].catalog.policy("m").labels == {}

    def test_what_a_list_wants_and_cannot_be_served_leaves_what_is(self, site: Site):
        publish(site.root, 2)
        [worker] = site.workers(1, default=2)
        site.write(m={"versions": [3, 4]})
        worker.look(2)
        assert worker.numbers() == [2, 1]

    def test_a_model_that_hangs_while_it_is_tried_holds_up_no_other(self, site: Site):
        publish(site.root, 1, "n")
        first, second = site.workers(2)
        publish(site.root, 2, "n")
        with first.folder.lock("m"):
            first.look(2)
            first.folder.tell("m", replace(first.told("m"), versions=()))
            second.follow()
            assert (second.numbers("m"), second.numbers("n")) == ([1], [2])
        second.follow()
        assert second.numbers("m") == []

    def test_what_another_loads_between_the_look_and_the_change_stays(self, site: Site):
        first, second = site.workers(2)
        first.unload("m").result(SECONDS)
        second.follow()
        site.write()
        second.folder.first = lambda: first.load("m").result(SECONDS)
        second.look(1)
        first.follow()
        assert first.numbers() == second.numbers() == [1]

    def test_one_worker_looks_and_another_once_it_has_gone(self, site: Site):
        first, second = site.workers(2)
        assert first.folder.leads()
        assert first.folder.leads()
        assert not second.folder.leads()
        first.folder.close()
        assert second.folder.leads()

    def test_it_looks_as_often_as_it_is_told(self, site: Site):
        [worker] = site.workers(1)
        publish(site.root, 2)
        for seconds in (0.0, 0.5, 0.9):
            site.clock.now = seconds
            worker.watch()
        assert worker.numbers() == [1]
        site.clock.now = 1.0
        worker.watch()
        assert worker.numbers() == [2]
        Watch(worker, 0)()
        publish(site.root, 3)
        never = Watch(worker, 0, site.clock)
        for _ in range(3):
            site.clock.now += 10
            never()
        assert worker.numbers() == [2]


class TestReadiness:
    """A model that comes to a running server and is refused is its own trouble; one that was there is everybody's."""

    def test_a_bad_model_that_comes_leaves_the_service_ready_in_every_worker(self, site: Site):
        workers = site.workers(2)
        site.broken = {5}
        publish(site.root, 5, "new")
        workers[0].look(2)
        for worker in (*workers, *site.workers(1)):
            worker.follow()
            assert states(worker, "new") == {5: (State.END, WHY.replace("m/2", "new/5"))}
            assert worker.catalog.unready() == {}

    def test_one_that_was_there_at_the_start_does_not(self, site: Site):
        publish(site.root, 5, "other")
        site.broken = {5}
        [worker] = site.workers(1)
        assert list(worker.catalog.unready()) == ["other/5"]
        publish(site.root, 6, "other")
        site.broken = {5, 6}
        worker.look(2)
        assert list(worker.catalog.unready()) == ["other/6", "other/5"]

    def test_one_that_was_not_served_at_the_start_does_unless_it_is_named(self, site: Site):
        site.write(new={"versions": []})
        publish(site.root, 5, "new")
        for names, unready in (((), []), (("m", "new"), ["new/5"])):
            shutil.rmtree(site.folder, ignore_errors=True)
            [worker] = site.workers(1, named=names)
            site.broken = {5}
            site.write()
            worker.look(2)
            assert list(worker.catalog.unready()) == unready
            site.write(new={"versions": []})

    def test_one_that_was_unloaded_is_not_missed(self, site: Site):
        [worker] = site.workers(1)
        worker.unload("m").result(SECONDS)
        site.broken = {1}
        with pytest.raises(CannotLoad):
            worker.load("m").result(SECONDS)
        assert worker.catalog.unready() == {}

    def test_what_others_serve_and_this_worker_cannot_load_does(self, site: Site):
        [worker] = site.workers(1)
        publish(site.root, 5, "new")
        worker.look(2)
        site.broken = {5}
        [late] = site.workers(1)
        assert list(late.catalog.unready()) == ["new/5"]
        assert worker.catalog.unready() == {}


class TestMemory:
    def test_what_cannot_fit_is_refused_with_both_numbers(self, site: Site):
        worker = site.worker(copies=3, available=299)
        worker.follow()
        [(state, error)] = states(worker).values()
        assert state is State.END
        assert error == "it takes at least 300 bytes of memory in 3 workers, and 299 are available"
        assert worker.told("m").refused[1].reason == "memory"

    def test_a_worker_that_follows_counts_itself_alone(self, site: Site):
        for available in (300, 100):
            worker = site.worker(copies=3, available=available)
            worker.follow()
            assert worker.numbers() == [1]


class TestThreads:
    def test_one_look_that_fails_is_told_once_and_is_not_the_last(self, caplog):
        fails: list[Exception | None] = [FileNotFoundError("x"), FileNotFoundError("x"), OSError(28, "full"), None]
        looks = iter(fails)
        seen: list[Exception | None] = []

        def look() -> None:
            seen.append(next(looks))
            if seen[-1]:
                raise seen[-1]

        go_on(look, "watch", lambda: len(seen) < len(fails), lambda _: None).join(SECONDS)
        assert seen == fails
        assert caplog.text.count("the watch could not look, and will again") == 2

    def test_an_ended_server_is_no_trouble(self, caplog):
        def look() -> None:
            there.clear()
            raise FileNotFoundError

        there = [True]
        go_on(look, "follower", lambda: bool(there), lambda _: None).join(SECONDS)
        assert "follower" not in caplog.text
