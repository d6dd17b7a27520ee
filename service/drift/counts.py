"""How many rows fell into every bin, hour by hour of the last day, over all workers of a server.

Each worker adds to a file of its own, locked as long as it lives; who starts takes the file of one that died, and goes
on counting in it. So there are never more files than workers, and every worker can add up all of them.

    <folder>/0, <folder>/1, …     24 records of float64: the hour since 1970, then a number per bin
"""

import contextlib
import fcntl
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from service.drift.features import Array

LOG = logging.getLogger("manifold.drift")

HOURS = 24
HOUR = 3600


class Counts:
    """Of one version and worker, so many `bins`; `clock` gives the seconds since 1970.

    Where no file can be written, only this worker's rows are known.
    """

    def __init__(self, folder: Path, bins: int, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._own = np.zeros((HOURS, 1 + bins))
        self._name, self._file = "", -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._name, self._file = own_file(folder)
            self._own = read(folder / self._name, bins)
            os.pwrite(self._file, self._own.tobytes(), 0)
            os.ftruncate(self._file, self._own.nbytes)
        except OSError as error:
            LOG.error("%s: only this worker's rows are counted: %s", folder, error.strerror)

    def add(self, rows: Array) -> None:
        """Count rows (bins,) in this hour; OSError where they cannot be written, and then they count all the same."""
        hour = int(self._clock() // HOUR)
        record = self._own[hour % HOURS]
        if record[0] != hour:
            record[:] = 0
            record[0] = hour
        record[1:] += rows
        if self._file >= 0:
            os.pwrite(self._file, record.tobytes(), (hour % HOURS) * record.nbytes)

    def by_hour(self) -> tuple[int, Array]:
        """The hour that it is, and the rows of all workers, (24, bins): those of the hours until then, it the last."""
        now, bins = int(self._clock() // HOUR), self._own.shape[1] - 1
        hours = np.arange(now - HOURS + 1, now + 1)
        total = np.zeros((HOURS, bins))
        for records in (self._own, *self._others(bins)):
            found = records[hours % HOURS]
            total += np.where(found[:, :1] == hours[:, np.newaxis], found[:, 1:], 0)
        return now, total

    def close(self) -> None:
        """Leave the file to whoever counts next."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _others(self, bins: int) -> Iterator[Array]:
        """The records of other workers, dead ones too."""
        with contextlib.suppress(OSError):  # the folder goes when the server ends
            for file in self._folder.iterdir():
                if file.name != self._name:
                    yield read(file, bins)


def own_file(folder: Path) -> tuple[str, int]:
    """The first file that nobody has, locked: its name and number."""
    for place in itertools.count():
        file = os.open(folder / str(place), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        else:
            return str(place), file
    raise AssertionError  # pragma: no cover - count() does not end


def read(file: Path, bins: int) -> Array:
    """The records of a file, (24, 1 + bins); zeros where it has none yet, or those of other bins."""
    records = np.zeros((HOURS, 1 + bins))
    content = file.read_bytes()
    return np.frombuffer(content).reshape(records.shape).copy() if len(content) == records.nbytes else records
