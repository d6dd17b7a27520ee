"""The history as Server-Sent Events: what a client has not seen, then each sample as it comes.

    retry: 1000                      who is cut off comes again after a second

    id: 1767225900@pod-7:8000        and says up to where it has seen, and of which server
    data: [{"at":…}, …, {"at":1767225900,…}]

A stream is an answer that lasts, and so it is none of those that a worker waits for: it ends at once when its worker
does, holds no place of a key, and is counted when it begins. After some minutes it ends anyway, so that nobody who has
left holds one for long, and keys are looked at again.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

from service.batching.future import Future
from service.errors import DeadlineExceeded
from service.live.history import History, at_of

LASTS = 300.0
"""Seconds of one stream."""
LOOK = 1.0
"""Seconds between two looks whether there is a sample more."""
QUIET = 15.0
"""Seconds without a word; then a comment tells what stands between that somebody is there."""
BEGIN, COMMENT = b"retry: 1000\n\n", b":\n\n"


class Streams:
    """Of one process, over a history. `wait` is that of the server, which `parks` or not; end them from any thread."""

    def __init__(
        self,
        history: History,
        wait: Callable[["Future[Any]", float], Any],
        parks: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._history = history
        self._wait = wait
        self.parks = parks
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._open: list[socket.socket | None] = []
        self._over: float | None = None
        self._pauses: set[Future[None]] = set()

    def enter(self, most: int, connection: socket.socket | None = None) -> bool:
        """Whether there is a place for one more, of so many; over a connection, if its thread waits for its client."""
        with self._lock:
            free = len(self._open) < most
            if free:
                self._open.append(connection)
            return free

    def leave(self, connection: socket.socket | None = None) -> None:
        """Give a place back."""
        with self._lock:
            self._open.remove(connection)

    def end(self) -> None:
        """End all of them, now; those that begin later end at once, and their clients find another worker.

        Called again a while later, it hangs up on those who have not read their last.
        """
        now = self._monotonic()
        if self._over is None:
            self._over = now
        for pause in list(self._pauses):
            pause.cancel()
        if now - self._over >= LOOK:
            for connection in filter(None, list(self._open)):
                hang_up(connection)

    def events(self, after: int) -> Iterator[bytes]:
        """All samples later than this, and those that come."""
        now = said = self._monotonic()
        until, seen = now + LASTS, -1
        yield BEGIN
        while now < until and self._over is None:
            mark = self._history.mark()
            if mark != seen:
                seen, said = mark, now
                for lines in self._history.after(after):
                    after = at_of(lines[-1])
                    yield event(f"{after}@{self._history.server}", lines)
            elif now - said >= QUIET:
                said = now
                yield COMMENT
            self._pause()
            now = self._monotonic()

    def _pause(self) -> None:
        """Until it is time to look again, or there is no more to see."""
        pause: Future[None] = Future()
        self._pauses.add(pause)
        try:
            if self._over is None:
                self._wait(pause, LOOK)
        except (DeadlineExceeded, CancelledError):
            pass
        finally:
            self._pauses.discard(pause)


def hang_up(connection: socket.socket) -> None:
    """Have whoever waits for its client wait no more."""
    with contextlib.suppress(OSError):  # it is gone
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS would say goodbye first, and wait as well


def event(last: str, lines: list[str]) -> bytes:
    """Samples as one event.

    >>> event("7@pod-7:8000", ['{"at":6}', '{"at":7}'])
    b'id: 7@pod-7:8000\\ndata: [{"at":6},{"at":7}]\\n\\n'
    """
    return f"id: {last}\ndata: [{','.join(lines)}]\n\n".encode()
