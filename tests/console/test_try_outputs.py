"""Answers, each drawn for what it is: their words, their places, and what a screen reader hears of them."""

import json
import random
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from service import numbers
from tests.console.browser import WIDTHS, Tab

LABELS = ["refund", "repair", "cancel", "charge", "pair", "escalate", "update"]
PAIRS = [[label, share] for label, share in zip(LABELS, (0.4, 0.25, 0.15, 0.1, 0.05, 0.03, 0.02), strict=True)]
AGES = {"feature": "value", "edges": [20, 30, 40, 60], "counts": [10, 40, 30, 10, 10, 0]}


def drawn(tab: Tab, value: Any, distribution: Any = (), **output: Any) -> Locator:
    """One output of an imagined model, drawn on a real page in the place of its answers."""
    model = {"outputs": {"it": output}, "distribution": {"outputs": {"it": list(distribution)}}}
    page = tab.page if tab.page.url != "about:blank" else tab.open("/console/models/toy")
    page.evaluate(
        """async ([model, value]) => {
            const { drawOutput } = await import("/console/assets/answer.js");
            document.querySelector("#answer").replaceChildren(drawOutput(model, "it", value));
        }""",
        [model, value],
    )
    return page.locator("#answer")


def test_numbers_are_written_as_the_service_writes_them(modules: Page):
    """Halves go the same way, too."""
    draw = random.Random(0)
    sizes = [draw.choice([-1, 1]) * draw.random() * 10 ** draw.uniform(-9, 14) for _ in range(300)]
    edges = [0, None, 1, 17 / 16, 999.96, 2500.5, 9999.5, 99999e-9, 1e-4, 1e12, 12345e8]
    shares = [0, None, 1, 0.5, 0.1225, 4e-5, 5e-5, 9.9e-4, 0.001, 0.9991, 0.99994, 0.99995]
    shares += [draw.random() ** 5 for _ in range(100)]
    found = modules.evaluate(
        """async ([numbers, shares]) => {
          const { digits, percent } = await import("/console/assets/numbers.js");
          return [...[3, 4].map((most) => numbers.map((number) => digits(number, most))), shares.map(percent)];
        }""",
        [edges + sizes, shares],
    )
    alike = [[numbers.digits(number, most) for number in edges + sizes] for most in (3, 4)]
    assert found == [*alike, [numbers.percent(share) for share in shares]]


def test_labels_are_bars_the_answer_first_and_the_rest_on_demand(tab: Tab):
    answer = {"label": "refund", "probability": 0.4, "top": PAIRS}
    shown = drawn(tab, answer, kind="probabilities", labels=LABELS, threshold=0.0, otherwise=None)
    lines = shown.get_by_role("listitem")
    assert lines.all_inner_texts() == ["refund\n40 %", "repair\n25 %", "cancel\n15 %", "charge\n10 %", "pair\n5 %"]
    shown.get_by_text("Show all 7 labels").click()
    assert lines.all_inner_texts()[5:] == ["escalate\n3 %", "update\n2 %"]
    widths = shown.locator(".filled").evaluate_all("bars => bars.map(bar => bar.style.inlineSize)")
    assert widths == ["40%", "25%", "15%", "10%", "5%", "3%", "2%"]


def test_bars_are_seen_in_the_colours_of_the_reader(tab: Tab):
    tab.page.emulate_media(forced_colors="active")
    answer = {"label": "refund", "probability": 0.4, "top": PAIRS}
    shown = drawn(tab, answer, kind="probabilities", labels=LABELS, threshold=0.0, otherwise=None)
    colours = shown.locator(".winner").locator(".track, .filled")
    assert len(set(colours.evaluate_all("parts => parts.map(part => getComputedStyle(part).backgroundColor)"))) == 2


def test_labels_that_the_service_does_not_give_are_not_promised(tab: Tab):
    answer = {"label": "refund", "probability": 0.4, "top": PAIRS[:6]}
    shown = drawn(tab, answer, kind="probabilities", labels=LABELS, threshold=0.0, otherwise=None)
    assert shown.get_by_text("Show the first 6 of 7 labels").is_visible()


def test_an_answer_that_is_not_sure_enough_says_so(tab: Tab):
    answer = {"label": "escalate", "probability": 0.03, "top": PAIRS[:5], "threshold": 0.7}
    shown = drawn(tab, answer, kind="probabilities", labels=LABELS, threshold=0.7, otherwise="escalate")
    assert shown.get_by_text("No label reached 70 %, so the answer is “escalate”.").is_visible()
    assert shown.get_by_role("listitem").all_inner_texts()[:2] == ["escalate\n3 %", "refund\n40 %"]


@pytest.mark.parametrize(
    ("label", "probability", "ends"), [("yes", 0.72, ["no 28 %", "yes 72 %"]), ("no", 0.65, ["no 65 %", "yes 35 %"])]
)
def test_yes_or_no_shares_one_bar_with_a_mark(tab: Tab, label, probability, ends):
    answer = {"label": label, "probability": probability}
    shown = drawn(tab, answer, kind="probability", labels=["no", "yes"], threshold=0.6)
    assert shown.locator(".verdict").inner_text() == f"{label} {probability:.0%}".replace("%", " %")
    assert shown.locator(".ends span").all_inner_texts() == ends
    assert shown.get_by_text("It says “yes” from 60 % on, else “no”.").is_visible()
    assert shown.locator(".mark").evaluate("mark => mark.style.insetInlineStart") == "40%"


def test_a_number_stands_beside_the_answers_of_the_test(tab: Tab):
    years = {"kind": "number", "unit": "years", "minimum": 0, "maximum": None}
    for value, words in {
        35: "Higher than 65 % of the answers in the model’s test.",
        30: "Higher than 50 % of the answers in the model’s test.",
        2: "Lower than every answer in the model’s test.",
        500: "Higher than every answer in the model’s test.",
    }.items():
        shown = drawn(tab, {"value": value, "unit": "years"}, [AGES], **years)
        assert shown.locator(".verdict").inner_text() == f"{value} years"
        assert shown.get_by_text(words).is_visible(), words
        picture = shown.get_by_role("img", name="Of 100 answers in the model’s test, from 20 years to 60 years")
        assert picture.locator("rect").count() == 3


def test_a_number_without_a_past_is_just_the_number(tab: Tab):
    shown = drawn(tab, {"value": 32.172092, "unit": "m"}, kind="number", unit="m", minimum=None, maximum=None)
    assert shown.inner_text() == "32.17 m"
    assert drawn(tab, [32.172092], kind="tensor").inner_text() == "32.17"


def test_a_number_between_bounds_has_a_scale(tab: Tab):
    shown = drawn(tab, {"value": 0.89128}, kind="number", unit=None, minimum=0, maximum=1)
    assert shown.get_by_role("img", name="0.8913 on a scale from 0 to 1").is_visible()


def test_a_small_matrix_is_a_table(tab: Tab):
    shown = drawn(tab, {"values": [[1, -2.5], [30, 0.125]]}, kind="numbers", dims=[2, 2], unit="m")
    rows = shown.get_by_role("row").all_inner_texts()
    assert [row.split() for row in rows[1:]] == [["1", "1", "−2.5"], ["2", "30", "0.125"]]
    assert shown.get_by_text("In m.").is_visible()


def test_a_large_matrix_is_a_map_that_arrow_keys_read(tab: Tab):
    values = [[10 * row + column for column in range(8)] for row in range(8)]
    shown = drawn(tab, {"values": values, "unit": "m"}, kind="numbers", dims=[8, 8], unit="m")
    area = shown.get_by_role("group", name="Map of 8 × 8 numbers, from 0 m to 77 m")
    area.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowUp"):
        area.press(key)
    assert shown.get_by_role("status").inner_text() == "Row 1, column 2: 1 m"
    area.hover(position={"x": 1, "y": 1})
    assert shown.get_by_role("status").inner_text() == "Row 1, column 1: 0 m"
    shown.get_by_text("As a table").click()
    assert shown.get_by_role("cell", name="77", exact=True).is_visible()
    corners = area.locator("canvas").evaluate(
        "c => [[0, 0], [7, 7]].map(([x, y]) => [...c.getContext('2d').getImageData(x, y, 1, 1).data])"
    )
    assert corners == [[68, 1, 84, 255], [253, 231, 37, 255]]


def test_a_short_series_is_bars_and_a_long_one_a_line(tab: Tab):
    shown = drawn(tab, {"values": [1, -1, 0.5]}, kind="numbers", dims=[3], unit="cm")
    assert shown.get_by_role("listitem").all_inner_texts() == ["1\n1 cm", "2\n−1 cm", "3\n0.5 cm"]
    shown = drawn(tab, {"values": list(range(100))}, kind="numbers", dims=[100], unit="cm")
    assert shown.get_by_role("img", name="100 numbers in a row, from 0 cm to 99 cm").is_visible()


def test_what_nobody_described_is_read_as_well(tab: Tab):
    strings = drawn(tab, [f"<b>{number}</b>" for number in range(30)], kind="tensor")
    assert strings.get_by_role("listitem").count() == 20
    strings.get_by_role("button", name="Show all 30").click()
    expect(strings.get_by_role("list")).to_be_focused()
    assert strings.get_by_role("listitem").all_inner_texts() == [f"<b>{number}</b>" for number in range(30)]
    deep = drawn(tab, [[[float(number)] * 9] * 9 for number in range(9)], kind="tensor")
    assert len(deep.locator("pre").inner_text()) == 2001
    deep.get_by_role("button", name="Show all").click()
    expect(deep.locator("pre")).to_be_focused()
    assert len(json.loads(deep.locator("pre").inner_text())) == 9


def test_answers_raise_no_barrier(tab: Tab):
    page = tab.open("/console/models/toy")
    page.get_by_role("button", name="Predict").click()
    page.get_by_text("in the model, ").wait_for()
    page.get_by_text("1 row in its batch. Answered by onnx on cpu.").wait_for()
    assert tab.barriers() == []


def test_every_kind_raises_no_barrier_and_fits(tab: Tab):
    scaled = {"kind": "number", "unit": None, "minimum": 0, "maximum": 1}
    kinds: dict[str, tuple[dict[str, Any], Any]] = {
        "gauge": (scaled, {"value": 0.5}),
        "matrix": ({"kind": "numbers"}, {"values": [[0.123456] * 6] * 6}),
        "map": ({"kind": "numbers"}, {"values": [list(range(9))] * 9}),
        "line": ({"kind": "numbers"}, {"values": list(range(99))}),
        "strings": ({"kind": "tensor"}, ["x" * 300]),
    }
    outputs = {name: output for name, (output, _) in kinds.items()}
    model = {"outputs": outputs, "distribution": {"outputs": {"gauge": [AGES]}}}
    tab.page.set_viewport_size({"width": WIDTHS["phone"], "height": 900})
    page = tab.open("/console/models/toy")
    page.evaluate(
        """async ([model, answer]) => {
            const { draw } = await import("/console/assets/answer.js");
            document.querySelector("#answer").replaceChildren(draw(model, answer));
        }""",
        [model, {name: value for name, (_, value) in kinds.items()}],
    )
    assert page.locator("#answer h3").all_inner_texts() == list(kinds)
    assert tab.fits()
    assert tab.violations() == []
