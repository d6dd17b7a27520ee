"""How many requests of a key are answered at once, over all workers: each takes one of so many places.

A place is one byte of a file that the workers share, locked by the worker whose request has it. The kernel gives back
what a worker held that dies.
"""

import contextlib
import fcntl
import os
from collections import deque
from pathlib import Path


class Places:
    """So many places, some of which other processes may have taken."""

    def __init__(self, file: Path, count: int) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # never closed: that unlocks all
        self._idle = deque(range(count))  # not taken by this process

    def take(self) -> int | None:
        """A free place, if there is one."""
        for _ in range(len(self._idle)):
            with contextlib.suppress(IndexError):  # another thread took the last
                place = self._idle.pop()
                if locked(self._file, place):
                    return place
                self._idle.appendleft(place)
        return None

    def leave(self, place: int) -> None:
        """Give a place back."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
        self._idle.append(place)


def locked(file: int, place: int) -> bool:
    """Whether no other process has this byte; now we do."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError:
        return False
    return True
