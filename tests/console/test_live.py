"""The page Live, in a browser."""

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from service.metrics import families
from service.quantiles import quantile
from tests.console.browser import WIDTHS, Tab

NOW = 1_767_225_600
TOOK = [0] * (len(families.SECONDS) + 1)
BATCHES = [0] * (len(families.ROWS) + 1)


def sample(at: int, **models: int) -> dict:
    """So many requests for these models, a twentieth of them refused, each answered in one to two and a half ms."""
    rows = {
        name: {
            "ok": number,
            "refused": number // 20,
            "rows": 2 * number,
            "waiting": 3 if at >= 0 else 9,
            "took": [number if place == families.SECONDS.index(0.0025) else 0 for place in range(len(TOOK))],
            "batches": [number // 2 if place == 2 else 0 for place in range(len(BATCHES))],
        }
        for name, number in models.items()
    }
    return {
        "at": NOW + at,
        "server": "pod-1:8000",
        "seconds": 5.0,
        "models": {name: row for name, row in rows.items() if row["ok"]},
    }


HOUR = [sample(at, toy=100, shop=max(0, at // 100) * 20) for at in range(-3600 + 5, 1, 5)]


@pytest.fixture
def told(tab: Tab) -> Iterator[list]:
    """What the server has told so far, the hour before first; append to it what it tells later."""
    told = list(HOUR)

    def samples(route: Route) -> None:
        after, server = parse_qs(urlsplit(route.request.url).query)["after"][0].split("@")
        route.fulfill(json=[one for one in told if one["at"] > int(after) or one["server"] != server])

    tab.page.route("**/console/live/samples?*", samples)
    return told


@pytest.fixture
def page(tab: Tab, told: list) -> Page:
    """The page after an hour, whose server has no events to give: it asks every five seconds, by its own clock."""
    tab.expect_error("503")
    tab.page.route("**/console/live/events?*", lambda route: route.fulfill(status=503))
    tab.page.clock.install(time=NOW)
    page = tab.open("/console/live")
    expect(page.get_by_role("status")).to_have_text("Live")
    expect(page.locator("[data-now=requests]")).not_to_have_text("– /s")
    return page


def number(page: Page, name: str) -> str:
    """One of the large ones."""
    return page.locator(f"dl.now div:has(dt:text-is('{name}')) dd").inner_text()


def chart(page: Page, name: str):
    return page.get_by_role("slider", name=re.compile(name))


def test_numbers_of_all_models_and_of_one(page: Page):
    assert number(page, "Requests") == "21 /s"
    assert number(page, "Rows") == "40 /s"
    assert number(page, "Half within") == "1.75 ms"
    assert number(page, "Refused") == "1 /s"
    assert number(page, "Rows waiting") == "3"
    page.get_by_label("Model", exact=True).select_option("shop")
    assert number(page, "Requests") == "0 /s"
    assert number(page, "Half within") == "–"
    expect(page.get_by_role("button", name="A shop")).to_have_attribute("aria-current", "true")
    page.reload()
    expect(page.get_by_label("Model", exact=True)).to_have_value("shop")


def test_the_range_is_chosen_and_kept_in_the_address(page: Page):
    points = page.locator("#throughput .plot path.line.one")
    short = points.get_attribute("d").count("L")
    page.get_by_label("1 hour").check()
    long = points.get_attribute("d").count("L")
    assert (short, long) == (59, 179 + 1)
    assert "3600" in page.evaluate("decodeURIComponent(location.hash)")
    page.reload()
    expect(page.get_by_label("1 hour")).to_be_checked()


def test_what_comes_is_drawn_unless_it_pauses(page: Page, told: list):
    told.append(sample(5, toy=400))
    page.clock.run_for(5_000)
    page.clock.run_for(1_000)
    expect(page.locator("[data-now=requests]")).to_have_text("42 /s")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_have_text("Paused")
    told.append(sample(10, toy=1000))
    page.clock.run_for(6_000)
    assert number(page, "Requests") == "42 /s"
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("[data-now=requests]")).to_have_text("105 /s")
    expect(page.get_by_role("status")).to_have_text("Live")


def test_figures_of_two_servers_are_never_mixed(page: Page, told: list):
    expect(page.locator("#server")).to_have_text("pod-1:8000")
    told[:] = [{**sample(at, toy=400), "server": "pod-2:8000"} for at in (-20, -15, 5)]
    page.clock.run_for(5_000)
    page.clock.run_for(1_000)
    expect(page.locator("#server")).to_have_text("pod-2:8000")
    expect(page.locator("[data-now=requests]")).to_have_text("84 /s")  # it is drawn later than it is told
    assert page.locator("#throughput .plot path.line.one").get_attribute("d").count("L") == 1  # a piece of two points
    told[:] = [{"at": NOW + 10, "server": "pod-3:8000", "seconds": 0.0, "models": {}}]  # as it begins
    page.clock.run_for(5_000)
    page.clock.run_for(1_000)
    expect(page.locator("#server")).to_have_text("pod-3:8000")
    expect(page.locator("[data-now=requests]")).to_have_text("– /s")


def test_it_says_when_the_server_is_gone_and_goes_on_when_it_is_back(tab: Tab, page: Page, told: list):
    tab.expect_error("ERR_FAILED")
    gone = re.compile(r"/console/live/samples")
    page.route(gone, lambda route: route.abort())
    page.clock.run_for(6_000)
    expect(page.get_by_role("status")).to_contain_text("Connection lost")
    page.unroute(gone)
    told.append(sample(20, toy=400))
    page.clock.run_for(6_000)
    page.clock.run_for(1_000)
    expect(page.get_by_role("status")).to_have_text("Live")
    expect(page.locator("[data-now=requests]")).to_have_text("42 /s")


def test_a_server_that_is_gone_for_good_is_told_though_the_browser_tries_again(tab: Tab, told: list):
    """The browser begins a stream again by itself, however often that fails."""
    tab.expect_error("ERR_FAILED")
    page, begun = tab.page, []

    def once(route: Route) -> None:
        begun.append(route)
        if len(begun) > 1:
            route.abort()
        else:
            page.route("**/console/live/samples?*", lambda later: later.abort())
            route.fulfill(headers={"Content-Type": "text/event-stream"}, body="retry: 20\n\n")

    page.route("**/console/live/events?*", once)
    page.clock.install(time=NOW)
    tab.open("/console/live")
    expect(page.get_by_role("status")).to_have_text("Live")
    for _ in range(5):
        with page.expect_request("**/console/live/**"):
            page.clock.run_for(1_000)
    expect(page.get_by_role("status")).to_contain_text("Connection lost")


def test_a_stream_that_says_nothing_is_given_up(tab: Tab, told: list):
    """A connection may die without a word."""
    tab.page.route("**/console/live/events?*", lambda route: None)
    tab.page.clock.install(time=NOW)
    page = tab.open("/console/live")
    expect(page.locator("[data-now=requests]")).to_have_text("21 /s")
    told.append(sample(5, toy=400))
    page.clock.run_for(21_000)
    page.clock.run_for(1_000)
    expect(page.locator("[data-now=requests]")).to_have_text("42 /s")


def test_values_by_arrow_keys_and_at_the_pointer(page: Page):
    slider = chart(page, "Throughput")
    readout = page.locator("#throughput .readout")
    slider.focus()
    page.keyboard.press("Home")
    first = slider.get_attribute("aria-valuetext")
    assert re.fullmatch(r"\d\d:\d\d:\d\d: Requests 21, Rows 40", first)
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") != first
    assert slider.get_attribute("aria-valuenow") == "1"
    slider.hover(position={"x": 60, "y": 50})
    expect(readout).to_contain_text("Requests 21")
    expect(page.locator("#throughput circle")).to_have_count(2)


def test_batches_by_size_with_their_mean(page: Page):
    expect(page.locator("#batches .readout")).to_contain_text("4 rows on average")
    chart(page, "Batch sizes").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#batches .readout")).to_contain_text("3–4 rows")
    expect(page.locator("#batches .readout")).to_contain_text("100 %")


def test_every_chart_is_a_table_too(page: Page):
    page.locator("#took summary").click()
    table = page.get_by_role("region", name="Time to answer, as a table")
    expect(table.get_by_role("row")).to_have_count(61)
    expect(table.get_by_role("row").nth(1)).to_contain_text("1.75")


def test_a_model_is_chosen_in_the_table_of_all(page: Page):
    row = page.locator("#models tr").filter(has_text="21")
    row.get_by_role("button").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value("toy")
    assert number(page, "Requests") == "21 /s"


def test_nothing_sticks_out_of_full_charts(tab: Tab, page: Page):
    page.get_by_label("1 hour").check()
    for width in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": 900})
        assert tab.fits(), width
        assert tab.violations() == [], width


def test_who_is_signed_out_is_told(tab: Tab):
    tab.expect_error("401")
    tab.page.route("**/console/live/samples*", lambda route: route.fulfill(status=401, json={}))
    page = tab.open("/console/live")
    expect(page.get_by_role("alert")).to_contain_text("You are no longer signed in.")


def test_quantiles_are_those_of_the_server(modules: Page):
    cases = [
        (share, [(7 * place + 3 * case) % 11 * (place > case) for place in range(len(TOOK))])
        for case in range(12)
        for share in (0.0, 0.5, 0.95, 0.99, 1.0)
    ]
    script = """async ([bounds, cases]) => {
        const { quantile } = await import("/console/assets/live/numbers.js");
        return cases.map(([share, counts]) => quantile(share, bounds, counts));
    }"""
    found = modules.evaluate(script, [list(families.SECONDS), cases])
    assert found == pytest.approx([quantile(share, (0.0, *families.SECONDS), counts) for share, counts in cases])


def test_a_prediction_is_seen_by_events(tab: Tab):
    """The real thing: a request that is answered is told of by one stream alone; who asks for samples gets none."""
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    tab.page.route("**/console/live/samples?*", lambda route: route.fulfill(json=[]))
    page = tab.open("/console/live")
    requests = page.locator("#models tr").filter(has_text="half").locator("td").first
    expect(requests).to_have_text("0")  # no other test asks this model
    page.evaluate("row => fetch('/predict/half', {method: 'POST', body: row})", json.dumps({"x": [0.5, -1, 2]}))
    expect(requests).not_to_have_text("0")
    assert asked.count("/console/live/events") == 1
