"""Who adds to the history: one process of a server, every five seconds; another goes on where it ends.

All of them try to lock the same file, each second, and the kernel unlocks it when its owner ends. What the totals were
at the last sample stands in a file, so that whoever comes next counts on from there.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from service.live import totals
from service.live.history import History
from service.live.samples import sample
from service.live.totals import Totals

BETWEEN = 5
"""Seconds between two samples."""
ENOUGH = 0.5
"""Seconds that a sample is of, at least, but the first."""


def of_server(history: History, environment: Mapping[str, str]) -> Callable[[], None]:
    """What each process of a server has to call every second; where none share their numbers, each has its own."""
    shared = environment.get("PROMETHEUS_MULTIPROC_DIR")
    return Keeper(history, totals.of_process if shared is None else partial(totals.of_files, Path(shared))).step


class Keeper:
    """Of a history. `read` says what has been counted so far."""

    def __init__(
        self,
        history: History,
        read: Callable[[], Totals],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._history = history
        self._read = read
        self._clock = clock
        self._monotonic = monotonic
        self.lock: int | None = None
        """The file by which this process leads; until that is closed, which its end does."""
        self._turn = -1

    def step(self) -> None:
        """Called every second: take a sample if it is time to, and nobody else does."""
        now = self._monotonic()
        turn = int(now // BETWEEN)
        if turn != self._turn and self._leads():
            self._turn = turn
            self._add(now)

    def _leads(self) -> bool:
        """Whether this process is the one, for as long as it lives."""
        folder = self._history.folder
        if self.lock is None:
            folder.mkdir(parents=True, exist_ok=True)
            file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return False
            self.lock = file
        return True

    def _add(self, now: float) -> None:
        """Add what came since the last sample; the first is of no time, and says whose those after it are."""
        counted = self._read()
        last = self._before()
        if last is None:
            last = {"at": 0, "now": now, "totals": counted}
        elif now - last["now"] < ENOUGH:  # who led before has just taken one
            return
        at = max(int(self._clock()), last["at"] + 1)
        self._history.append(sample(at, now - last["now"], last["totals"], counted))
        written = self._history.last.with_suffix(".new")
        written.write_text(json.dumps({"at": at, "now": now, "totals": counted}), encoding="utf-8")
        written.replace(self._history.last)

    def _before(self) -> Any:
        """What was written with the last sample, None before the first."""
        try:
            return json.loads(self._history.last.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
