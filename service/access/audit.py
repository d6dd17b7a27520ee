"""What was changed, by whom, and how it ended: one line of JSON each, in the log and, where it is wanted, in a file."""

import getpass
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.logs import Fields

LOG = logging.getLogger("manifold.audit")


def now() -> str:
    """This second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def user() -> str:
    """Who runs a command; in a container a user may have a number alone."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


MOST_STRANGERS = 10
"""Lines in a second, of each worker, for tries of nobody known: the rest is counted, so that nobody fills a disk."""


class Audit:
    """Writes to the logger `manifold.audit`, and to the file at `path`, "" for none. `seconds` are of any one clock."""

    def __init__(
        self, path: str, clock: Callable[[], str] = now, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = Path(path) if path else None
        self._clock = clock
        self._seconds = seconds
        self._second = -1
        self._strangers = 0
        self._omitted = 0

    def record(self, who: str, address: str, what: str, outcome: str, **more: Any) -> None:
        """One change, or a try at one. A file that cannot be written is logged: what is done is done.

        Who is "" is nobody known; of more than MOST_STRANGERS such tries in a second the next says how many there were.
        """
        if not who:
            if self._crowded():
                return
            if self._omitted:
                more["omitted"], self._omitted = self._omitted, 0
        told = {"time": self._clock(), "who": who, "address": address, "what": what, "outcome": outcome, **more}
        fields = Fields(told)
        LOG.info(fields)
        if self._path is not None:
            try:
                append(self._path, f"{fields}\n".encode())
            except OSError as error:
                LOG.error("%s: %s", self._path, error)

    def _crowded(self) -> bool:
        """Whether too many strangers have tried in this second; then it is counted."""
        second = int(self._seconds())
        if second != self._second:
            self._second, self._strangers = second, 0
        self._strangers += 1
        crowded = self._strangers > MOST_STRANGERS
        self._omitted += crowded
        return crowded


def append(path: Path, line: bytes) -> None:
    """Write a line in one piece at the end, so that lines of several processes do not mix; it is ours alone to read.

    OSError; also of a pipe that nobody reads, for which a worker must not wait.
    """
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)
