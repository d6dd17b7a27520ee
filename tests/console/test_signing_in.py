"""Signing in with an API key, in a real browser: by keyboard, with a wrong key, with one that sees less, and out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.access.keys import Scope
from tests.console.browser import Tab, fresh
from tests.console.proxy import proxy
from tests.service import artifacts
from tests.service.keys import entry, put
from tests.service.server import Server, running

PEOPLE = ("mfd_people", "people", Scope.READ, Scope.PREDICT)
ENTRIES = [
    entry(*PEOPLE),
    entry("mfd_some", "some", Scope.READ, Scope.PREDICT, models=["half"]),
    entry("mfd_reader", "reader", Scope.READ),
]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of keys."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    put(file, ENTRIES)
    return file


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Iterator[Server]:
    """A server of toy and half that wants a key."""
    store = tmp_path_factory.mktemp("store")
    artifacts.toy(store)
    artifacts.half(store)
    log = tmp_path_factory.mktemp("log") / "log"
    with running(store, log, engine="onnx", workers=1, keys=keys, access_log=1) as server:
        yield server
    assert "mfd_" not in log.read_text()


@pytest.fixture
def tab(browser: Browser, locked: Server) -> Iterator[Tab]:
    """A tab of nobody known; a page that is refused is no error."""
    with fresh(browser, locked.url("")) as tab:
        tab.expect_error("401")
        tab.expect_error("403")
        yield tab


def sign_in(tab: Tab, key: str, path: str = "/") -> Page:
    """By keyboard alone."""
    page = tab.open(path)
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type(key)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return page


def test_one_signs_in_by_keyboard_predicts_and_signs_out(tab: Tab):
    page = sign_in(tab, "mfd_people", "/console/models/toy#row.text=dog&row.numbers=[1,2,3]")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#answer").get_by_text("calm").first).to_be_visible()
    assert "row.text=dog" in page.url
    assert "mfd_" not in page.content() + page.url + page.evaluate("document.cookie")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.context.cookies() == []


def test_who_has_signed_out_does_not_see_the_page_by_going_back(tab: Tab):
    page = sign_in(tab, "mfd_people", "/console/models/toy")
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("button", name="Predict")).to_have_count(0)


def test_all_of_it_works_behind_a_proxy_that_cuts_off_a_prefix(tab: Tab, locked: Server):
    with proxy(locked.port) as tab.root:
        page = sign_in(tab, "mfd_people", "/console/models/toy?version=1#row.text=dog&row.numbers=[1,2,3]")
        assert page.url.startswith(f"{tab.root}/console/models/toy?version=1#row.text=dog")
        page.get_by_role("button", name="Predict").click()
        expect(page.locator("#answer").get_by_text("calm").first).to_be_visible()
        expect(page.locator("#snippets")).to_contain_text(f"{tab.root}/predict/toy?version=1")
        page.get_by_role("link", name="Report").click()
        expect(page.get_by_role("heading", name="What it takes and gives")).to_be_visible()
        page.get_by_role("link", name="Live").click()
        expect(page.get_by_role("status")).to_have_text("Live")
        page.get_by_role("link", name="Models").click()
        page.get_by_role("link", name="Try it: A toy").click()
        expect(page.get_by_role("button", name="Predict")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.url == f"{tab.root}/"
        page.goto("about:blank")  # nothing is being loaded as the proxy ends


def test_a_wrong_key_is_told_beside_its_field(tab: Tab):
    page = sign_in(tab, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("does not open anything here")
    assert tab.violations() == []
    page.get_by_label("API key").fill("mfd_people")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()


def test_a_key_for_some_models_sees_these_and_may_be_changed_for_another(tab: Tab):
    page = sign_in(tab, "mfd_some")
    expect(page.get_by_role("link", name="Try it: half")).to_be_visible()
    expect(page.get_by_role("link", name="Try it: A toy")).to_have_count(0)
    tab.open("/console/models/toy")
    expect(page.get_by_role("heading", name="Forbidden")).to_be_visible()
    assert tab.violations() == []
    page.get_by_role("link", name="Sign in with another key").click()
    page.get_by_label("API key").fill("mfd_people")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Predict")).to_be_visible()


def test_a_key_that_may_not_predict_says_so(tab: Tab):
    page = sign_in(tab, "mfd_reader", "/console/models/toy")
    expect(page.get_by_text("may look at models, and not ask them")).to_be_visible()
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert").filter(has_text="Your API key may not ask this model")).to_be_visible()


def test_a_key_that_counts_no_more_asks_for_another_in_place(tab: Tab):
    page = sign_in(tab, "mfd_people", "/console/models/toy")
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
    notice = page.locator("#signed-out")
    for key, told in (("mfd_gone", 1), ("mfd_people", 0), ("mfd_gone", 1)):  # another tab may sign in again
        page.context.add_cookies([{"name": "manifold-key", "value": key, "url": tab.root, "sameSite": "Strict"}])
        page.get_by_role("button", name="Predict").click()
        expect(notice).to_have_count(told)
    expect(notice).to_contain_text("no longer signed in")
    with page.expect_navigation():
        page.get_by_role("link", name="Sign in again").click()
    expect(page.get_by_role("alert")).to_contain_text("no longer signed in")
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type("mfd_people")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
