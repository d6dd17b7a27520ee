"""Asking, in Try it: faults in place, the keyboard, one question at a time, and the row in the URL."""

import re

from playwright.sync_api import Browser, expect

from tests.console.browser import Tab, asked, fresh
from tests.service import artifacts

EVERY, TOY, SHOP = "/console/models/every", "/console/models/toy", "/console/models/shop"

REFUSED = {
    429: "The service is busy: try again in 2 s.",
    503: "It is loading. Try again in 2 s.",
    403: "may not ask this model",
    404: "It is loading. Load this page again.",
    413: "This is more than the service takes at once. It is loading.",
    500: "It is loading. If it stays so, tell whoever runs this service.",
}
"""What is told, by status, of a service that says it is loading."""


class TestFaults:
    def test_they_stand_beside_their_fields_and_the_first_is_gone_to(self, tab: Tab):
        tab.expect_error("422")
        page = tab.open(EVERY)
        age = page.get_by_label("Age in years")
        age.fill("200")
        page.get_by_label("Posts").fill("?!")
        asked(page)
        expect(age).to_have_attribute("aria-invalid", "true")
        expect(age).to_have_accessible_description(re.compile("Expected a number from 0 to 120, got 200"))
        posts = page.get_by_label("Posts")
        expect(posts).to_have_accessible_description(re.compile("Expected at least one word"))
        expect(posts).to_be_focused()
        assert tab.violations() == []
        age.fill("20")
        posts.fill("the cat")
        asked(page)
        expect(page.locator("[aria-invalid]")).to_have_count(0)

    def test_what_cannot_be_read_is_told_with_its_place_and_not_sent(self, tab: Tab):
        page = tab.open(SHOP)
        page.get_by_label("Days worn").first.fill("0.1, 0.2\n0.3, x")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.get_by_text("Line 2, number 2: expected a number, got “x”")).to_be_visible()
        for text, told in {
            "0.1, 0.2\n0.3": "Line 2: expected 2 numbers, got 1.",
            "[[0.1, 0.2, 0.3]]": "Line 1: expected 2 numbers, got 3.",
        }.items():
            page.get_by_label("Days worn").first.fill(text)
            page.get_by_role("button", name="Predict", exact=True).click()
            expect(page.get_by_text(told)).to_be_visible()
        page.get_by_label("Days worn").first.fill("[[0.1, 2]]")
        tab.expect_error("422")
        asked(page)
        expect(page.get_by_text("Line 1, number 2: expected a number from 0 to 1, got 2")).to_be_visible()

    def test_what_is_missing_is_told_in_the_words_of_its_field(self, tab: Tab):
        page = tab.open("/console/models/every")
        page.get_by_label("Row 2, column 1").fill("")
        page.get_by_label("Series").first.fill("1, 2, 3")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.get_by_text("Row 2, column 1: expected a number, got nothing.")).to_be_visible()
        expect(page.get_by_text("Expected 20 numbers, got 3.")).to_be_visible()

    def test_what_is_about_no_field_stands_below_the_form(self, tab: Tab):
        page = tab.open(TOY)
        headers = {"Retry-After": "2", "Content-Type": "application/problem+json"}
        for status, told in REFUSED.items():
            tab.expect_error(str(status))
            answer = {"status": status, "headers": headers, "body": '{"detail": "it is loading."}'}
            page.route("**/predict/**", lambda route, _, answer=answer: route.fulfill(**answer))
            page.get_by_role("button", name="Predict", exact=True).click()
            expect(page.get_by_role("alert")).to_contain_text(told)

    def test_a_service_that_is_gone_is_told(self, tab: Tab):
        tab.expect_error("ERR_FAILED")
        page = tab.open(TOY)
        page.route("**/predict/**", lambda route: route.abort())
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached.")

    def test_a_page_of_a_proxy_is_no_answer(self, tab: Tab):
        page = tab.open(TOY)
        for answer in ({"body": "<p>Pay first", "headers": {"X-Model-Version": "1"}}, {"json": {"pay": "first"}}):
            page.route("**/predict/**", lambda route, _, answer=answer: route.fulfill(**answer))
            page.get_by_role("button", name="Predict", exact=True).click()
            expect(page.get_by_role("alert")).to_contain_text("What came back is no answer of this service.")


class TestAsking:
    def test_everything_goes_by_keyboard_from_the_top_of_the_page_to_the_answer(self, tab: Tab):
        page = tab.open(TOY)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        box = page.get_by_label("Words")
        for _ in range(20):
            page.keyboard.press("Tab")
            if box.evaluate("box => box === document.activeElement"):
                break
        page.keyboard.press("Control+a")
        page.keyboard.type("the good cat")
        row, _ = asked(page, "Control+Enter")
        assert row["text"] == "the good cat"
        page.keyboard.press("Tab")
        row, _ = asked(page, "Enter")
        assert row["text"] == "the good cat"

    def test_a_second_question_ends_the_first_and_a_quick_answer_needs_no_word(self, tab: Tab):
        tab.page.clock.install(time=0)
        page = tab.open("/console/models/slow")
        page.clock.pause_at(60)
        held = []
        page.route("**/predict/**", lambda route: held.append(route) if not held else route.continue_())
        page.get_by_label("spins").fill("1")
        button = page.locator("#row button.primary")
        button.click()
        page.get_by_label("spins").fill("2")
        page.clock.run_for(100)
        expect(button).to_have_text("Predict")
        page.clock.run_for(100)
        expect(button).to_have_text("Asking…")
        with page.expect_event("requestfailed"), page.expect_response("**/predict/**") as heard:
            button.click()
        assert heard.value.json() == {"spun": [2]}
        expect(button).to_have_text("Predict")
        page.clock.run_for(200)
        assert button.inner_text() == "Predict"
        assert page.get_by_role("alert").is_hidden()


class TestUrl:
    def test_a_copied_url_gives_the_same_answer_in_another_tab(self, tab: Tab, browser: Browser):
        page = tab.open(EVERY)
        page.get_by_label("Posts").fill("100% “good” cat + mat & more? #1")
        page.get_by_label("Age").fill("33")
        row, answer = asked(page)
        expect(page).to_have_url(re.compile("#row"))
        with fresh(browser, page.url) as another:
            with another.page.expect_response("**/predict/**") as heard:
                other = another.open("")
            assert heard.value.request.post_data_json == row
            assert heard.value.json() == answer
            expect(other.get_by_label("Age")).to_have_value("33")

    def test_a_text_can_be_read_in_the_url(self, tab: Tab):
        page = tab.open(TOY)
        page.get_by_label("Words").fill("The cat sat, on 2 mats.")
        asked(page)
        assert page.url.split("#")[1].startswith("row.text=The+cat+sat,+on+2+mats.&")

    def test_back_and_another_url_ask_again(self, tab: Tab):
        page = tab.open(TOY)
        box = page.get_by_label("Words")
        for text in ("the cat", "the mat"):
            box.fill(text)
            asked(page)
        with page.expect_response("**/predict/**"):
            page.go_back()
        expect(box).to_have_value("the cat")
        steps = page.evaluate("history.length")
        with page.expect_response("**/predict/**"):
            page.evaluate("location.hash = 'row.text=good'")
        expect(box).to_have_value("good")
        assert page.evaluate("history.length") == steps, "one step instead of the one that could be gone forward to"
        page.route("**/predict/**", lambda route: None)  # nobody answers
        page.get_by_role("button", name="Predict", exact=True).click()
        with page.expect_event("requestfailed"):
            page.evaluate("location.hash = ''")

    def test_a_broken_url_breaks_nothing(self, tab: Tab):
        tab.expect_error("422")
        page = tab.open(f"{TOY}#%E0%A4%A&row.text=%")
        for fragment in ("row.text", "=", "row.numbers=3&row.none=1", "{"):
            page.evaluate("fragment => { location.hash = fragment }", fragment)
        page.get_by_role("button", name="Example").click()
        assert asked(page)[0]["text"] == artifacts.EXAMPLE

    def test_what_is_too_large_for_a_url_is_left_out(self, tab: Tab):
        page = tab.open(TOY)
        numbers = page.get_by_role("group", name="numbers").get_by_role("spinbutton")
        page.route("**/predict/**", lambda route: route.fulfill(json={}, headers={"X-Model-Version": "1"}))
        page.get_by_label("Words").fill("cat " * 60_000)
        numbers.first.fill("1")
        asked(page)
        expect(page.get_by_text("too large for a link")).to_be_visible()
        assert "#" not in page.url

    def test_skipping_to_the_content_changes_no_row(self, tab: Tab):
        page = tab.open(f"{TOY}#row.text=good")
        box = page.get_by_label("Words")
        expect(box).to_have_value("good")
        box.fill("bad")
        page.get_by_role("link", name="Skip to the content").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        expect(box).to_have_value("bad")
        assert "#row.text=good&" in page.url

    def test_what_was_typed_goes_along_to_the_other_pages(self, tab: Tab):
        page = tab.open(TOY)
        page.get_by_label("Words").fill("very good")
        assert "#row.text=very+good&" in page.get_by_role("link", name="Why").get_attribute("href")
