"""The process that pulls: once before a server starts, then beside its workers for as long as the server lives."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from service.metrics.storage import tell_storage
from service.settings import Settings
from service.storage.cache import Cache
from service.storage.mirror import Mirror
from service.storage.remote import Away, connect
from service.versions import told as telling
from service.versions.told import Folder, Told
from service.versions.wishes import Wishes

LOG = logging.getLogger("manifold.storage")

STEP = 1.0
"""Seconds between two looks at whether the server still lives."""
SETTLES = 15.0
"""Seconds between two looks where the settings want but one."""


class Puller:
    """Of the store of `settings`, into their cache; `served` is where the server's workers say what they serve."""

    def __init__(self, settings: Settings, served: Path | None = None) -> None:
        told = reader(served) if served else lambda _: Told()
        self._store = settings.store
        self._cache = Cache(settings.folder)
        self._poll = settings.store_poll
        self._mirror = Mirror(
            connect(settings.store), self._cache, Wishes.of(settings), told, signed=bool(settings.trusted)
        )
        self._up: bool | None = None
        self._last = time.time()

    def first(self, pause: Callable[[float], None] = time.sleep) -> bool:
        """Pull what is wanted, unless another process does; whether there is anything to serve now. OSError."""
        held = self._cache.lock()
        if held is None:
            LOG.info("another process pulls from %s", self._store)
        else:
            try:
                self._cache.clean()
                self.look()
                if self._up:
                    self._mirror.forget()
                if self._mirror.waits:
                    pause(self._poll or SETTLES)
                    self.look()
            finally:
                os.close(held)
        return any(self._cache.whole(model) for model in self._cache.models())

    def follow(self, lasts: Callable[[], bool], pause: Callable[[float], None] = time.sleep) -> None:
        """Look again and again as long as the server `lasts`, from when no other process does."""
        held = None
        while lasts() and held is None:
            held = self._cache.lock()
            pause(STEP if held is None else 0)
        if held is not None:
            self._cache.clean()  # of one that was killed in the middle of a pull, again and again perhaps
        while lasts():
            self.look()
            rest = self._poll
            while lasts() and rest > 0:
                pause(min(STEP, rest))
                rest -= STEP

    def look(self) -> None:
        """Look once; what is wrong is logged once, and is in the metrics."""
        trouble = ""
        try:
            self._mirror.look()
        except Away as error:
            trouble = f"cannot be reached ({error})"
        except OSError as error:
            trouble = f"cannot be pulled: the cache cannot be written ({error.strerror})"
        if trouble and self._up is not False:
            LOG.error("%s %s; what is in %s stays", self._store, trouble, self._cache.root)
        if not trouble:
            if self._up is False:
                LOG.info("%s is reached again", self._store)
            self._last = time.time()
        self._up = not trouble
        tell_storage(self._store, self._up, self._last, self._cache.bytes())


def reader(folder: Path) -> Callable[[str], Told]:
    """What the workers told last of a model, who share a folder."""
    shared = Folder(folder)
    return lambda model: telling.parse(shared.text(model))
