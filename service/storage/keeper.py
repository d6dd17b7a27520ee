"""The process that pulls: run once before anything is served, and kept alive beside a server.

Whoever starts it pulls nothing itself: pulling starts threads, and the parent of the workers must have none.
"""

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from service.settings import Settings
from service.versions.store import NothingToServe

LOG = logging.getLogger("manifold.storage")

PULL = [sys.executable, "-m", "service", "pull"]
AGAIN = 5.0
"""Seconds between two starts."""
PATIENCE = 5.0
"""Seconds that it has to end."""


def pull(chosen: Settings) -> None:
    """Have something of a store at a URL to serve; NothingToServe."""
    pulled = once([*PULL, "--store", chosen.store]) == 0
    if not pulled and not any(chosen.folder.glob("*/*/saved_model.pb")):  # one that is refused says why
        raise NothingToServe(f"nothing of {chosen.store} could be pulled, and nothing of it is in {chosen.folder}")


def once(command: Sequence[str], start: Callable[[Sequence[str]], Any] = subprocess.Popen) -> int:
    """Run one to its end; its status. Who gets a SIGTERM meanwhile, also as it starts, ends it, and then itself.

    One that nobody waits for any more would go on for as long, and keep the cache from the next server.
    """
    told = False
    process: Any = None

    def end(*_: Any) -> None:
        nonlocal told
        told = True
        if process is not None:
            process.kill()

    before = signal.signal(signal.SIGTERM, end)
    try:
        process = start(command)
        if told:
            process.kill()
        status: int = process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        if process is not None:
            process.kill()  # as after a SIGINT; one that has ended is left alone
    if told:
        sys.exit(0)
    return status


class Keeper:
    """Keeps one process of a command."""

    def __init__(
        self,
        command: Sequence[str],
        start: Callable[[Sequence[str]], Any] = subprocess.Popen,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._start = start
        self._clock = clock
        self._process: Any = None
        self._not_before = 0.0

    def tend(self) -> bool:
        """Start it, unless it runs, or was started just now; whether it takes the place of one that has ended."""
        if self._process is not None and self._process.poll() is None:
            return False
        followed, due = self._process is not None, self._clock() >= self._not_before
        if due:
            self._not_before = self._clock() + AGAIN
            try:
                self._process = self._start(self._command)
            except OSError as error:
                LOG.error("nothing is pulled: no process can be started (%s)", error.strerror)
        return followed and due

    def end(self) -> None:
        """End it, if it runs."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
