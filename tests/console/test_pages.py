"""What every page of the console promises: no errors, nothing that sticks out, and no barrier that axe finds."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.console.browser import Tab, fresh
from tests.service.server import Server

PAGES = (
    "/",
    "/console/models/toy",
    "/console/models/shop",
    "/console/models/simple",
    "/console/models/toy/report",
    "/console/models/simple/report",
    "/console/live",
    "/console/models/shop/why",
    "/console/models/toy/compare",
    "/console/models/shop/compare",
)


@pytest.mark.parametrize("path", PAGES)
def test_it_has_no_barrier_that_axe_finds_and_nothing_sticks_out(tab: Tab, path):
    tab.open(path)
    assert tab.misfits() == []
    assert tab.barriers() == []


def test_a_row_is_answered(tab: Tab):
    page = tab.open("/console/models/toy")
    page.get_by_role("button", name="Predict").click()
    page.get_by_text("calm").wait_for()


def test_before_the_scripts_are_there_no_click_is_lost(browser: Browser, console: Server):
    with fresh(browser, console.url(""), java_script_enabled=False) as tab:
        page = tab.open("/console/models/toy")
        expect(page.get_by_role("button", name="Predict")).to_be_disabled()
        expect(page.get_by_role("button", name="Example")).to_be_disabled()


@pytest.mark.parametrize("path", ["/console/models/toy", "/console/models/toy/why", "/console/live"])
def test_a_page_says_what_it_wants_scripts_for(console: Server, path):
    told = re.search(r"<noscript>(.*?)</noscript>", console.get(path).text)
    assert "JavaScript, which is off" in told[1]


def test_the_list_of_versions_is_closed_by_escape_and_by_going_elsewhere(tab: Tab):
    page = tab.open("/console/models/toy")
    opener, older = page.get_by_text("Version 2", exact=True).first, page.get_by_role("link", name="Version 1")
    leave = {
        "Escape": lambda: page.keyboard.press("Escape"),
        "a click": lambda: page.get_by_role("heading", name="Inputs").click(),
        "Tab": lambda: page.keyboard.press("Shift+Tab"),
    }
    for go in leave.values():
        opener.click()
        expect(older).to_be_visible()
        go()
        expect(older).to_be_hidden()
    opener.click()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_the_api_has_the_colours_that_are_wanted(tab: Tab, scheme):
    tab.page.emulate_media(color_scheme=scheme)
    page = tab.open("/docs")
    page.get_by_role("heading", name="Manifold").wait_for()
    lightness = "getComputedStyle(document.documentElement).backgroundColor"
    assert (page.evaluate(lightness) == "rgb(28, 32, 34)") == (scheme == "dark")
