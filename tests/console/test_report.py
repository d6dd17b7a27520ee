"""The report in a browser: pictures that are there, with words beside them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.console.browser import Tab, fresh
from tests.service import artifacts, reports
from tests.service.server import Server, running

PAGE = "/console/models/toy/report"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a toy that has a report."""
    store = tmp_path_factory.mktemp("store")
    reports.write(artifacts.toy(store))
    with running(store, tmp_path_factory.mktemp("log") / "log", engine="onnx", workers=1) as found:
        yield found


@pytest.fixture
def reported(browser: Browser, server: Server) -> Iterator[Tab]:
    """A tab of it."""
    with fresh(browser, server.url("")) as tab:
        yield tab


def test_every_picture_comes_when_it_is_looked_at_and_says_what_it_shows(reported: Tab):
    page = reported.open(PAGE)
    shown = page.get_by_role("main").get_by_role("img")
    expect(shown).to_have_count(len(reports.PICTURES))
    for picture in shown.all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("naturalWidth", reports.SIZE[0])
    expect(page.get_by_role("img", name="mood accuracy rises from 52 % to 98 %")).to_be_visible()
    expect(page.get_by_role("img", name="happy taken for sad (3 rows)")).to_be_visible()


def test_a_broad_picture_has_its_place_before_it_has_come(reported: Tab):
    held: list[Route] = []
    curves = "**/report/learning_curves.png?*"
    reported.page.route(curves, lambda route, _: held.append(route))
    with reported.page.expect_request(curves):
        reported.page.goto(reported.root + PAGE, wait_until="commit")
    picture = reported.page.get_by_role("figure").filter(has_text="Learning curves").get_by_role("img")
    before = picture.bounding_box()
    held[0].continue_()
    expect(picture).to_have_js_property("naturalWidth", reports.SIZE[0])
    assert picture.bounding_box() == before


def test_the_numbers_of_a_picture_are_a_table(reported: Tab):
    page = reported.open(PAGE)
    figure = page.get_by_role("figure").filter(has_text="Learning curves")
    figure.get_by_text("The numbers").click()
    expect(figure.get_by_role("row", name="2 1 1.5 0.75 0.98")).to_be_visible()


def test_a_row_goes_on_to_the_form_and_a_click_shows_a_picture_by_itself(reported: Tab):
    page = reported.open(f"{PAGE}#row.text=good")
    expect(page.get_by_role("link", name="Try it")).to_have_attribute("href", re.compile("#row.text=good$"))
    page.get_by_role("link", name="On the validation rows").click()
    page.wait_for_url("**/report/learning_curves.png?version=1")


def test_nothing_sticks_out_and_axe_finds_no_barrier_with_everything_open(reported: Tab):
    page = reported.open(PAGE)
    assert reported.misfits() == []
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert reported.barriers() == []
