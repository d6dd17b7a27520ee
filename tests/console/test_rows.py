"""Several rows: asked a part at a time, faults where they are, and answers to take away."""

import csv
import io
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.browser import WIDTHS, Tab
from tests.service import artifacts
from tests.service.server import Server
from tests.service.tables import CASES

TOY = "text,numbers\n"
ROW = {"text": "the cat", "numbers": [1, 2, 3]}


@pytest.fixture
def page(tab: Tab) -> Page:
    """The toy's page."""
    return tab.open("/console/models/toy")


def paste(page: Page, text: str) -> None:
    page.get_by_label("A table as CSV, or a list in JSON").fill(text)


def answer(page: Page) -> str:
    """Ask all rows; what is said once they are answered."""
    page.get_by_role("button", name="Answer all rows").click()
    page.get_by_role("link", name="Download as CSV").wait_for()
    return page.locator("#rows").get_by_role("status").inner_text()


def download(page: Page, kind: str) -> str:
    with page.expect_download() as caught:
        page.get_by_role("link", name=f"Download as {kind}").click()
    assert caught.value.suggested_filename == f"toy.{kind.lower()}"
    return Path(caught.value.path()).read_bytes().decode()


def cells(page: Page) -> list[list[str]]:
    """The table of answers, without its head."""
    rows = page.get_by_role("region", name="Rows and their answers").get_by_role("row").all()
    return [row.locator("th, td").all_inner_texts() for row in rows[1:]]


def test_a_sample_is_answered_and_taken_away(page: Page, tab: Tab, console: Server):
    page.get_by_role("button", name="Two sample rows").click()
    expect(page.locator("#rows-preview")).to_contain_text("2 rows.")
    assert answer(page).startswith("2 rows answered in ")
    assert tab.violations() == []
    rows = list(csv.DictReader(io.StringIO(download(page, "CSV"), newline="")))
    assert list(rows[0]) == CASES["columns"]
    example = json.loads(page.locator("#model").inner_text())["example"]
    expected, _ = console.post("/predict/toy", [example] * 2).json()
    assert [row["text"] for row in rows] == [artifacts.EXAMPLE] * 2
    assert [float(row["score"]) for row in rows] == [expected["score"]["value"]] * 2
    assert [row["mood"] for row in rows] == [expected["mood"]["label"]] * 2
    assert [float(row["mood.probability"]) for row in rows] == [expected["mood"]["probability"]] * 2
    assert json.loads(download(page, "JSON")) == [{**example, **expected}] * 2


def test_wrong_rows_are_named_in_place_and_the_others_answered(page: Page, tab: Tab):
    tab.expect_error("422")
    paste(
        page,
        TOY + 'the cat,1 2 3\n"",1 2 3\nthe cat,1 two 3\nthe cat,1 2\nthe cat\nthe cat,"[1, 2, ""x""]"\ngood,3 2 1\n',
    )
    assert answer(page).startswith("2 rows answered in ")
    found = cells(page)
    assert [row[1] != "–" for row in found] == [True, False, False, False, False, False, True]
    assert found[1][-2].strip() == "expected at least one word"
    assert found[2][-1].split("\n")[-1] == "expected a number, got “two”"
    assert "expected 3 elements, got 2" in found[3][-1]
    assert found[4][0].split("\n")[-1] == "Expected 2 cells, got 1."
    assert "at 3: expected a number" in found[5][-1]
    said = page.locator("#rows-results li").all_inner_texts()
    assert [line.split(":")[0] for line in said] == [
        "Row 2, text",
        "Row 3, numbers",
        "Row 4, numbers",
        "Row 5",
        "Row 6, numbers",
    ]
    rows = list(csv.DictReader(io.StringIO(download(page, "CSV"), newline="")))
    assert [bool(row["error"]) for row in rows] == [False, True, True, True, True, True, False]
    assert json.loads(download(page, "JSON"))[1]["error"] == "text: expected at least one word"


def test_a_cell_too_many_says_what_holds_a_cell_together(page: Page):
    paste(page, TOY + "the cat, asleep,1 2 3\n")
    assert answer(page).startswith("0 rows answered")
    expect(page.locator("#rows-results li")).to_contain_text("got 3: a cell with a separator in it needs quotes")


def test_many_rows_go_in_parts_and_many_wrong_ones_stop_none(page: Page, tab: Tab):
    tab.expect_error("422")
    asked: list[int] = []
    page.on("request", lambda request: asked.append(len(json.loads(request.post_data or "[]"))))
    wrong = set(range(10, 55))
    rows = [{"text": "", "numbers": [1, 2, 3]} if at in wrong else ROW for at in range(600)]
    paste(page, json.dumps(rows))
    assert answer(page).startswith("555 rows answered in ")
    assert max(asked) == 256
    assert asked[-1] == 555 - 2 * 256
    done = json.loads(download(page, "JSON"))
    assert {at for at, one in enumerate(done) if "error" in one} == wrong
    assert page.get_by_role("region", name="Rows and their answers").locator("tbody tr").count() == 200
    page.get_by_text("The first 200 rows; the downloads have all.").wait_for()


def test_a_row_that_is_too_large_or_on_which_the_model_fails_is_found(page: Page, tab: Tab):
    tab.expect_error("500")
    tab.expect_error("413")

    def fail(route: Route) -> None:
        if "big" in (route.request.post_data or ""):
            route.fulfill(status=413, json={"detail": "the body is larger than 99 bytes; send fewer rows at a time"})
        elif "bad" in (route.request.post_data or ""):
            route.fulfill(status=500, json={"detail": "an output is not finite"})
        else:
            route.continue_()

    page.route("**/predict/**", fail)
    paste(page, TOY + "the cat,1 2 3\nthe mat,1 2 3\nbad,1 2 3\ngood,1 2 3\nbig,1 2 3\n")
    assert answer(page).startswith("3 rows answered in ")
    assert page.locator("#rows-results li").all_inner_texts() == [
        "Row 3: An output is not finite. If it stays so, tell whoever runs this service.",
        "Row 5: This is more than the service takes at once. The body is larger than 99 bytes.",
    ]


def test_a_service_that_fails_is_left_alone_until_one_goes_on(page: Page, tab: Tab):
    asked: list[int] = []
    page.on("request", lambda request: asked.append(len(json.loads(request.post_data or "[]"))))
    paste(page, json.dumps([ROW] * 300))
    said = page.locator("#rows").get_by_role("status")
    for status, press, sizes, told in (
        (504, "Answer all rows", [256, 44], "256 rows answered in"),
        (500, "Go on", [22, 11, 6, 3, 2, 1, 1, 1, 1], "41 rows not asked."),
    ):
        tab.expect_error(str(status))
        failure = {"status": status, "json": {"detail": f"a failure of {status}"}}
        page.route("**/predict/**", lambda route, _, failure=failure: route.fulfill(**failure))
        if status == 504:
            page.route("**/predict/**", lambda route: route.continue_(), times=1)
        asked.clear()
        page.get_by_role("button", name=press).click()
        expect(page.locator("#rows-fault")).to_contain_text(f"A failure of {status}.")
        expect(said).to_contain_text(told)
        assert asked == sizes
    page.unroute("**/predict/**")
    page.get_by_role("button", name="Go on").click()
    expect(said).to_contain_text("297 rows answered in")
    expect(page.get_by_role("button", name="Go on")).to_have_count(0)
    expect(page.locator("#rows-fault")).to_be_hidden()


def test_a_busy_service_is_asked_again_when_it_says(page: Page, tab: Tab):
    tab.expect_error("429")
    page.clock.install(time=0)
    page.clock.pause_at(3600)
    tries = 0

    def refuse_once(route: Route) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            route.fulfill(status=429, json={"detail": "the queue is full"}, headers={"Retry-After": "30"})
        else:
            route.continue_()

    page.route("**/predict/**", refuse_once)
    paste(page, json.dumps([ROW]))
    page.get_by_role("button", name="Answer all rows").click()
    said = page.locator("#rows").get_by_role("status")
    expect(said).to_have_text("0 of 1 row. The service is busy: it is asked again in 30 s.")
    seconds = 0
    while tries < 2:
        page.clock.run_for(1000)
        seconds += 1
    assert seconds >= 30
    expect(said).to_contain_text("1 row answered in ")


def test_asking_can_be_stopped_and_so_can_waiting(page: Page, tab: Tab):
    tab.expect_error("429")
    said = page.locator("#rows").get_by_role("status")
    paste(page, json.dumps([ROW] * 3))
    page.route("**/predict/**", lambda route: None)  # nobody answers
    for press, told in (("Answer all rows", "0 of 3 rows."), ("Go on", "it is asked again in 30 s.")):
        page.get_by_role("button", name=press).click()
        expect(page.get_by_role("progressbar", name="Rows answered")).to_be_visible()
        expect(said).to_contain_text(told)
        page.get_by_role("button", name="Cancel").click()
        expect(said).to_contain_text("3 rows not asked.")
        expect(page.get_by_role("button", name="Answer all rows")).to_be_focused()
        page.route("**/predict/**", lambda route: route.fulfill(status=429, headers={"Retry-After": "900"}, json={}))
    assert all("not asked" in one["error"] for one in json.loads(download(page, "JSON")))
    page.get_by_role("button", name="Go on").click()
    expect(said).to_contain_text("it is asked again in 30 s.")
    paste(page, json.dumps([ROW]))  # other rows: nobody wants the answers to those any more
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(said).to_have_text("")


def test_a_service_that_refuses_says_why(page: Page, tab: Tab):
    tab.expect_error("403")
    page.route("**/predict/**", lambda route: route.fulfill(status=403, json={"detail": "your key may not"}))
    paste(page, json.dumps([ROW]))
    page.get_by_role("button", name="Answer all rows").click()
    expect(page.locator("#rows-fault")).to_have_text("Your API key may not ask this model.")
    expect(page.locator("#rows-text")).to_have_attribute("aria-invalid", "false")


def test_without_rows_it_says_what_to_do(page: Page):
    page.get_by_role("button", name="Answer all rows").click()
    expect(page.locator("#rows-fault")).to_have_text("Paste some rows first, or open a file.")
    paste(page, "text;cats\n1;2")
    expect(page.locator("#rows-fault")).to_contain_text("It lacks: numbers.")


def test_files_are_opened_and_dropped(page: Page, tmp_path: Path):
    file = tmp_path / "rows.tsv"
    file.write_text("text\tnumbers\tid\nthe cat\t1 2 3\t7\n", encoding="utf-8")
    page.get_by_label("Or open a file").set_input_files(file)
    expect(page.locator("#rows-preview")).to_contain_text("1 row. No input, and left out: id.")
    page.locator("#rows-text").evaluate(
        """(area, text) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], "big.json"));
            area.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        json.dumps([ROW] * 5000),
    )
    expect(page.locator("#rows-preview")).to_contain_text("5,000 rows, of which these are the first 5.")
    expect(page.locator("#rows-chosen")).to_contain_text("big.json, ")
    assert page.locator("#rows-text").input_value() == ""


def test_a_model_of_pictures_shows_them(tab: Tab):
    page = tab.open("/console/models/shop")
    page.get_by_role("button", name="Two sample rows").click()
    expect(page.get_by_role("img", name="Picture of row 2")).to_be_visible()
    assert answer(page).startswith("2 rows answered in ")
    for width in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": 900})
        assert tab.fits()
    assert tab.violations() == []
