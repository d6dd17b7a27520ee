"""A real headless Chromium for the tests, and what every page of the console promises."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = {"phone": 390, "tablet": 820, "desktop": 1280}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""Which of axe's rules hold."""
UNSEEN = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,SpareRendererForSitePerProcess"
"""Features of Chromium that start processes for every window: an address bar nobody sees costs more than a page."""
USUAL = (
    "AimEnabled,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PreconnectToSearch"
)
"""Those that Playwright turns off, but no longer where any are named."""
SECONDS = 60
"""How long a page may take to show what it must, before a test fails: Playwright's own are 30, and 5 to expect it."""
FITS = """async (most) => {
  const page = document.documentElement;
  for (const began = performance.now(); performance.now() < began + most; ) {
    if (page.scrollWidth <= page.clientWidth) return true;
    await new Promise(requestAnimationFrame);
  }
  return false;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless. Its sandbox needs rights that containers seldom give; it sees only our pages."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", f"--disable-features={UNSEEN},{USUAL}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@contextmanager
def fresh(browser: Browser, root: str, **options: Any) -> Iterator["Tab"]:
    """A tab that knows nothing of others; at the end it must have logged no error."""
    size = {"width": WIDTHS["desktop"], "height": 900}
    with closing(browser.new_context(viewport=size, reduced_motion="reduce", **options)) as context:
        context.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        tab = Tab(context.new_page(), root)
        yield tab
    assert tab.errors == []


class Tab:
    """A page of the console in a browser; `errors` are what it logged as errors, or threw."""

    def __init__(self, page: Page, root: str) -> None:
        self.page = page
        self.root = root
        self.errors: list[str] = []
        self.expected: set[str] = set()
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not any(part in text for part in self.expected):
            self.errors.append(text)

    def expect_error(self, part: str) -> None:
        """Chromium logs every failed request; of one that is meant to fail, this part of the line is no error."""
        self.expected.add(part)

    def open(self, path: str) -> Page:
        """Go to a path of the console, and wait until it has loaded."""
        self.page.goto(self.root + path, wait_until="load")
        return self.page

    def violations(self) -> list[str]:
        """What axe finds against WCAG AA in the page as it stands."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe())
        options = json.dumps({"runOnly": RULES})
        found: dict[str, Any] = self.page.evaluate(f"axe.run({options})")
        return [
            f"{rule['id']}: {rule['help']}: {node['html'][:160]} {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    def barriers(self) -> list[str]:
        """The same in light colours and in dark ones."""
        found = []
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found += [f"{scheme}: {one}" for one in self.violations()]
        return found

    def fits(self) -> bool:
        """Whether nothing sticks out at the sides, once what is drawn to a measure has been drawn anew."""
        return bool(self.page.evaluate(FITS, SECONDS * 1000))

    def misfits(self) -> list[str]:
        """The widths at which something does."""
        found = []
        for name, width in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": 900})
            if not self.fits():
                found.append(name)
        return found


def asked(page: Page, press: str = "") -> tuple[Any, Any]:
    """What was asked and what came back, in JSON, when Predict is clicked, or that key pressed."""
    with page.expect_response("**/predict/**") as heard:
        if press:
            page.keyboard.press(press)
        else:
            page.get_by_role("button", name="Predict", exact=True).click()
    return heard.value.request.post_data_json, heard.value.json()


@cache
def axe() -> str:
    """axe-core's script."""
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
