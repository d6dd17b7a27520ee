"""The README's pictures of the console: python -m tests.console.pictures STORE, whose qa they show."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.console.browser import chromium
from tests.service.server import running

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = {"width": 1100, "height": 760}
COLOURS = 256
"""As many as a palette holds."""


def attempt(page: Page, root: str) -> None:
    """The example and its answer."""
    page.goto(f"{root}/console/models/qa")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_text("in its batch")).to_be_visible()


def why(page: Page, root: str) -> None:
    """Which of its words decide."""
    page.goto(f"{root}/console/models/qa/why")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("What matters most")).to_be_visible()


def save(page: Page, name: str) -> None:
    """What the window shows, in few colours."""
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("document.getAnimations().length === 0")
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"console-{name}.png", optimize=True)


def main() -> None:
    """Serve that store, and draw both."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(sys.argv[1]), Path(folder) / "log", engine="onnx") as server,
        chromium() as browser,
    ):
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        for name, show in (("try", attempt), ("why", why)):
            show(page, server.url(""))
            save(page, name)


if __name__ == "__main__":
    main()
