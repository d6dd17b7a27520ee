"""Whose batch is next on a device: models take turns, so that a slow one with many batches lets a fast one pass."""

import contextlib
import threading
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator


class Turns:
    """At most `depth` hold a turn at once; those that wait stand in a line per model, and the lines take turns."""

    def __init__(self, depth: int) -> None:
        self._free = depth
        self._lock = threading.Lock()
        self._lines: OrderedDict[Hashable, deque[threading.Event]] = OrderedDict()

    @contextlib.contextmanager
    def of(self, line: Hashable) -> Iterator[None]:
        """Hold a turn; waits for it in this line."""
        with self._lock:
            called = self._take(line)
        if called is not None:
            called.wait()
        try:
            yield
        finally:
            with self._lock:
                self._pass_on()

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._lock:
            return sum(map(len, self._lines.values()))

    def _take(self, line: Hashable) -> threading.Event | None:
        """A free turn, or what to wait for."""
        if self._free:
            self._free -= 1
            return None
        called = threading.Event()
        self._lines.setdefault(line, deque()).append(called)
        return called

    def _pass_on(self) -> None:
        """Give the turn to the front of the line that has waited longest, which then goes behind the others."""
        if not self._lines:
            self._free += 1
            return
        line, waiting = self._lines.popitem(last=False)
        waiting.popleft().set()
        if waiting:
            self._lines[line] = waiting
