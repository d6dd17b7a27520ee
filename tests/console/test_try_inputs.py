"""The form of Try it: a control for every kind of input."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser import WIDTHS, Tab, asked
from tests.console.kinds import EXAMPLE, STEPS, STRANGE
from tests.service.server import Server

EVERY, TOY, SHOP = "/console/models/every", "/console/models/toy", "/console/models/shop"

DROP_TEXT = """box => {
  const dataTransfer = new DataTransfer();
  dataTransfer.setData("text/plain", "0.3");
  return box.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""
"""Whether nobody but the browser does anything about it."""


class TestKinds:
    @pytest.mark.parametrize("path", [EVERY, SHOP])
    def test_the_example_stands_in_the_form_and_is_a_row_that_works(self, tab: Tab, console: Server, path):
        page = tab.open(path)
        row, answer = asked(page)
        model = path.rsplit("/", 1)[1]
        assert row == console.get(f"/models/{model}").json()["example"]
        assert answer == console.post(f"/predict/{model}", row).json()

    def test_numbers_one_by_one_a_text_as_it_is_and_the_example_again(self, tab: Tab):
        page = tab.open(EVERY)
        age = page.get_by_label("Age in years")
        expect(age).to_have_accessible_description(re.compile("from 0 to 120 years"))
        age.fill("41.5")
        page.get_by_role("group", name="Matrix").get_by_label("Row 2, column 2").fill("-7")
        page.get_by_label("Note").fill('["used"]')
        row, answer = asked(page)
        assert (row["age"], row["matrix"], row["note"]) == (41.5, [[1, 2], [3, -7]], '["used"]')
        assert (answer["years"]["value"], answer["corner"]["value"], answer["said"]) == (41.5, -7, ['["used"]'])
        with page.expect_response("**/predict/**") as heard:
            page.get_by_role("button", name="Example").click()
        assert heard.value.request.post_data_json == EXAMPLE
        expect(page.get_by_text("1 row in its batch.")).to_be_visible()

    def test_an_answer_to_other_inputs_says_so(self, tab: Tab):
        page = tab.open(TOY)
        words, outdated = page.get_by_label("Words").first, page.get_by_text("the inputs have changed since")
        words.fill("the cat")
        expect(outdated).to_have_count(0)
        asked(page)
        page.get_by_text("1 row in its batch.").wait_for()
        words.fill("good")
        expect(outdated).to_be_visible()
        asked(page)
        expect(outdated).to_have_count(0)

    def test_a_few_steps_of_many_numbers_are_a_line_each(self, modules: Page):
        drawn = "async rows => (await import('/console/assets/inputs/plot.js')).plot(rows).map(one => one.textContent)"
        assert modules.evaluate(drawn, [list(range(9)), list(range(7))]) == ["", "Line 1Line 2"]
        assert modules.evaluate(drawn, [[1, 2], [3, 4]]) == ["", "Column 1Column 2"]
        assert modules.evaluate(drawn, [[1, 2]]) == []

    def test_a_series_is_pasted_and_plotted(self, tab: Tab):
        page = tab.open(EVERY)
        numbers = list(map(str, range(STEPS)))
        for text in (
            "\n".join(numbers),
            "\t".join(numbers),
            "\n".join(["value", *numbers]),
            json.dumps(list(range(STEPS))),
        ):
            page.get_by_label("Series").first.fill(text)
            expect(page.get_by_text(f"{STEPS} numbers, from 0 to {STEPS - 1}.")).to_be_visible()
            expect(page.get_by_role("img", name=f"{STEPS} numbers")).to_be_visible()
            row, answer = asked(page)
            assert row["series"] == list(range(STEPS))
            assert answer["peak"]["value"] == STEPS - 1

    def test_a_series_comes_from_a_file_and_a_label_is_chosen(self, tab: Tab):
        page = tab.open(SHOP)
        page.get_by_label("A file for Days worn").set_input_files(
            {"name": "x.csv", "mimeType": "text/csv", "buffer": b"in,out\n0.1,0.2\r\n1;0\n"}
        )
        expect(page.get_by_text("2 lines of 2 numbers, from 0 to 1.")).to_be_visible()
        assert page.get_by_label("Days worn").first.evaluate(DROP_TEXT), "which is the browser's to put there"
        page.get_by_label("Fabric").select_option("linen")
        row, _ = asked(page)
        assert (row["worn"], row["fabric"]) == ([[0.1, 0.2], [1, 0]], "linen")

    def test_a_tensor_of_strings_is_json(self, tab: Tab):
        page = tab.open("/console/models/echo")
        page.get_by_label("x").fill('["a", "b"]')
        row, answer = asked(page)
        assert (row, answer) == ({"x": ["a", "b"]}, {"y": ["a", "b"]})


class TestTexts:
    def test_words_are_counted_and_those_the_model_never_saw_marked(self, tab: Tab):
        page = tab.open(TOY)
        expect(page.get_by_text("6 of at most 12 words.")).to_be_visible()
        page.get_by_label("Words").fill("The (zebra) sat on the gnu, zebra!")
        expect(page.get_by_text("7 of at most 12 words.")).to_be_visible()
        expect(page.get_by_text("3 words the model never saw: “zebra”, “gnu”")).to_be_visible()
        assert page.locator("mark").all_text_contents() == ["(zebra)", "gnu,", "zebra!"]
        page.get_by_label("Words").fill("the cat")
        expect(page.locator("mark")).to_have_count(0)

    def test_many_words_are_counted_as_their_bound_is_written(self, tab: Tab):
        page = tab.open(TOY)
        page.get_by_label("Words").fill("cat " * 1500)
        expect(page.get_by_text("1,500 of at most 12 words.")).to_be_visible()

    def test_of_a_fixed_length_it_is_said_what_becomes_of_other_lengths(self, tab: Tab):
        page = tab.open(EVERY)
        expect(page.get_by_text(re.compile(r"2 words\.\s+The model reads exactly 4 words"))).to_be_visible()

    def test_counts_never_come_out_of_order(self, tab: Tab):
        page = tab.open(TOY)
        held = []
        page.route("**/tokens?*", lambda route: held.append(route) if not held else route.continue_())
        box = page.get_by_label("Words")
        with page.expect_request("**/tokens?*"):
            box.fill("the")
        with page.expect_event("requestfailed") as ended:
            box.fill("the cat sat")
        assert ended.value.post_data_json == {"text": "the"}
        expect(page.get_by_text("3 of at most 12 words.")).to_be_visible()


def test_axe_finds_no_barrier_and_nothing_sticks_out(tab: Tab):
    page = tab.open(EVERY)
    assert tab.misfits() == []
    page.get_by_label("Posts").fill("the zebra")
    expect(page.locator("mark")).to_be_visible()
    assert tab.barriers() == []


def test_names_may_be_anything(tab: Tab):
    tab.page.set_viewport_size({"width": WIDTHS["phone"], "height": 900})
    page = tab.open("/console/models/v1.2")
    row, answer = asked(page)
    assert sorted(row) == sorted(STRANGE)
    assert sorted(answer) == sorted(f"out {name}" for name in STRANGE)
    page.reload()
    expect(page.locator("#answer h3")).to_have_count(len(STRANGE))
    page.get_by_role("button", name="Two sample rows").click()
    page.get_by_role("button", name="Answer all rows").click()
    page.get_by_role("link", name="Download as CSV").wait_for()
    expect(page.locator("#rows .wrong")).to_have_count(0)
    assert tab.fits()
    assert tab.violations() == []
