"""The request as code: what is shown is run, in a shell, by Python and by Node, and answers as the page did."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.console.browser import Tab
from tests.service import artifacts
from tests.service.server import Server

NASTY = 'it\'s "quoted" \\ $HOME `id` !x %s\nnew line, tab\t, Zoë 🐈 </script> \u2028 end'
LANGUAGES = ("curl", "Python", "JavaScript")


def code(tab: Tab, row: dict[str, Any], model: str = "toy", **options: Any) -> list[str]:
    """What the three buttons copy for a request, in the order of the tabs."""
    page = tab.open(f"/console/models/{model}")
    page.evaluate(
        """async ([name, row, options]) => {
            const { draw } = await import("/console/assets/code/snippets.js");
            document.querySelector("#code").hidden = false;
            document.querySelector("#snippets").replaceChildren(draw({ name }, row, options));
            window.copied = [];
            navigator.clipboard.writeText = async (text) => window.copied.push(text);
        }""",
        [model, row, options],
    )
    for language in LANGUAGES:
        page.get_by_role("tab", name=language).click()
        page.get_by_role("tabpanel", name=language).get_by_role("button", name="Copy").click()
        expect(page.get_by_role("tabpanel", name=language).get_by_role("status")).to_have_text("Copied.")
    copied: list[str] = page.evaluate("window.copied")
    return copied


def run(snippets: list[str], folder: Path) -> list[Any]:
    """What they print: JSON, but for Python, which prints what it has read."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node")
    environment = {"PATH": "/usr/bin:/bin", "KEY": "k-1", "PYTHONUTF8": "1"}
    printed = []
    for snippet, program in zip(snippets, ("bash", sys.executable, node), strict=True):
        file = folder / "request.mjs"
        file.write_text(snippet, encoding="utf-8")
        done = subprocess.run([program, file], env=environment, capture_output=True, text=True, check=True)
        printed.append(done.stdout)
    shell, python, javascript = printed
    return [json.loads(shell), ast.literal_eval(python), json.loads(javascript)]


@pytest.mark.parametrize("keys", [False, True])
def test_code_asks_what_the_page_asked(tab: Tab, console: Server, tmp_path: Path, keys):
    row = {"text": 'it\'s "the" $cat\n`sat` \\on 🐈', "numbers": [1, -2.5e-7, 3]}
    expected = console.post("/predict/toy?version=1", row).json()
    assert "mood" in expected
    snippets = code(tab, row, version=1, keys=keys)
    assert run(snippets, tmp_path) == [expected] * 3
    assert all(("Bearer " in snippet) == keys for snippet in snippets)
    assert all("/predict/toy?version=1" in snippet for snippet in snippets)


def test_values_arrive_as_they_were(tab: Tab, console: Server, tmp_path: Path):
    row = {"x": [NASTY, "", "null", "'; rm -rf /", "\\u0027", "\x01"]}
    assert console.post("/predict/echo", row).json() == {"y": row["x"]}
    assert run(code(tab, row, "echo"), tmp_path) == [{"y": row["x"]}] * 3


def test_a_row_too_long_for_an_argument_is_sent_as_well(tab: Tab, tmp_path: Path):
    row = {"x": ["it's " * 40_000]}
    snippets = code(tab, row, "echo")
    assert run(snippets, tmp_path) == [{"y": row["x"]}] * 3
    assert all(len(text) < 2000 for text in tab.page.locator("#snippets pre").all_text_contents())


def test_the_page_shows_the_request_it_sent(tab: Tab):
    page = tab.open("/console/models/toy?version=1")
    assert page.get_by_role("tablist", name="The same request as code").count() == 0
    page.get_by_role("button", name="Predict").click()
    panel = page.get_by_role("tabpanel", name="curl")
    expect(panel).to_contain_text(artifacts.EXAMPLE)
    expect(panel).to_contain_text(f"{tab.root}/predict/toy?version=1")
    assert tab.violations() == []


def test_arrow_keys_choose_a_language_and_the_choice_stays(tab: Tab):
    page = tab.open("/console/models/toy")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("tab", name="curl").focus()
    moves = {"ArrowRight": "Python", "End": "JavaScript", "Home": "curl", "ArrowLeft": "JavaScript"}
    for key, chosen in moves.items():
        page.keyboard.press(key)
        expect(page.get_by_role("tab", name=chosen)).to_be_focused()
        expect(page.get_by_role("tab", selected=True)).to_have_text(chosen)
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        expect(page.get_by_role("tabpanel", name=chosen)).to_be_visible()
    old = page.get_by_role("tablist").element_handle()
    page.get_by_role("button", name="Predict").click()
    page.wait_for_function("old => !old.isConnected", arg=old)
    expect(page.get_by_role("tab", selected=True)).to_have_text("JavaScript")


def test_where_the_clipboard_is_not_allowed_it_is_copied_all_the_same(tab: Tab):
    page = tab.open("/console/models/toy")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.addEventListener('copy', () => { window.copied = String(document.activeElement.value) })")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("tabpanel").get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("window.copied").startswith("curl 'http://127.0.0.1")
