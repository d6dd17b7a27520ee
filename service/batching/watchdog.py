"""Engine calls that do not come back: a thread of its own looks at all of this process, and has the process replaced.

A call on a thread hangs alone: its model is given up, and the worker leaves once the others are answered. A call on the
event loop stops everybody, also whoever could say so: the process ends at once. Time and both ends are arguments.
"""

import contextlib
import logging
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import NamedTuple

from service.batching.batcher import Batcher, Call, Clock
from service.handle import ModelHandle
from service.versions.store import Version

LOG = logging.getLogger("manifold.watchdog")

BEFORE = 0.75
"""Of the seconds after which gunicorn ends a worker that shows no sign of life, without a word why."""
MOST_BETWEEN = 1.0
"""Seconds between two looks, at most."""

Load = Callable[[Version], ModelHandle]


def leave() -> None:
    """Have this process end as after a SIGTERM: it takes no more connections, and answers what it has accepted."""
    os.kill(os.getpid(), signal.SIGTERM)


def die() -> None:
    """End this process here and now; its parent starts another."""
    os._exit(1)


class Ends(NamedTuple):
    """How a process ends."""

    leave: Callable[[], None]
    die: Callable[[], None]


OURS = Ends(leave, die)


class Limits(NamedTuple):
    """Seconds: of an engine call; of a process without a sign of life; from its leaving to its end."""

    call: float
    silence: float
    last: float

    @property
    def on_loop(self) -> float:
        """Of a call on the event loop."""
        return min(self.call, BEFORE * self.silence)


class Watchdog:
    """Holds the calls of a process to limits. One of the main thread, where an event loop runs, stops all others."""

    def __init__(self, limits: Limits, ends: Ends = OURS, clock: Clock = time.monotonic) -> None:
        self._limits = limits
        self._ends = ends
        self._clock = clock
        self._loop = threading.main_thread().ident
        self._batchers: weakref.WeakKeyDictionary[Batcher, str] = weakref.WeakKeyDictionary()
        self._loading: dict[str, float] = {}
        self._left: float | None = None

    def start(self) -> None:
        """Look again and again, on a thread of its own."""
        threading.Thread(target=self._look_on, name="watchdog", daemon=True).start()

    def over(self, load: Load) -> Load:
        """The same, watched while it loads, and what it has loaded from then on."""

        def watched(version: Version) -> ModelHandle:
            name = f"{version.model}/{version.number}"
            with self._while_loading(name):
                handle = load(version)
            if handle.engine.parallel == 1:  # the process of a device is waited for no longer than a request
                self.watch(name, handle.batcher)
            return handle

        return watched

    def watch(self, name: str, batcher: Batcher) -> None:
        """Look at its calls as long as it lives."""
        self._batchers[batcher] = name

    def look(self) -> None:
        """Deal with whatever has taken too long by now."""
        now = self._clock()
        for batcher, name in list(self._batchers.items()):
            for call in batcher.calls:
                if not batcher.hung and now - call.since >= self._allowed(call):
                    self._hangs(name, batcher, call, now)
        for name, since in list(self._loading.items()):
            if now - since >= self._limits.call:
                self._loading[name] = now
                LOG.error("%s is still loading, after another %.3g s", name, now - since)
        if self._left is not None and now - self._left >= self._limits.last:
            LOG.critical("this worker has not ended in time, and ends now")
            self._ends.die()

    def end(self) -> None:
        """At the very end: a process of which a thread still hangs, or loads, cannot end in order, and ends here."""
        if self._left is not None or self._loading:
            self._ends.die()

    def _allowed(self, call: Call) -> float:
        return self._limits.on_loop if call.thread == self._loop else self._limits.call

    def _hangs(self, name: str, batcher: Batcher, call: Call, now: float) -> None:
        reason = f"a call of the model's engine has not come back for {self._allowed(call):.3g} s"
        LOG.critical("%s: %s; this worker is replaced", name, reason)
        if call.thread == self._loop:
            self._ends.die()
            return
        batcher.give_up(reason)
        if self._left is None:
            self._left = now
            self._ends.leave()

    @contextlib.contextmanager
    def _while_loading(self, name: str) -> Iterator[None]:
        self._loading[name] = self._clock()
        try:
            yield
        finally:
            self._loading.pop(name, None)

    def _look_on(self) -> None:
        while True:
            time.sleep(min(MOST_BETWEEN, self._limits.on_loop / 4))
            try:
                self.look()
            except Exception:
                LOG.exception("the watchdog could not look")
