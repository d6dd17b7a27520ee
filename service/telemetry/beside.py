"""A log handler that does not wait for who reads: a thread of its own writes, and what finds no room is counted."""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable

MOST_LINES = 10_000
"""That wait to be written; of more, the newest are dropped."""
PIECE = 4096
"""Bytes that a pipe takes in one piece (POSIX, PIPE_BUF): lines of several processes do not mix."""
REST = 0.02
"""Seconds between two looks: a thread that wakes for every line takes more from the event loop than the lines do."""
END_SECONDS = 2.0
"""What is left when a process ends has so long to be written."""

Drop = Callable[[int], None]
"""Counts lines that were not written."""


class Beside(logging.Handler):
    """Writes lines to a file descriptor, in order."""

    def __init__(self, file: int, drop: Drop, most: int = MOST_LINES) -> None:
        super().__init__()
        self._file = file
        self._drop = drop
        self._most = most
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if self._lines.qsize() >= self._most:
            self._drop(1)
        else:
            self._lines.put(f"{self.format(record)}\n".encode(errors="backslashreplace"))

    def end(self) -> None:
        """Write what is left, if somebody reads."""
        self._lines.put(None)
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        line: bytes | None = b""
        while line is not None:
            if not line:
                time.sleep(REST)
                line = self._lines.get()
            else:
                piece, line = self._together(line)
                self._write(piece)

    def _together(self, line: bytes) -> tuple[bytes, bytes | None]:
        """A line with those that wait behind it and fit one piece, and the first that does not: b"" if none waits."""
        piece = line
        while not self._lines.empty():
            following = self._lines.get()
            if following is None or len(piece) + len(following) > PIECE:
                return piece, following
            piece += following
        return piece, b""

    def _write(self, piece: bytes) -> None:
        try:
            os.write(self._file, piece)
        except OSError:
            self._drop(piece.count(b"\n"))
