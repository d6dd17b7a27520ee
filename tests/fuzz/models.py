"""The models whose bodies are fuzzed: words, numbers, pictures, series, labels, strings and every dtype."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from service import loading
from service.handle import ModelHandle
from service.settings import Settings
from service.versions.store import Version
from tests.service import artifacts, fakes
from tests.service.site import EVERY_DTYPE, EVERY_ROW, echo

SETTINGS = Settings(engine="onnx", max_batch_rows=8, max_queue_rows=32, max_body_bytes=100_000)


@cache
def handles() -> list[ModelHandle]:
    """Loaded once."""
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    hand = fakes.Hand()
    folders = [("toy", artifacts.toy(root)), ("shop", artifacts.shop(root))]
    return [
        *(loading.load(Version(name, 1, folder), SETTINGS, lambda _: hand) for name, folder in folders),
        fakes.handle(fakes.FakeEngine(EVERY_DTYPE, echo), hand, name="every"),
        fakes.handle(fakes.FakeEngine(immune=True), hand),
    ]


def rows() -> list[dict[str, Any]]:
    """A valid row of each: its card's own example, where it has one."""
    return [EVERY_ROW if handle.model == "every" else dict(handle.rows.example) for handle in handles()]
