"""Waiting for what must come."""

import time
from collections.abc import Callable

PATIENCE = 60.0
LOOK = 0.02


class Stuck(Exception):
    """Something that must come did not."""


def until(what: str, done: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait until it is done; how long that took. Stuck."""
    started = time.monotonic()
    while not done():
        if time.monotonic() - started > seconds:
            raise Stuck(f"{what}: not after {seconds:.0f} s")
        time.sleep(LOOK)
    return time.monotonic() - started
