"""Name and version to handle; loading, failing and ending."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.errors import Draining, ModelNotFound, ModelNotReady, ServiceError, VersionNotFound
from service.handle import ModelHandle
from service.versions.catalog import Catalog
from service.versions.served import State
from service.versions.store import Version
from service.versions.verdict import Unloadable
from tests.service.fakes import FakeEngine, Hand, handle, job
from tests.service.server import SECONDS

FORWARD = [State.START, State.LOADING, State.AVAILABLE, State.UNLOADING, State.END]


def version(name: str, number: int = 1) -> Version:
    return Version(name, number, Path(f"/srv/{name}/{number}"))


def load(wanted: Version) -> ModelHandle:
    if wanted.model == "broken":
        raise OSError("no such file")
    return handle(FakeEngine(), Hand(), name=wanted.model, version=wanted.number)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "manifold.catalog")


@pytest.fixture
def catalog() -> Catalog:
    """a in versions 3 and 1, and b, all loaded."""
    made = Catalog([version("a", 3), version("a", 1), version("b")], load)
    made.load_all()
    return made


def test_the_newest_version_answers_unless_another_is_asked_for(catalog: Catalog):
    assert catalog.get("a").version == 3
    assert catalog.get("a", 1).version == 1
    assert catalog.models() == ["a", "b"]


def test_an_unknown_model_is_told_which_there_are(catalog: Catalog):
    with pytest.raises(ModelNotFound, match="no model 'c' is served; there is a, b"):
        catalog.get("c")
    with pytest.raises(ModelNotFound, match="there is none"):
        Catalog([], load).get("a")


def test_an_unknown_version_is_told_which_there_are(catalog: Catalog):
    with pytest.raises(VersionNotFound, match="a is not served in version 2; there is 3, 1"):
        catalog.get("a", 2)


def test_a_model_that_fails_does_not_stop_the_others(caplog):
    catalog = Catalog([version("broken"), version("a")], load)
    catalog.load_all()
    assert catalog.get("a").model == "a"
    with pytest.raises(ModelNotReady, match="broken could not be loaded") as caught:
        catalog.get("broken")
    assert caught.value.retry_after is None
    assert catalog.unready() == {"broken/1": "OSError: no such file"}
    assert "broken/1 cannot be served: OSError: no such file" in caplog.text
    assert "a/1 is served by fake on thin air" in caplog.text


def test_an_older_version_answers_while_the_newest_has_failed():
    def load_old(wanted: Version) -> ModelHandle:
        if wanted.number == 2:
            raise ValueError
        return load(wanted)

    catalog = Catalog([version("a", 2), version("a", 1)], load_old)
    catalog.load_all()
    assert catalog.get("a").version == 1
    with pytest.raises(ModelNotReady):
        catalog.get("a", 2)


def test_before_loading_a_model_is_still_loading():
    catalog = Catalog([version("a")], load)
    with pytest.raises(ModelNotReady, match="a is still loading"):
        catalog.get("a")
    assert catalog.unready() == {"a/1": "START"}


def test_a_model_that_is_new_and_fails_while_all_are_loaded_does_not_stop_the_others():
    begun, going = threading.Event(), threading.Event()

    def load_in_turn(wanted: Version) -> ModelHandle:
        if wanted.model == "broken":
            begun.set()
            going.wait(SECONDS)
        else:
            going.set()
        return load(wanted)

    catalog = Catalog([version("a")], load_in_turn)
    with ThreadPoolExecutor(1) as pool:
        tried = pool.submit(catalog.swap, "broken", [version("broken", 2), version("broken", 1)])
        assert begun.wait(SECONDS)
        catalog.load_all()
    assert isinstance(tried.exception(), Unloadable)
    assert catalog.models() == ["a"]
    assert catalog.get("a").model == "a"


def test_states_only_move_forward():
    seen: dict[str, list[State]] = {"a": [], "broken": []}

    def look() -> None:
        for served in catalog.served():
            states = seen[served.version.model]
            if not states or states[-1] is not served.state:
                states.append(served.state)

    class Looking(FakeEngine):
        def close(self) -> None:
            look()

    def load_and_look(wanted: Version) -> ModelHandle:
        look()
        if wanted.model == "broken":
            raise OSError
        return handle(Looking(), Hand(), name=wanted.model)

    catalog = Catalog([version("a"), version("broken")], load_and_look)
    look()
    catalog.load_all()
    look()
    catalog.close()
    look()
    assert seen["a"] == FORWARD
    assert seen["broken"] == [State.START, State.LOADING, State.END]


def test_close_answers_what_was_accepted_and_lets_go_of_every_engine(catalog: Catalog):
    waiting = job([[1]])
    handles = [served.handle for served in catalog.served()]
    catalog.get("b").batcher.submit([waiting])
    catalog.close()
    assert waiting.future.result(0).outputs["y"].tolist() == [[1.0]]
    assert all(one.engine.closed for one in handles)
    with pytest.raises(Draining):
        catalog.get("b").batcher.submit([job([[1]])])


def test_an_engine_that_has_gone_for_a_while_is_told_while_it_is_gone():
    class Away(FakeEngine):
        why = "the process of gpu:0 has gone"

        def absent(self) -> str:
            return self.why

    engine = Away()
    catalog = Catalog([version("a")], lambda _: handle(engine, Hand()))
    catalog.load_all()
    assert catalog.unready() == {"a/1": "the process of gpu:0 has gone"}
    engine.why = ""
    assert catalog.unready() == {}


def test_an_engine_that_cannot_close_does_not_stop_the_others(caplog):
    class Stuck(FakeEngine):
        def close(self) -> None:
            raise ServiceError("stuck")

    engines = {"a": Stuck(), "b": FakeEngine()}
    catalog = Catalog([version("a"), version("b")], lambda wanted: handle(engines[wanted.model], Hand()))
    catalog.load_all()
    catalog.close()
    assert engines["b"].closed
    assert "a: stuck" in caplog.text
    assert [served.state for served in catalog.served()] == [State.END, State.END]
