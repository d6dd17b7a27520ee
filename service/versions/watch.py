"""The store and the policy file, looked at again and again by one of the workers."""

import logging
import time
from collections.abc import Mapping

from service.batching.batcher import Clock
from service.errors import ServiceError
from service.versions import policies
from service.versions.policies import BadPolicy
from service.versions.policy import Policy
from service.versions.repository import Repository
from service.versions.store import Version, fingerprint
from service.versions.told import Told

LOG = logging.getLogger("manifold.watch")


class Watch:
    """Called often, it looks once in `seconds`, in the worker that leads: what lies there otherwise is tried.

    A version that nobody serves must have been the same in two looks: it may be on its way into the store.
    """

    def __init__(self, repository: Repository, seconds: float, clock: Clock = time.monotonic) -> None:
        self._repository = repository
        self._wishes = repository.wishes
        self._folder = repository.folder
        self._trial = repository.trial
        self._seconds = seconds
        self._clock = clock
        self._next = 0.0
        self._seen: dict[Version, str] = {}
        self._seen_before: dict[Version, str] = {}
        self._complaints: dict[str, str] = {}

    def __call__(self) -> None:
        if self._seconds and self._clock() >= self._next and self._folder.leads():
            self.look()
            self._next = self._clock() + self._seconds

    def look(self) -> None:
        """Look at every model once; what was wrong is logged once."""
        self._seen_before, self._seen = self._seen, {}
        try:
            models = self._wishes.models()
        except (ServiceError, OSError) as error:
            return self._complain("store", f"{str(error).partition(';')[0]}; what is served stays")
        self._complain("store", "")
        known = self._policies()
        for model in dict.fromkeys([*models, *self._folder.models()]):
            told, stored = self._repository.told(model), models.get(model, [])
            policy = told.policy if known is None else known.get(model, Policy())
            if stored or policy.versions == ():  # what has gone from the store is still unloaded
                self._look_at(model, policy, stored, told)
        for model in self._folder.models():
            gone = not models.get(model)
            self._complain(model, f"{model} is no longer in the store; what is served of it stays" if gone else "")
        return None

    def _look_at(self, model: str, policy: Policy, stored: list[Version], told: Told) -> None:
        """Change what is served of a model, where something else is wished."""

        def usable(version: Version) -> bool:
            return version.number in told.versions or self._settled(version)

        numbers = self._wishes.choose(policy, stored, told, usable)
        forgotten = told.refused.keys() - {version.number for version in stored}
        if (numbers, policy) != (told.versions, told.policy) or forgotten:
            self._repository.change(model, self._settled)

    def _settled(self, version: Version) -> bool:
        """Whether a version is as it was a look ago, and may be tried."""
        files = self._seen.get(version) or fingerprint(version.folder)
        self._seen[version] = files
        return (
            self._seen_before.get(version) == files
            and not self._repository.refuses(version)
            and not self._trial.rests(version)
        )

    def _policies(self) -> Mapping[str, Policy] | None:
        """What the policy file says; None while it says what cannot be."""
        try:
            known = policies.read(self._wishes.file)
        except BadPolicy as error:
            self._complain("policy", f"{error}\nthe policies stay as they were")
            return None
        self._complain("policy", "")
        return known

    def _complain(self, about: str, what: str) -> None:
        """Log it, unless it was the last to be said of this."""
        if what and self._complaints.get(about) != what:
            LOG.error("%s", what)
        self._complaints[about] = what
