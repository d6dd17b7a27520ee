"""Has in the cache what is wanted of a remote store, and takes out of it what nobody wants or serves any more.

remote.ls ─▶ policy.choose ─▶ arrivals.bring ─▶ cache.put        what lacks, the next where that cannot be pulled
cache.numbers ─▶ minus wanted and served ─▶ cache.remove         KEEP seconds later
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet

from service import files
from service.batching.batcher import Clock
from service.storage.arrivals import Arrivals
from service.storage.cache import Cache
from service.storage.complaints import Complaints
from service.storage.remote import Away, Entry, Listing, Remote
from service.versions import policies
from service.versions.policies import FILE, BadPolicy
from service.versions.policy import Policy
from service.versions.store import MODEL_NAME, VERSION
from service.versions.told import Told
from service.versions.verdict import AWAY
from service.versions.wishes import LONGEST, Wishes

LOG = logging.getLogger("manifold.storage")

KEEP = 600.0
"""Seconds that a version stays which nobody wants or serves: a rollback finds it, and whoever loads it is done."""


class Mirror:
    """Of the store at `remote` what `wishes` want, in `cache`; `told`: what a server's workers serve and refuse."""

    def __init__(  # noqa: PLR0913
        self,
        remote: Remote,
        cache: Cache,
        wishes: Wishes,
        told: Callable[[str], Told] = lambda _: Told(),
        clock: Clock = time.monotonic,
        *,
        signed: bool = False,
    ) -> None:
        self._remote = remote
        self._cache = cache
        self._wishes = wishes
        self._told = told
        self._clock = clock
        self._arrivals = Arrivals(remote, cache, clock, signed)
        self._policies: Mapping[str, Policy] = {}
        self._policy_seen: Entry | None = None
        self._idle: dict[tuple[str, int], float] = {}
        self._complain = Complaints(LOG)

    @property
    def waits(self) -> bool:
        """Whether a version was seen that may be on its way: the next look will tell."""
        return self._arrivals.waits

    def look(self) -> None:
        """Look at every model once, and pull what lacks; Away, OSError of the cache."""
        self._arrivals.waits = False
        root = self._ls()
        listed = {model: self._numbers(model) for model in self._models(root.folders)}
        self._follow_policy(root.files.get(FILE))
        for model, numbers in listed.items():
            if numbers:
                self._tidy(model, numbers, self._pull(model, numbers))
        for model in self._cache.models():
            gone = self._cache.numbers(model) and not listed.get(model)
            self._complain(model, f"{model} is no longer in the store; its copy stays" if gone else "")

    def forget(self) -> None:
        """Before anything is served: models that the store no longer has, or nobody wants, leave. Away, OSError."""
        there = self._models(self._ls().folders)
        for model in self._cache.models():
            for number in self._cache.numbers(model) if model not in there else ():
                self._remove(model, number, "its model is no longer in the store, or not wanted")

    def _ls(self) -> Listing:
        try:
            return self._remote.ls()
        except FileNotFoundError:
            raise Away("there is nothing at this URL") from None

    def _models(self, folders: Iterable[str]) -> list[str]:
        known = [name for name in sorted(folders) if MODEL_NAME.fullmatch(name) and len(name) <= LONGEST]
        return [name for name in known if not self._wishes.named or name in self._wishes.named]

    def _numbers(self, model: str) -> set[int]:
        try:
            return {int(name) for name in self._remote.ls(model).folders if VERSION.fullmatch(name)}
        except FileNotFoundError:  # it goes just now
            return set()

    def _follow_policy(self, entry: Entry | None) -> None:
        """Have serving.json as the store has it, and read it; one with a mistake takes no other's place."""
        file = self._wishes.file
        try:
            if self._wishes.source and (entry != self._policy_seen or file.exists() != (entry is not None)):
                content = None
                if entry is not None:
                    content = b"".join(self._remote.read(FILE, min(entry.size, files.MOST_BYTES + 1)))
                    if file.exists():
                        policies.parse(content)
                self._cache.write(FILE, content)
                self._policy_seen = entry
            self._policies = policies.read(file)
        except (BadPolicy, FileNotFoundError) as error:
            self._complain(FILE, f"{FILE}: {error}\nthe policies stay as they were")
        else:
            self._complain(FILE, "")

    def _pull(self, model: str, numbers: AbstractSet[int]) -> set[int]:
        """Have what is wanted of a model; the versions that shall stay, refused ones among them."""
        policy = self._policies.get(model, Policy())
        told = self._told(model).refused.items()
        refused = {number for number, verdict in told if verdict.reason != AWAY} & self._cache.whole(model)
        tried: set[int] = set()
        while True:
            without = tried | refused
            wanted = policy.choose(numbers, self._wishes.default, lambda number: number not in without)  # noqa: B023
            lacking = [number for number in wanted if number not in self._cache.whole(model)]
            if not lacking:
                return {*wanted, *without}
            if not self._arrivals.bring(model, lacking[0]):
                tried.add(lacking[0])

    def _tidy(self, model: str, numbers: AbstractSet[int], wanted: AbstractSet[int]) -> None:
        """Remove what has left the store, if there is another to serve, and what has been idle for KEEP seconds."""
        whole, there = self._cache.whole(model), self._cache.numbers(model)
        served = set(self._told(model).versions)
        gone = there - numbers if whole & wanted & numbers else set()
        for number in gone:
            self._remove(model, number, "it is no longer in the store")
        for number in there - gone:
            at = (model, number)
            if number in wanted | served:
                self._idle.pop(at, None)
            elif self._clock() - self._idle.setdefault(at, self._clock()) >= KEEP:
                self._remove(model, number, "nobody wants or serves it")

    def _remove(self, model: str, number: int, why: str) -> None:
        self._cache.remove(model, number)
        self._idle.pop((model, number), None)
        LOG.info("%s/%d leaves the cache: %s", model, number, why)
