"""Loads that never return, and those that return too late."""

import threading
from pathlib import Path

import pytest

from service.handle import ModelHandle
from service.versions.patience import HungLoading, Patience
from service.versions.store import Version
from service.versions.verdict import reason
from tests.service.fakes import FakeEngine, Hand, handle
from tests.service.server import SECONDS
from tests.service.test_device import until


class Hanging:
    """Loads once it is let; closes tell of themselves."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.closed = threading.Event()
        self.tries = 0

    def __call__(self, _: Version) -> ModelHandle:
        self.tries += 1
        assert self.let.wait(SECONDS)
        engine = FakeEngine()
        engine.close = self.closed.set  # type: ignore[method-assign]
        return handle(engine, Hand())


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return Version("m", 1, tmp_path)


def test_what_loads_in_time_and_what_fails_are_as_ever(version: Version):
    made = handle(FakeEngine(), Hand())
    assert Patience(lambda _: made, SECONDS)(version) is made
    failing = Patience(lambda wanted: [][wanted.number], SECONDS)
    with pytest.raises(IndexError):
        failing(version)


def test_what_hangs_is_given_up_and_not_begun_again_and_let_go_when_it_comes_too_late(version: Version):
    load = Hanging()
    patience = Patience(load, 0.01)
    with pytest.raises(HungLoading, match="it has not loaded within") as caught:
        patience(version)
    assert reason(caught.value) == "hung"
    until(lambda: load.tries == 1)
    with pytest.raises(HungLoading, match="its last try still hangs"):
        patience(version)
    assert load.tries == 1
    (version.folder / "weights").touch()
    with pytest.raises(HungLoading):
        patience(version)
    until(lambda: load.tries == 2)
    load.let.set()
    assert load.closed.wait(SECONDS)
