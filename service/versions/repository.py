"""What every worker of a server serves, alike: one tries a change, and tells the others what stands.

    store, policy ─▶ change: catalog.swap ─▶ told.Folder        the worker that looks at the store, or is asked
                             catalog.swap ◀─ told.Folder        the others, LOOK seconds later, and their successors

A version that cannot be loaded is refused by all, whoever finds out, and what was served before stays.
"""

import contextlib
import fcntl
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from service.batching.batcher import Clock
from service.batching.future import Future
from service.errors import ModelNotFound, ServiceError
from service.metrics import count_refused
from service.versions import told as telling
from service.versions.background import go_on, in_background
from service.versions.catalog import Catalog
from service.versions.policy import Policy
from service.versions.store import NothingToServe, Version, fingerprint
from service.versions.told import Folder, Told
from service.versions.trial import Trial
from service.versions.verdict import AWAY, Unloadable, Verdict
from service.versions.wishes import LONGEST, Wishes

LOG = logging.getLogger("manifold.repository")

AGAIN = 10.0
"""Seconds until a worker tries again to load what its neighbours serve."""

Usable = Callable[[Version], bool]


class CannotLoad(ServiceError):
    """The model cannot be loaded, and what was served of it before still is; the message says why."""

    status = 400
    title = "Cannot be loaded"
    slug = "cannot-load"


class Repository:
    """Makes a catalog serve what is wished, as every worker does that shares the folder; `trial` loads for it."""

    def __init__(
        self, catalog: Catalog, wishes: Wishes, folder: Folder, trial: Trial, clock: Clock = time.monotonic
    ) -> None:
        self._catalog = catalog
        self.wishes = wishes
        self.folder = folder
        self.trial = trial
        self._clock = clock
        self._done: dict[str, str] = {}
        self._later: dict[str, tuple[str, float]] = {}
        self._loaded = False
        self._begin()

    def start(self, watch: Callable[[], None] | None = None) -> threading.Thread:
        """Load everything on a thread; then follow, and `watch`, each on one of its own."""
        thread = threading.Thread(target=self._serve, args=[watch], name="loader", daemon=True)
        thread.start()
        return thread

    def stands(self) -> bool:
        """Whether everything is loaded, and as the other workers have it."""
        return self._loaded and all(self.folder.text(model) == self._done.get(model) for model in self.folder.models())

    def load(self, model: str) -> "Future[Any]":
        """Serve of a model what its policy says, though it were unloaded or refused; ModelNotFound, CannotLoad."""
        if not self.wishes.stored(model):
            raise ModelNotFound(f"no model {model[:LONGEST]!r} is in the store")
        return in_background(lambda: self._load(model))

    def unload(self, model: str) -> "Future[Any]":
        """Serve nothing of a model; done when what was accepted is answered. ModelNotFound, CannotWrite."""
        return self.rule(model, lambda policy: replace(policy, versions=()))

    def rule(self, model: str, change: Callable[[Policy], Policy]) -> "Future[Any]":
        """Change a model's policy, and do what it says; ModelNotFound, CannotWrite."""
        if not self.wishes.stored(model):
            self._catalog.versions(model)

        def write() -> None:
            self.wishes.write(model, change)
            self.change(model, lambda version: not self.refuses(version))

        return in_background(write)

    def follow(self, *, wait: bool = False) -> None:
        """Do what any worker told since the last look; what cannot be loaded is refused, or tried again later.

        A model that a worker changes just now is left for the next look, unless this one shall `wait`.
        """
        for model in self.folder.models():
            with contextlib.suppress(BlockingIOError):
                while self._due(model):
                    self._obey(model, fcntl.LOCK_SH if wait else fcntl.LOCK_SH | fcntl.LOCK_NB)

    def change(self, model: str, usable: Usable) -> dict[int, Verdict]:
        """Try what is wished of a model now, as far as it is usable, and tell what stands; those that failed.

        What was told to serve is usable: another worker may have told it since anybody looked.
        """
        with self.folder.lock(model):
            told = self.told(model)
            stored = self.wishes.stored(model)
            policy = self.wishes.policy(model, told.policy)
            failed: dict[int, Verdict] = {}

            def tried(version: Version) -> bool:
                return version.number not in failed and (version.number in told.versions or usable(version))

            swapped = False
            while not swapped:
                numbers = self.wishes.choose(policy, stored, told, tried)
                refused = {} if policy.versions == () else self._refused(stored, told, numbers) | failed
                required = self.wishes.requires(model, policy, told.required)
                wanted = Told(numbers, policy, refused, required)
                try:
                    self._swap(model, wanted)
                except Unloadable as error:
                    failed[error.version.number] = Verdict(error.reason, str(error), fingerprint(error.version.folder))
                    nothing = not self.wishes.choose(policy, stored, told, tried)
                    if error.version not in stored or (nothing and self._goes_on(model, told)):
                        wanted = replace(wanted, versions=told.versions, refused=self._as_it_was(told, stored, failed))
                        break
                else:
                    swapped = True
            for number in failed.keys() & wanted.refused.keys():
                count_refused(model, number, failed[number].reason)
            text = self.folder.text(model)
            if wanted != told:
                text = self.folder.tell(model, wanted)
                LOG.info("%s: %s", model, telling.line(wanted))
            if swapped:
                self._done[model] = text
            return failed

    def told(self, model: str) -> Told:
        """What was told last of a model."""
        return telling.parse(self.folder.text(model))

    def refuses(self, version: Version) -> bool:
        """Whether a version was refused for good, and is as it was."""
        known = self.told(version.model).refused.get(version.number)
        return known is not None and known.reason != AWAY and known.files == fingerprint(version.folder)

    def _begin(self) -> None:
        """Hear what the others serve, or, being first, tell what to begin with; NothingToServe, BadPolicy."""
        with self.folder.beginning() as first:
            if first:
                for model, told in self.wishes.begin().items():
                    self.folder.tell(model, told)
            for model in self.folder.models():
                expected = self.wishes.versions(model, self.told(model).versions)
                if self.folder.others():
                    self._check_there(expected)
                self._catalog.expect(expected)

    def _check_there(self, versions: list[Version]) -> None:
        """NothingToServe if what others serve has gone from the store: they must not be replaced by this worker."""
        for version in versions:
            if self.trial.known(version) and version not in self.wishes.stored(version.model):
                gone = f"{version.model}/{version.number}"
                raise NothingToServe(f"{gone}, which other workers serve, is no longer in the store")

    def _serve(self, watch: Callable[[], None] | None) -> None:
        self.follow()
        self.follow(wait=True)
        self._catalog.load_all()
        self.folder.join()
        self._loaded = True
        go_on(self.follow, "follower", self.folder.there)
        if watch is not None:  # on a thread of its own: a load that hangs holds up no other model
            go_on(watch, "watch", self.folder.there)

    def _load(self, model: str) -> None:
        self.wishes.write(model, lambda policy: replace(policy, versions=None) if policy.versions == () else policy)
        failed = self.change(model, lambda _: True)
        for verdict in failed.values():
            raise CannotLoad(f"{model} cannot be loaded: {verdict.detail}")

    def _swap(self, model: str, told: Told) -> None:
        versions = self.wishes.versions(model, told.versions)
        refused = {self.wishes.versions(model, [number])[0]: one.detail for number, one in told.refused.items()}
        self._catalog.swap(model, versions, told.policy, refused, told.required)

    def _goes_on(self, model: str, told: Told) -> bool:
        """Whether others may serve what was told, though this worker cannot."""
        return any(self.trial.known(version) for version in self.wishes.versions(model, told.versions))

    def _as_it_was(self, told: Told, stored: list[Version], failed: Mapping[int, Verdict]) -> dict[int, Verdict]:
        """What is refused where nothing could take the place of what was told: `follow` tries that again."""
        return self._refused(stored, replace(told, refused={**told.refused, **failed}), told.versions)

    def _refused(self, stored: list[Version], told: Told, numbers: tuple[int, ...]) -> dict[int, Verdict]:
        """Those refused before that are still in the store, and not to be served now."""
        there = {version.number for version in stored} - set(numbers)
        return {number: verdict for number, verdict in told.refused.items() if number in there}

    def _due(self, model: str) -> bool:
        """Whether something was told that is not done yet, nor to be tried later."""
        text = self.folder.text(model)
        tried, later = self._later.get(model, ("", 0.0))
        return text != self._done.get(model) and (text != tried or self._clock() >= later)

    def _obey(self, model: str, lock: int) -> None:
        """Swap to what was told; where a version cannot be loaded, the others hear of it. BlockingIOError."""
        with self.folder.lock(model, lock):
            text = self.folder.text(model)
            try:
                self._swap(model, telling.parse(text))
            except Unloadable as error:
                failed = error.with_traceback(None)  # else it and this frame would keep each other
            else:
                self._done[model] = text
                return
        if failed.version in self.wishes.stored(model):
            self.change(model, lambda version: not self.refuses(version))
        if self.folder.text(model) == text:
            LOG.error("%s stays as it is in this worker, which tries again in %g s", model, AGAIN)
            self._later[model] = text, self._clock() + AGAIN
