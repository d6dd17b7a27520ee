"""The page of all models, the page of one that does not answer, and the way between versions."""

import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from service.app import create_app
from service.settings import Settings
from service.versions.catalog import Catalog
from service.versions.policy import Policy
from service.versions.store import Version
from tests.console.browser import Tab, fresh
from tests.service import fakes

MANY = 9


class Shelf:
    """Nine fake models, of which the last has not been loaded yet, without an engine worth the name."""

    def __init__(self) -> None:
        logging.getLogger("manifold.catalog").setLevel(logging.CRITICAL)
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self.hand = fakes.Hand()
        names = [f"model-{number}" for number in range(1, MANY)]
        handles = [fakes.handle(fakes.FakeEngine(), self.hand, name=name) for name in names]
        self.made = {(one.model, one.version): one for one in handles}
        self.late = fakes.handle(fakes.FakeEngine(), self.hand, name="late")
        self.made["late", 1] = self.late
        self.catalog = Catalog(
            [Version(name, 1, Path()) for name in names],
            lambda version: self.made[version.model, version.number],
            {"model-1": Policy(labels={"stable": 1})},
            grace=0,
        )
        self.catalog.load_all()
        self.catalog.swap("model-2", [], refused={Version("model-2", 2, Path()): "OSError: no model.onnx"})
        self.catalog.expect([Version("late", 1, Path())])
        app = create_app(Settings(), self.catalog, self.hand.wait)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    yield made
    made.close()


@pytest.fixture
def own(browser: Browser, shelf: Shelf) -> Iterator[Tab]:
    """A tab on the shelf; its clock is moved by hand."""
    with fresh(browser, f"http://127.0.0.1:{shelf.server.server_port}") as tab:
        tab.page.clock.install()
        yield tab


def test_each_model_says_what_it_does_and_how_it_stands(tab: Tab):
    page = tab.open("/")
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="A toy"))
    expect(card.get_by_text("text, 3 numbers")).to_be_visible()
    expect(card.get_by_text("Version 2: ready")).to_be_visible()
    expect(card.get_by_text("Version 1: ready")).to_be_visible()
    expect(card.get_by_text("onnx on cpu")).to_be_visible()
    card.get_by_role("link", name="Try it: A toy").click()
    page.wait_for_url("**/console/models/toy")


def test_few_models_need_no_search(tab: Tab):
    expect(tab.open("/").get_by_label("Find a model")).to_have_count(0)


@pytest.mark.parametrize("query", ["", "?version=1"])
def test_a_models_pages_lead_to_each_other(tab: Tab, query: str):
    page = tab.open(f"/console/models/toy{query}")
    tabs = page.get_by_role("navigation", name="A toy")
    for name, heading in (("Why", "Why"), ("Compare", "Answers"), ("Report", "Pictures"), ("Try it", "Answer")):
        tabs.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        assert page.url.partition("#")[0].partition("?")[1:] == query.partition("?")[1:]


def test_another_version_keeps_the_page_and_what_stands_in_it(tab: Tab):
    page = tab.open("/console/models/toy/why#row.text=dog&row.numbers=[1,2,3]")
    page.locator("summary").filter(has_text="Version 2").click()
    page.get_by_role("navigation", name="Versions").get_by_role("link", name="Version 1").click()
    page.wait_for_url("**/console/models/toy/why?version=1#**")
    assert "row.text=dog" in page.url
    expect(page.locator("summary").filter(has_text="Version 1")).to_be_visible()


def test_words_find_models(own: Tab):
    page = own.open("/")
    field = page.get_by_label("Find a model")
    field.fill("model-3")
    expect(page.locator("#models > li:visible")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text(f"1 of {MANY} models")
    field.fill("")
    expect(page.locator("#models > li:visible")).to_have_count(MANY)


def test_the_page_follows_what_changes_and_leaves_the_focus_where_it_is(own: Tab, shelf: Shelf):
    page = own.open("/")
    expect(page.get_by_text("Version 1: waiting to be loaded")).to_be_visible()
    expect(page.get_by_text("OSError: no model.onnx")).to_be_visible()
    page.get_by_role("link", name="Why: model-3").focus()
    shelf.catalog.swap("model-2", [Version("model-2", 1, Path())])
    shelf.catalog.load_all()
    page.clock.run_for(6000)
    expect(page.get_by_role("link", name="Try it: model-2")).to_be_visible()
    expect(page.get_by_role("link", name="Try it: late")).to_be_visible()
    expect(page.get_by_role("link", name="Why: model-3")).to_be_focused()


def test_the_page_says_what_is_wrong_with_the_server_and_since_when(own: Tab):
    own.expect_error("ERR_FAILED")
    own.expect_error("502")
    page = own.open("/")
    told = page.get_by_role("status").filter(has_text=re.compile(r"^Since \d\d:\d\d:\d\d the server "))
    page.route("**/*", lambda route: route.abort())
    page.clock.run_for(6000)
    expect(told).to_contain_text("the server does not answer.")
    page.route("**/*", lambda route: route.fulfill(status=502))
    page.clock.run_for(6000)
    expect(told).to_contain_text("the server answers with status 502.")
    page.unroute("**/*")
    page.clock.run_for(6000)
    expect(told).to_have_count(0)
    page.evaluate("() => { asked = 0; fetch = () => new Promise(() => (asked += 1)) }")  # it hangs
    page.clock.run_for(20_000)
    assert page.evaluate("asked") == 1


def test_a_page_that_waits_opens_by_itself(own: Tab, shelf: Shelf):
    own.expect_error("503")
    page = own.open("/console/models/late")
    expect(page.get_by_role("heading", name="late does not answer yet")).to_be_visible()
    shelf.catalog.load_all()
    page.clock.run_for(3000)
    expect(page.get_by_role("button", name="Predict")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/console/models/late", "/console/models/nobody", "/console/nowhere"])
def test_no_barrier_and_nothing_sticks_out(own: Tab, path):
    own.expect_error("404")
    own.expect_error("503")
    own.open(path)
    assert own.barriers() == []
    assert own.misfits() == []
