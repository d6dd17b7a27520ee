"""Versions on their way from a remote store into the cache: pulled whole, or refused there in their place."""

import logging
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from service.batching.batcher import Clock
from service.files import MOST_BYTES
from service.metrics.storage import count_not_pulled, count_pulled
from service.storage.cache import Cache
from service.storage.names import Unfit
from service.storage.remote import Away, Entry, Remote
from service.storage.whole import parts
from service.versions import manifest, refusal

LOG = logging.getLogger("manifold.storage")

AGAIN, LATEST = 60.0, 3600.0
"""Seconds until a refused version is tried again though nothing of it has changed: at first, and doubled at most to."""

Files = Mapping[str, Entry]


class Refused(NamedTuple):
    """A version that could not be pulled as it was listed; tried again `after` so many seconds, which is `at`."""

    listed: Files
    after: float
    at: float


class Arrivals:
    """Brings versions one by one. `waits` is set when one may not have arrived whole yet: the next look will tell."""

    def __init__(self, remote: Remote, cache: Cache, clock: Clock = time.monotonic, signed: bool = False) -> None:
        self._remote = remote
        self._cache = cache
        self._clock = clock
        self._signed = signed
        self._seen: dict[tuple[str, int], Files] = {}
        self._refused: dict[tuple[str, int], Refused] = {}
        self.waits = False

    def bring(self, model: str, number: int) -> bool:
        """Whether a version is in the cache now; Away where the store cannot even be listed, or OSError."""
        at, listed = (model, number), {}
        try:
            listed = self._remote.files(f"{model}/{number}")
            if not self._rests(at, listed):
                self._pull(at, listed)
                return True
        except Unfit as error:
            self._doubt(at, listed, error)
        except FileNotFoundError:
            self.waits = True  # it goes, or changes, just now
        self._seen[at] = listed
        return False

    def _rests(self, at: tuple[str, int], listed: Files) -> bool:
        """Whether a version was refused as it is, and is not due again."""
        known = self._refused.get(at)
        return known is not None and known.listed == listed and self._clock() < known.at

    def _pull(self, at: tuple[str, int], listed: Files) -> None:
        """Unfit, FileNotFoundError, OSError."""
        model, number = at
        begun = self._clock()
        try:
            described = None
            if manifest.NAME in listed:
                described = b"".join(self._read(at, manifest.NAME, listed[manifest.NAME].size))
            wanted = parts(listed, described, self._signed)
            if described is None and self._seen.get(at) != listed:
                raise Unfit("incomplete", f"without {manifest.NAME} it must stay the same for two looks")
            with self._cache.put(model, number, wanted) as incoming:
                for name, part in wanted.items():
                    incoming.take(name, self._read(at, name, part.size))
                if described is None and self._remote.files(f"{model}/{number}") != listed:
                    raise Unfit("incomplete", "it changed while it was pulled")
        except Away as error:
            LOG.error("%s/%d: %s", model, number, error)
            raise Unfit("unreadable", "it cannot be read from the store") from None
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise Unfit("disk", f"the cache cannot be written: {error.strerror}") from None
        self._refused.pop(at, None)
        size = sum(part.size for part in wanted.values())
        count_pulled(model, size)
        LOG.info("pulled %s/%d: %d files, %s bytes in %.2f s", *at, len(wanted), f"{size:,}", self._clock() - begun)

    def _read(self, at: tuple[str, int], name: str, size: int) -> Iterator[bytes]:
        if name == manifest.NAME and size > MOST_BYTES:
            raise Unfit("unsafe", f"{name} has more than {MOST_BYTES} bytes")
        return self._remote.read(f"{at[0]}/{at[1]}/{name}", size)

    def _doubt(self, at: tuple[str, int], listed: Files, error: Unfit) -> None:
        """Refuse a version, unless it may be on its way, or is refused already."""
        if error.reason == "incomplete" and self._seen.get(at) != listed:
            self.waits = True
        elif not self._rests(at, listed):
            known = self._refused.get(at)
            after = min(2 * known.after, LATEST) if known and known.listed == listed else AGAIN
            self._refused[at] = Refused(listed, after, self._clock() + after)
            self._say(at, error)

    def _say(self, at: tuple[str, int], error: Unfit) -> None:
        """In the version's place, unless that says so already."""
        folder = self._cache.folder(*at)
        if refusal.stands(folder) and refusal.read(folder) == str(error):
            return
        LOG.error("%s/%d is not pulled: %s", *at, error)
        count_not_pulled(*at, error.reason)
        self._cache.refuse(*at, str(error))
