"""How things stand in this worker, written once a second by a thread of its own, whatever the event loop does."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from service.batching.admission import Room
from service.metrics import families
from service.metrics.counting import UNDER_WAY
from service.metrics.memory import tell_memory
from service.metrics.pending import flush
from service.versions.background import go_on
from service.versions.catalog import Catalog

BETWEEN = 1.0
"""Seconds between two samples."""
PROCESS = Path("/proc/self")

FindLoop = Callable[[], asyncio.AbstractEventLoop | None]


def nothing() -> None:
    """What is done beside, if nothing is."""


class Sampler:
    """Writes the gauges of a process with this catalog and room; `find_loop` finds its event loop, if it has one.

    `beside` is called after each time.
    """

    def __init__(
        self,
        catalog: Catalog,
        room: Room,
        find_loop: FindLoop = lambda: None,
        beside: Callable[[], None] = nothing,
    ) -> None:
        self._catalog = catalog
        self._room = room
        self._find_loop = find_loop
        self._beside = beside
        self._labels: set[tuple[str, str]] = set()
        self._processor = 0.0
        self._asked: float | None = None  # the loop, when it has not answered yet

    def start(self) -> None:
        """Sample from now on."""
        families.WORKER_STARTS.inc()
        families.WORKERS.set(1)
        go_on(self.step, "metrics", lambda: True, lambda _: time.sleep(BETWEEN))

    def step(self) -> None:
        """A sample, and what is done beside."""
        self.sample()
        self._beside()

    def sample(self) -> None:
        """Write how things stand now."""
        flush()
        families.READY.set(not self._catalog.unready())
        families.IN_FLIGHT.set(len(UNDER_WAY))
        room = self._room
        families.ROOM.labels("rows").set(room.held_rows / room.rows)
        families.ROOM.labels("bytes").set(room.held_size / room.size)
        self._models()
        self._process()
        self._loop()

    def _models(self) -> None:
        """What waits, by version, and what lies on the accelerators."""
        handles = [served.handle for served in self._catalog.served() if served.handle is not None]
        waiting = {(one.model, str(one.version)): one.batcher.waiting_rows for one in handles}
        for label in self._labels | waiting.keys():
            families.QUEUE_ROWS.labels(*label).set(waiting.get(label, 0))
        self._labels |= waiting.keys()
        tell_memory(one.engine for one in handles)

    def _process(self) -> None:
        processor = time.process_time()
        families.WORKER_CPU.inc(processor - self._processor)
        self._processor = processor
        families.WORKER_MEMORY.set(resident_bytes())
        families.WORKER_FILES.set(open_files())

    def _loop(self) -> None:
        """Ask the loop to call back, unless it still owes the last answer."""
        loop = self._find_loop()
        if loop is not None and self._asked is None:
            self._asked = time.monotonic()
            with contextlib.suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(self._answered)

    def _answered(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            families.WORKER_LAG.observe(time.monotonic() - asked)


def resident_bytes() -> int:
    """Of this process, in memory."""
    return int((PROCESS / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def open_files() -> int:
    """Of this process; Linux before 6.2 does not say how many there are."""
    return (PROCESS / "fd").stat().st_size or sum(1 for _ in (PROCESS / "fd").iterdir())
