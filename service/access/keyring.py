"""The keys as their file has them now: it is looked at again and again, so that keys change without a restart."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from service import files
from service.access.keys import BadKeys, Key, Keys, digest, loads

LOG = logging.getLogger("manifold.keys")

LOOK = 1.0
"""Seconds between two looks at the file."""

Stamp = tuple[int, int, int]


class Keyring:
    """Finds keys. A file that cannot be read or used is logged once, and the keys stay as they were: at first, none."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._keys: Keys = {}
        self._met: dict[str, Key] = {}  # those that came since the file was read, so that each is hashed once
        self._seen: Stamp | str | None = None
        self._look()

    def find(self, secret: str) -> Key | None:
        """The entry of a key.

        What takes time here hangs on hashes alone, of which nothing can be learnt of a key.
        """
        if self._clock() >= self._look_at:
            self._look()
        key = self._met.get(secret)
        if key is None:
            key = self._keys.get(digest(secret))
            if key is not None:
                self._met[secret] = key
        return key

    def _look(self) -> None:
        self._look_at = self._clock() + LOOK
        stamp: Stamp | str
        try:
            stamp = stamp_of(self._path.stat())
            if stamp == self._seen:
                return
            keys = loads(files.read(self._path))  # if it has changed meanwhile, the next look sees that
        except (OSError, BadKeys) as error:
            if isinstance(error, OSError):
                stamp = str(error)
            if stamp != self._seen:
                LOG.error("%s: the keys stay as they were: %s", self._path, error)
        else:
            self._keys, self._met = keys, {}
            LOG.info("%s: %s key%s", self._path, len(keys), "" if len(keys) == 1 else "s")
        self._seen = stamp


def stamp_of(status: os.stat_result) -> Stamp:
    """What changes with a file."""
    return status.st_mtime_ns, status.st_size, status.st_ino


def read(path: Path) -> Keys:
    """The keys of a file, at the start; BadKeys."""
    try:
        return loads(files.read(path))
    except OSError as error:
        raise BadKeys(f"{path}: {error.strerror}") from error
    except BadKeys as error:
        raise BadKeys(f"{path}: {error}") from error
