"""Compare: what two versions say differently, of one row and of many."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console import apart
from tests.console.browser import Tab, fresh
from tests.service.server import Server, running

TOY = "/console/models/toy/compare"
ROWS = [{"text": text, "numbers": [0, 0, 0]} for text in ("the cat", "good", "very bad mat")]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of toy in versions that differ."""
    store = tmp_path_factory.mktemp("versions")
    apart.versions(store)
    with running(store, tmp_path_factory.mktemp("log") / "log", engine="onnx", versions=0, workers=1) as server:
        yield server


@pytest.fixture
def pair(browser: Browser, versions: Server) -> Iterator[Tab]:
    """A tab at that server."""
    with fresh(browser, versions.url("")) as tab:
        yield tab


def compared(page: Page) -> list[list[str]]:
    """The table of differences, cell by cell."""
    page.get_by_role("button", name="Compare", exact=True).click()
    lines = page.locator("#differences tbody tr")
    lines.first.wait_for()
    return [line.locator("th, td").all_inner_texts() for line in lines.all()]


def many(page: Page, text: str) -> None:
    page.get_by_label("A table as CSV").fill(text)
    page.get_by_role("button", name="Compare rows").click()


def scores(tab: Tab, row: dict[str, object]) -> list[float]:
    """What versions 2 and 1 score."""
    url = f"{tab.root}/predict/toy?version="
    return [tab.page.request.post(f"{url}{number}", data=row).json()["score"]["value"] for number in (2, 1)]


def test_two_answers_stand_side_by_side_and_their_differences_in_words(pair: Tab):
    page = pair.open(f"{TOY}?version=2&with=1")
    score, mood, sure = compared(page)
    two, one = scores(pair, json.loads(page.locator("#model").inner_text())["example"])
    assert float(score[1].split()[0].replace("−", "-")) == pytest.approx(one - two, rel=1e-2)
    assert " → " in mood[1]
    assert mood[1].endswith(" points")
    assert sure[1].endswith("as probable")
    expect(page.locator("#first")).to_contain_text("Mood")
    expect(page.locator("#second")).to_contain_text("Answered by onnx on")


def test_the_newest_is_compared_with_the_one_before(tab: Tab):
    page = tab.open(TOY)
    expect(page.get_by_label("Version", exact=True)).to_have_value("2")
    expect(page.get_by_label("compared with")).to_have_value("1")
    assert compared(page)[0][1] == "the same"


def test_other_versions_are_chosen_and_the_row_stays(pair: Tab):
    page = pair.open(f"{TOY}?version=2&with=1")
    page.get_by_label("Words").fill("very good")
    compared(page)
    page.get_by_label("Version", exact=True).select_option("1")
    page.get_by_label("compared with").select_option("2")
    page.get_by_role("button", name="Show these").click()
    page.wait_for_url("**/compare?version=1&with=2#*")
    expect(page.get_by_label("Words")).to_have_value("very good")
    page.locator("#differences tbody tr").first.wait_for()


def test_versions_that_take_other_inputs_are_each_asked_with_their_own(pair: Tab):
    page = pair.open(TOY)
    expect(page.get_by_label("Version", exact=True)).to_have_value("3")
    unlike = page.locator("#unlike")
    expect(unlike).to_contain_text("Version 3 takes photo, version 2 does not: it is asked without.")
    expect(unlike).to_contain_text("Version 2 also takes text, which version 3 does not")
    expect(unlike).to_contain_text("Only version 2 answers mood.")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#second")).to_contain_text("Mood")


def test_of_many_rows_those_that_differ_most_come_first(pair: Tab):
    page = pair.open(f"{TOY}?version=2&with=1")
    many(page, json.dumps(ROWS))
    found = page.locator(".found > div")
    expect(found).to_have_count(3)
    apart_by = [abs(one - two) for two, one in (scores(pair, row) for row in ROWS)]
    order = sorted(range(3), key=lambda row: -apart_by[row])
    expect(found.first.locator("tbody tr td:first-child")).to_have_text([str(row + 1) for row in order])
    expect(found.nth(1).locator("p")).to_contain_text("of 3 labels differ")
    expect(found.nth(2).locator("p")).to_have_text("No difference in 3 rows.")


def test_rows_may_be_csv(pair: Tab):
    page = pair.open(f"{TOY}?version=2&with=1")
    many(page, "text,numbers.0,numbers.1,numbers.2\nthe cat,0,0,0\ngood,1,1,1\n")
    page.get_by_text("No difference in 2 rows.").wait_for()


def test_what_is_no_list_of_rows_is_told(pair: Tab):
    page = pair.open(f"{TOY}?version=2&with=1")
    for text, told in {
        " ": "Paste some rows first, or open a file.",
        "[]": "The list is empty",
        '[{"text": ': "This begins like JSON, and is none",
        "text\ncat": "It lacks: numbers.",
    }.items():
        many(page, text)
        expect(page.locator("#rows-fault")).to_contain_text(told)


def test_rows_that_are_refused_are_named_and_the_others_compared(pair: Tab):
    """Though the rows go in several requests."""
    pair.expect_error("422")
    page = pair.open(f"{TOY}?version=2&with=1")
    many(page, json.dumps([*ROWS * 200, {"text": "the cat", "numbers": [1]}, 7]))
    expect(page.get_by_role("listitem").filter(has_text="Row 601, numbers: expected")).to_have_count(1)
    expect(page.get_by_role("listitem").filter(has_text="Row 602: expected")).to_have_count(1)
    expect(page.locator(".found > div").nth(2)).to_contain_text("No difference in 600 rows.")


def test_of_more_rows_than_are_listed_it_is_said_which_are(pair: Tab):
    page = pair.open(f"{TOY}?version=2&with=1")
    many(page, json.dumps(ROWS * 20))
    moods = page.locator(".found > div").nth(1)
    expect(moods).to_contain_text("The 20 rows that differ most:")
    expect(moods.locator("tbody tr")).to_have_count(20)
    assert "\N{NO-BREAK SPACE}%)" in moods.inner_text()
    many(page, json.dumps(ROWS))
    expect(moods.locator("tbody tr")).to_have_count(3)
    expect(moods).not_to_contain_text("that differ most:")


def test_a_service_that_fails_is_asked_the_rest_when_one_goes_on(pair: Tab):
    pair.expect_error("504")
    page = pair.open(f"{TOY}?version=2&with=1")
    page.route("**/predict/toy?version=1*", lambda route: route.fulfill(status=504, json={"detail": "too late"}))
    page.get_by_role("button", name="Two sample rows").click()
    page.get_by_role("button", name="Compare rows").click()
    expect(page.locator("#rows-fault")).to_contain_text("Too late.")
    expect(page.get_by_label("A table as CSV")).to_have_attribute("aria-invalid", "false")
    expect(page.locator("#rows")).to_contain_text("2 rows not asked.")
    page.unroute("**/predict/toy?version=1*")
    with page.expect_response("**/predict/toy?version=*") as heard:
        page.get_by_role("button", name="Go on").click()
    assert "version=1" in heard.value.url, "version 2 has answered"
    expect(page.locator(".found > div").nth(2)).to_contain_text("No difference in 2 rows.")


def test_one_version_alone_says_how_to_serve_two(tab: Tab):
    page = tab.open("/console/models/shop/compare")
    expect(page.get_by_role("main")).to_contain_text("only version 1 answers now")
    expect(page.get_by_role("main")).to_contain_text("MANIFOLD_VERSIONS=2")


@pytest.mark.parametrize(
    ("query", "status"), [("version=7", 404), ("with=7", 404), ("with=x", 422), ("with=0", 422), ("wiht=1", 422)]
)
def test_versions_that_are_none_are_refused(console: Server, query, status):
    assert console.get(f"{TOY}?{query}").status_code == status


def test_a_comparison_has_no_barrier_and_fits(pair: Tab):
    page = pair.open(f"{TOY}?version=2&with=1")
    compared(page)
    many(page, json.dumps(ROWS))
    page.locator(".found table").first.wait_for()
    assert pair.barriers() == []
    assert pair.misfits() == []
