"""What a worker watches: the versions it loads; and the thread that has each count what it took, again and again."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from service.drift import reference
from service.drift.reference import NotWatched
from service.drift.watched import Watched, always
from service.handle import ModelHandle
from service.versions import background
from service.versions.catalog import Catalog, Load
from service.versions.store import Version

LOG = logging.getLogger("manifold.drift")

SHARE = 0.02
"""Of one core, at most: after a round that took long the next one waits."""


def over(load: Load, folder: Path, clock: Callable[[], float] = time.time, real: Callable[[], bool] = always) -> Load:
    """The same, but what it loads is watched, if its card says from what it may drift; the counts lie in the folder."""

    def load_watched(version: Version) -> ModelHandle:
        handle = load(version)
        try:
            found = reference.read(handle.card.document)
        except NotWatched as error:
            LOG.info("%s/%s is not watched for drift: %s", handle.model, handle.version, error)
            return handle
        counted = folder / handle.model / str(handle.version)
        return replace(handle, watched=Watched(found, counted, handle.engine.ragged, clock, real))

    return load_watched


def begin(catalog: Catalog, rate: float) -> None:
    """Start it: up to `rate` requests a second of every version, as long as the process lives."""
    rounds = Rounds(catalog, rate)
    background.go_on(rounds.look, "drift", lambda: True, lambda _: time.sleep(rounds.pause))


class Rounds:
    """Rounds over a catalog; `pause` are the seconds to the next one."""

    def __init__(self, catalog: Catalog, rate: float, clock: Callable[[], float] = time.thread_time) -> None:
        self._catalog = catalog
        self._least = 1 / rate
        self._clock = clock
        self.pause = self._least

    def look(self) -> None:
        """Have every version count what it took since the last round."""
        began = self._clock()
        for served in self._catalog.served():
            if served.handle is not None and served.handle.watched is not None:
                served.handle.watched.step()
        self.pause = max(self._least, (self._clock() - began) / SHARE)
