"""What a model's card, an address or a row says is text on every page, however much it looks like markup."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.console.browser import Tab, fresh
from tests.service import artifacts
from tests.service.server import Server, running

MARKUP = "</script></title><img src=x onerror=alert(1)>{{ 7 * 7 }}'\""
SPOILT = {"title", "description", "labels", "unit"}
PAGES = ("/", "/console/models/toy", "/console/models/toy/why", "/console/models/toy/report", "/console/live")


def spoil(told: Any, name: str = "") -> Any:
    """A card whose every word ends in markup."""
    if isinstance(told, dict):
        return {key: spoil(value, key) for key, value in told.items()}
    if isinstance(told, list):
        return [spoil(value, name) for value in told]
    return told + MARKUP if name in SPOILT and isinstance(told, str) else told


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a toy with such a card."""
    store = tmp_path_factory.mktemp("store")
    file = artifacts.toy(store) / "assets.extra" / "card.json"
    file.write_text(json.dumps(spoil(json.loads(file.read_text()) | {"description": "A model."})))
    with running(store, tmp_path_factory.mktemp("log") / "log", engine="onnx", workers=1) as server:
        yield server


@pytest.fixture
def tab(browser: Browser, spoilt: Server) -> Iterator[Tab]:
    """A tab; what the policy of a page refuses to run is an error."""
    with fresh(browser, spoilt.url("")) as tab:
        yield tab


@pytest.mark.parametrize("path", PAGES)
def test_a_card_is_text(tab: Tab, path):
    page = tab.open(path)
    expect(page.get_by_text(f"A toy{MARKUP}", exact=True).first).to_be_attached()
    assert page.locator("img[onerror]").count() == 0


def test_an_answer_and_a_row_are_text(tab: Tab):
    page = tab.open(f"/console/models/toy#row.text={quote('dog ' + MARKUP)}&row.numbers=[1,2,3]")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#answer").get_by_text(f"calm{MARKUP}").first).to_be_visible()
    expect(page.locator("#snippets")).to_contain_text("onerror")
    assert page.locator("img[onerror]").count() == 0


@pytest.mark.parametrize(
    "path", ["/console/models/toy?version=", "/console/models/", "/console/models/toy/compare?with="]
)
def test_an_address_is_text(tab: Tab, path):
    tab.expect_error("40")
    tab.expect_error("422")
    page = tab.open(path + quote(MARKUP, safe=""))
    expect(page.get_by_role("heading")).to_have_count(1)
    assert page.locator("img[onerror]").count() == 0
