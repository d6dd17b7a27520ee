"""A real server with tiny models of every kind of input and output, and tabs in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.console.browser import CHROMIUM, Tab, chromium, fresh
from tests.console.kinds import every, strange
from tests.service import artifacts
from tests.service.server import Server, running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; tests that need it are left out where there is none. Its event loop must not outlive a file's tests."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium; on Debian: apt-get install chromium")
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of toy (versions 2 and 1), shop, simple, half, echo, slow, every and strange."""
    store = tmp_path_factory.mktemp("store")
    for number in (1, 2):
        artifacts.toy(store, version=number)
    for make in (artifacts.shop, artifacts.simple, artifacts.half, artifacts.echo, artifacts.slow, every, strange):
        make(store)
    with running(store, tmp_path_factory.mktemp("log") / "log", engine="onnx", versions=0, workers=1) as server:
        yield server


@pytest.fixture
def tab(browser: Browser, console: Server) -> Iterator[Tab]:
    """A tab of it."""
    with fresh(browser, console.url("")) as tab:
        yield tab


@pytest.fixture(scope="module")
def modules(browser: Browser, console: Server) -> Iterator[Page]:
    """A page that is only asked what functions of its modules return, so that all tests may share it."""
    with fresh(browser, console.url("")) as tab:
        yield tab.open("/console/models/toy")
