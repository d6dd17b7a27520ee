"""What calls a batcher's step: the protocol, and threads of the batcher's own; for the event loop server/drivers.py."""

import threading
from collections.abc import Callable
from typing import Protocol


class Driver(Protocol):
    """Calls `step` after every `wake`, until it returns False."""

    def wake(self) -> None:
        """Work has come; called from any thread."""

    def close(self) -> None:
        """Answer what waits, then stop; returns when done. Safe to call twice."""


class Stopped:
    """In the place of a driver that was closed, so that nothing holds on to what it drove."""

    def wake(self) -> None:
        """Whoever wakes it came before it was closed, and has been answered."""

    def close(self) -> None:
        """Nothing is left."""


MakeDriver = Callable[[Callable[[], bool]], Driver]


class ThreadDriver:
    """One daemon thread that sleeps while nothing waits."""

    def __init__(self, step: Callable[[], bool], name: str = "batcher") -> None:
        self._step = step
        self._work = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            closed = self._closed  # read before the last look for work: what came until then is still answered
            while self._step():
                pass
            if closed:
                return

    def wake(self) -> None:
        self._work.set()

    def close(self) -> None:
        self._closed = True
        self._work.set()
        self._thread.join()


class PoolDriver:
    """So many daemon threads: while one's batch is computed, the next one's is on its way."""

    def __init__(self, step: Callable[[], bool], threads: int, name: str = "batcher") -> None:
        self._step = step
        self._changed = threading.Condition()
        self._wakes = 0
        self._closed = False
        self._threads = [threading.Thread(target=self._loop, name=name, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _loop(self) -> None:
        closed = False
        while not closed:
            with self._changed:
                self._changed.wait_for(lambda: self._wakes or self._closed)
                self._wakes = max(self._wakes - 1, 0)
                closed = self._closed  # read before the last look for work: what came until then is still answered
            while self._step():
                pass

    def wake(self) -> None:
        with self._changed:
            self._wakes = min(self._wakes + 1, len(self._threads))
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
