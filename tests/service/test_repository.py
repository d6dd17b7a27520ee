"""Models loaded and unloaded while they are asked, and workers that follow one another."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service.batcher import Batcher
from service.catalog import Catalog
from service.errors import Draining, ModelNotFound, VersionNotFound
from service.handle import ModelHandle
from service.queueing import Job, Queue
from service.repository import CannotLoad, Repository
from service.served import State
from service.store import Version
from tests.service.fakes import FakeEngine, Hand, handle, job
from tests.service.server import SECONDS

NUMBERS = st.integers(1, 4)


def engine(number: int) -> FakeEngine:
    """Answers every row with the version's number."""
    return FakeEngine(function=lambda inputs: {"y": np.full((len(inputs["x"]), 1), float(number))})


def answer(asked: Job) -> float:
    return asked.future.result(0).outputs["y"].item()


def publish(root: Path, number: int, name: str = "m") -> None:
    (root / name / str(number)).mkdir(parents=True)
    (root / name / str(number) / "saved_model.pb").touch()


class Changing(RuleBasedStateMachine):
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
            with pytest.raises(OSError, match="broken"):
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

    @precondition(lambda self: self.found)
    @rule(data=st.data())
    def queue(self, data):
        """However long ago the version was found."""
        found = data.draw(st.sampled_from(self.found))
        asked = job([[0.0]])
        try:
            found.batcher.submit([asked])
        except Draining:
            assert found.engine.closed
        else:
            self.accepted.append((found.version, asked))

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
    """Threads that ask all the time, while versions 1 and 2 replace each other."""
    ended = threading.Event()

    def load(version: Version) -> ModelHandle:
        made = engine(version.number)
        return ModelHandle(
            **{**vars(handle(made, Hand(), version=version.number)), "batcher": Batcher(made, Queue(8, 99))}
        )

    catalog = Catalog([Version("m", 1, Path())], load, grace=0.05)
    catalog.load_all()

    def ask() -> set[float]:
        answers = set()
        while not ended.is_set():
            found = catalog.get("m")
            asked = job([[0.0]])
            found.batcher.submit([asked])
            assert asked.future.result(SECONDS).outputs["y"].item() == found.version
            answers.add(found.version)
        return answers

    with ThreadPoolExecutor(3) as pool:
        askers = [pool.submit(ask) for _ in range(3)]
        for number, _ in zip(cycle((2, 1)), range(8), strict=False):
            catalog.swap("m", [Version("m", number, Path())])
        ended.set()
        assert set.union(*(one.result(SECONDS) for one in askers)) == {1, 2}
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
    """A store of m/1, and workers that share a folder; they follow when the test says."""

    def __init__(self, root: Path) -> None:
        self.root = root / "store"
        self.folder = root / "served"
        self.broken: set[int] = set()
        self.closed = threading.Event()
        publish(self.root, 1)

    def worker(self) -> tuple[Catalog, Repository]:
        def load(version: Version) -> ModelHandle:
            if version.number in self.broken:
                raise OSError(f"cannot read {version.folder}/saved_model.pb\nnor /usr/share/else")
            assert version.folder == self.root / version.model / str(version.number)
            return handle(Closing(self.closed), Hand(), name=version.model, version=version.number)

        catalog = Catalog([Version("m", 1, self.root / "m" / "1")], load, grace=0)
        return catalog, Repository(catalog, self.root, 1, self.folder)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    yield Site(tmp_path)
    shutil.rmtree(tmp_path)  # ends the followers


def numbers(catalog: Catalog, model: str = "m") -> list[int]:
    return [number for number, served in catalog.versions(model).items() if served.handle is not None]


class TestRepository:
    def test_every_worker_follows(self, site: Site):
        workers = [site.worker() for _ in range(3)]
        for _, repository in workers:
            repository.start().join(SECONDS)
        publish(site.root, 2)
        for (_, asked), expected in ((workers[0], [2]), (workers[1], [2])):
            asked.load("m").result(SECONDS)
            for catalog, repository in workers:
                repository.follow()
                assert numbers(catalog) == expected
        workers[2][1].unload("m").result(SECONDS)
        for catalog, repository in workers:
            repository.follow()
            assert numbers(catalog) == []

    def test_a_model_that_came_since_is_served_by_all(self, site: Site):
        (_, asked), (catalog, other) = site.worker(), site.worker()
        publish(site.root, 7, "new")
        asked.load("new").result(SECONDS)
        other.follow()
        assert numbers(catalog, "new") == [7]
        assert catalog.models() == ["m", "new"]

    def test_a_new_worker_begins_as_the_others_are(self, site: Site):
        catalog, repository = site.worker()
        catalog.load_all()
        publish(site.root, 2)
        repository.load("m").result(SECONDS)
        publish(site.root, 3)
        catalog, repository = site.worker()
        repository.start().join(SECONDS)
        assert numbers(catalog) == [2]
        repository.unload("m").result(SECONDS)
        catalog, repository = site.worker()
        repository.start().join(SECONDS)
        assert numbers(catalog) == []
        assert catalog.unready() == {}
        assert {served.state for served in catalog.served()} == {State.END}

    def test_what_cannot_be_loaded_says_why_without_folders_and_changes_nothing(self, site: Site):
        workers = [site.worker() for _ in range(2)]
        for catalog, _ in workers:
            catalog.load_all()
        publish(site.root, 2)
        site.broken = {2}
        with pytest.raises(CannotLoad) as caught:
            workers[0][1].load("m").result(SECONDS)
        assert str(caught.value) == "m cannot be loaded: OSError: cannot read m/2/saved_model.pb"
        for catalog, repository in workers:
            repository.follow()
            assert numbers(catalog) == [1]
            assert catalog.unready() == {}

    def test_a_worker_that_cannot_follow_stays_as_it_is_until_told_again(self, site: Site, caplog):
        (_, asked), (catalog, other) = site.worker(), site.worker()
        catalog.load_all()
        publish(site.root, 2)
        asked.load("m").result(SECONDS)
        site.broken = {2}
        other.follow()
        assert numbers(catalog) == [1]
        assert "m stays as it is in this worker" in caplog.text
        site.broken = set()
        other.follow()
        assert numbers(catalog) == [1]
        asked.load("m").result(SECONDS)
        other.follow()
        assert numbers(catalog) == [2]

    @pytest.mark.parametrize("name", ["nobody", "..", ".m.lock", "", "m" * 300, "é", "m/1"])
    def test_what_is_not_in_the_store_is_not_found(self, site: Site, name):
        _, repository = site.worker()
        with pytest.raises(ModelNotFound):
            repository.load(name).result(SECONDS)
        with pytest.raises(ModelNotFound):
            repository.unload(name)
        assert list(site.folder.iterdir()) == []

    def test_the_last_of_many_changes_stands_everywhere(self, site: Site):
        workers = [site.worker() for _ in range(3)]
        changes = [getattr(repository, verb) for verb in ("load", "unload") for _, repository in workers]
        with ThreadPoolExecutor(len(changes)) as pool:
            for done in pool.map(lambda change: change("m"), changes * 5):
                done.result(SECONDS)
        last = (site.folder / "m").read_text().split()[1:]
        for catalog, repository in workers:
            repository.follow()
            assert [str(number) for number in numbers(catalog)] == last

    def test_workers_follow_by_themselves_until_the_server_ends(self, site: Site):
        (_, asked), (catalog, other) = site.worker(), site.worker()
        other.start().join(SECONDS)
        followers = [one for one in threading.enumerate() if one.name == "follower"]
        asked.unload("m").result(SECONDS)
        assert site.closed.wait(SECONDS)
        shutil.rmtree(site.folder)
        for follower in followers:
            follower.join(SECONDS)
            assert not follower.is_alive()
        assert numbers(catalog) == []
