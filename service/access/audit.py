"""What was changed, by whom, and how it ended: one line of JSON each, in the log and, where it is wanted, in a file."""

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOG = logging.getLogger("manifold.audit")


def now() -> str:
    """This second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Audit:
    """Writes to the logger `manifold.audit`, and to the file at `path`, "" for none."""

    def __init__(self, path: str, clock: Callable[[], str] = now) -> None:
        self._path = Path(path) if path else None
        self._clock = clock

    def record(self, who: str, address: str, what: str, outcome: str, **more: Any) -> None:
        """One change, or a try at one. A file that cannot be written is logged: what is done is done."""
        told = {"time": self._clock(), "who": who, "address": address, "what": what, "outcome": outcome, **more}
        line = json.dumps(told)
        LOG.info("%s", line)
        if self._path is not None:
            try:
                append(self._path, f"{line}\n".encode())
            except OSError as error:
                LOG.error("%s: %s", self._path, error)


def append(path: Path, line: bytes) -> None:
    """Write a line in one piece at the end, so that lines of several processes do not mix; it is ours alone to read."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)
