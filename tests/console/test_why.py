"""Why: what each part of a row does to an answer, in one request."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, expect

from tests.console.browser import Tab
from tests.service.artifacts import PHOTO

TOY = "/console/models/toy/why"


@pytest.fixture
def asked(tab: Tab) -> list[Request]:
    """The predictions that the page asks for."""
    found: list[Request] = []
    tab.page.on("request", lambda request: found.append(request) if "/predict/" in request.url else None)
    return found


def explain(page: Page, text: str | None = None) -> None:
    if text is not None:
        page.get_by_label("Words").fill(text)
    page.get_by_role("button", name="Explain").click()
    page.get_by_role("listbox", name="Parts").first.wait_for()


def parts(page: Page, title: str) -> Any:
    """The parts of one input."""
    return page.locator(".why-input").filter(has=page.get_by_role("heading", name=title)).get_by_role("option")


def rows(request: Request) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = request.post_data_json
    return found


def test_every_word_is_left_out_once_in_one_request(tab: Tab, asked):
    page = tab.open(TOY)
    explain(page, "The cat, the -- CAT sat.")
    texts = [row["text"] for row in rows(asked[0])]
    without = [" cat, the -- CAT sat.", "The  the -- CAT sat.", "The cat,  -- CAT sat.", "The cat, the --  sat."]
    assert texts[:6] == ["The cat, the -- CAT sat.", *without, "The cat, the -- CAT "]
    assert len(asked) == 1
    expect(page.locator("#why-took")).to_contain_text(f"{len(texts)} rows, answered in ")
    assert asked[0].headers["x-drift"] == "off", "rows that the page made up tell nothing of what is asked"
    expect(parts(page, "Words")).to_have_text(["The", "cat,", "the", "CAT", "sat."])


def test_a_part_says_what_changes_without_it(tab: Tab):
    page = tab.open(TOY)
    explain(page, "the good cat")
    numbers = json.loads(page.locator("#model").inner_text())["example"]["numbers"]
    ask = [{"text": text, "numbers": numbers} for text in ("the good cat", "the  cat")]
    said = page.request.post(tab.root + "/predict/toy", data=ask).json()
    whole, lacking = (answer["score"]["value"] for answer in said)
    parts(page, "Words").nth(1).hover()
    line = page.locator(".why-said").first
    expect(line).to_contain_text("good, word 2, left out: ")
    by = float(line.inner_text().split("(")[1].split(" ")[0].replace("−", "-"))
    assert by == pytest.approx(lacking - whole, rel=1e-2)
    assert ("for" in parts(page, "Words").nth(1).get_attribute("class").split()) == (by < 0)


def test_parts_are_walked_with_the_arrow_keys(tab: Tab):
    page = tab.open(TOY)
    explain(page, "the good cat")
    words = parts(page, "Words")
    words.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # there is no further one
    expect(words.nth(2)).to_be_focused()
    expect(page.locator(".why-said").first).to_contain_text("cat, word 3")


def test_a_text_of_one_word_is_left_whole(tab: Tab, asked):
    page = tab.open(TOY)
    page.get_by_label("Words").fill("cat")
    page.get_by_role("button", name="Explain").click()
    page.get_by_text("It has one word").wait_for()
    assert {row["text"] for row in rows(asked[0])} == {"cat"}


def test_another_label_is_explained_without_asking_again(tab: Tab, asked):
    page = tab.open(TOY)
    explain(page, "the good cat")
    page.get_by_label("What to explain").select_option("Mood")
    label = page.get_by_label("Why this label")
    own = label.input_value()
    expect(page.locator("#why")).to_contain_text(f"The probability of {own} is ")
    label.select_option("sad" if own != "sad" else "calm")
    expect(page.locator("#why")).not_to_contain_text(f"The probability of {own} is ")
    assert len(asked) == 1


def test_a_link_explains_at_once_what_it_was_made_of(tab: Tab):
    page = tab.open(TOY)
    explain(page, "the good cat")
    page.get_by_label("What to explain").select_option("Mood")
    page.get_by_label("Why this label").select_option("sad")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#why")).to_contain_text("The probability of sad is ")
    expect(parts(page, "Words")).to_have_text(["the", "good", "cat"])


def test_a_link_that_says_less_than_the_form_is_no_step_of_its_own(tab: Tab):
    tab.page.goto("about:blank")
    page = tab.open(f"{TOY}#row.text=the+good+cat")
    expect(parts(page, "Words")).to_have_text(["the", "good", "cat"])
    assert "row.numbers" in page.url
    page.go_back()
    assert page.url == "about:blank"


def test_back_and_forward_go_through_what_was_explained(tab: Tab):
    page = tab.open(TOY)
    explain(page, "the good cat")
    what = page.get_by_label("What to explain")
    what.select_option("Mood")
    explain(page, "the bad mat")
    expect(parts(page, "Words")).to_have_text(["the", "bad", "mat"])
    what.select_option("Score")
    page.go_back()
    expect(parts(page, "Words")).to_have_text(["the", "good", "cat"])
    expect(what).to_have_value("mood")
    page.go_forward()
    expect(parts(page, "Words")).to_have_text(["the", "bad", "mat"])
    expect(what).to_have_value("score")


def test_what_is_refused_is_told_once_beside_its_field(tab: Tab):
    tab.expect_error("422")
    page = tab.open(TOY)
    page.get_by_label("Words").fill("one two three four five six seven eight nine ten eleven twelve thirteen fourteen")
    page.get_by_role("button", name="Explain").click()
    fault = page.locator("[data-name=text] .fault:not([hidden])")
    expect(fault).to_have_text("Expected at most 12 words, got 14.")


def test_pieces_of_a_picture_other_labels_and_single_steps(tab: Tab, asked):
    page = tab.open("/console/models/shop/why")
    explain(page)
    own, *lacking = rows(asked[0])
    pieces = [pixels(row) for row in lacking[:16]]
    assert np.array_equal(pixels(own), PHOTO)
    changed = sum((piece != PHOTO).any(axis=2).astype(int) for piece in pieces)
    assert changed.tolist() == np.ones(PHOTO.shape[:2]).tolist()  # every pixel is painted over once
    assert [row["fabric"] for row in lacking[16:18]] == ["cotton", "linen"]
    assert [row["worn"] for row in lacking[18:]] == [[[1, 0]], [[0.5, 0.25]]]
    expect(parts(page, "Photo")).to_have_count(16)


def pixels(row: dict[str, Any]) -> Any:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(row["photo"]))).convert("RGB"))


def test_an_output_of_texts_has_nothing_to_show(tab: Tab):
    page = tab.open("/console/models/echo/why")
    page.get_by_role("button", name="Explain").click()
    page.get_by_text("This output has no number").wait_for()


def test_long_texts_lose_several_words_at_a_time(modules: Page):
    values = modules.evaluate(
        """async () => {
            const { open } = await import("/console/assets/why/texts.js");
            const told = ({ parts }) => parts.map(({ label, value }) => [label, value]);
            const cut = (text, most, spec) => told(open(spec, text).parts(most));
            return [cut("a b c d e", 3, {}), cut(["a b"], 2, { control: "string" })];
        }"""
    )
    assert values == [[["a b", " c d e"], ["c d", "a b  e"], ["e", "a b c d "]], [["a", " b"], ["b", "a "]]]


def test_of_shares_without_labels_the_largest_is_explained_and_of_other_numbers_their_mean(modules: Page):
    script = """async (numbers) => {
        const { targets } = await import("/console/assets/score.js");
        return numbers.map((value) => targets({ kind: "free" }, value));
    }"""
    shares, nested, *others = modules.evaluate(
        script, [[0.1, 0.2, 0.7], [[0.3, 0.7], [0.8, 0.2]], [0.1, 0.2], [1], [-0.5, 1.5]]
    )
    assert shares == [["2", "number 3 (the largest)"], ["1", "number 2"], ["0", "number 1"]]
    assert nested[:2] == [["1,0", "number 2, 1 (the largest)"], ["0,1", "number 1, 2"]]
    assert {one[0][1] for one in others} == {"the mean of all"}


@pytest.mark.parametrize(
    ("edges", "counts", "median"),
    [
        pytest.param([0.0, 2.5, 5.0], [0, 10, 10, 0, 0], 2.5, id="between-two-bins"),
        pytest.param([0.5, 1.5, 2.5], [0, 1, 3, 0, 0], 1.5 + 1 / 3, id="inside-one"),
        pytest.param([0, 0, 1], [0, 740, 660, 0, 0], 0, id="votes-against"),
        pytest.param([0, 0, 1], [0, 660, 740, 0, 0], 1, id="votes-for"),
    ],
)
def test_the_median_follows_from_bins(modules: Page, edges, counts, median):
    script = 'async (bins) => (await import("/console/assets/why/numbers.js")).median(bins)'
    assert modules.evaluate(script, {"edges": edges, "counts": counts}) == pytest.approx(median)


@pytest.mark.parametrize("path", [TOY, "/console/models/shop/why"])
def test_an_explanation_has_no_barrier_and_fits(tab: Tab, path):
    page = tab.open(path)
    explain(page)
    assert tab.barriers() == []
    assert tab.misfits() == []
