"""Name and version to handle: loads what it is told to, and answers what is served.

Requests hold no lock and wait for none: what they read is replaced in one step.
"""

import contextlib
import gc
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from service.errors import ModelNotFound, ModelNotReady, VersionNotFound
from service.handle import ModelHandle
from service.versions.policy import Policy
from service.versions.routing import Route, route
from service.versions.served import Served, State, drain, gone
from service.versions.store import Version
from service.versions.verdict import Unloadable

LOG = logging.getLogger("manifold.catalog")

Load = Callable[[Version], ModelHandle]

GRACE = 0.2
"""Seconds in which a request that has found a version may queue its rows, when another takes the version's place."""


COLLECT_AFTER = 20_000
"""Objects that may pile up between two collections; Python's 700 cost a twentieth of a small model's request."""


class Catalog:
    """The versions of all models. `load` makes a handle of one; it may be slow, and may raise.

    `grace` are seconds between finding a version and queueing, at most; `draw` is a number from 0 to 1, by chance.
    """

    def __init__(
        self,
        versions: Sequence[Version],
        load: Load,
        policies: Mapping[str, Policy] | None = None,
        grace: float = GRACE,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._load = load
        self._grace = grace
        self._draw = draw
        self._stands = False
        self._turns: dict[str, threading.Lock] = {}
        self._policies = dict(policies or {})
        self._models: dict[str, dict[int, Served]] = {}
        self._routes: dict[str, Route] = {}
        self.expect(versions)

    def expect(self, versions: Sequence[Version]) -> None:
        """Show versions that will be loaded: until `load_all` is through, they keep the service from being ready."""
        for version in versions:
            self._models.setdefault(version.model, {})[version.number] = Served(version)
            self._steer(version.model)

    def load_all(self) -> None:
        """Load what is expected and not loaded yet; one that fails is logged and keeps its reason, the others go on."""
        for served in self.served():
            model, number = served.version.model, served.version.number
            with self._turn(model), contextlib.suppress(Unloadable):
                if served.state is State.START and self._models.get(model, {}).get(number) is served:
                    self._publish(served, self._bring_up(served))
                    self._steer(model)
        self._stands = True
        # What stands now stands for good: without it, collecting garbage no longer stops requests for long.
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)

    def swap(
        self,
        model: str,
        wanted: Sequence[Version],
        policy: Policy | None = None,
        refused: Mapping[Version, str] | None = None,
        required: bool = True,
    ) -> None:
        """Serve these versions of a model and no others; returns when those that go have answered what they accepted.

        New versions answer once all are loaded, and under the policy that comes with them; of those `refused` the
        reason is shown, and keeps the service from being ready if the model is `required`. Unloadable of the first that
        fails: then all stays as it was.
        """
        with self._turn(model):
            before = self._models.get(model, {})
            kept = {one.number for one in wanted if one.number in before and before[one.number].handle is not None}
            fresh = {one.number: Served(one) for one in wanted if one.number not in kept}
            after = {number: one if number in kept else gone(one) for number, one in before.items()} | fresh
            for version, why in (refused or {}).items():
                after[version.number] = Served(version, State.END, error=why, excused=not required)
            for served, handle in self._try(model, before, fresh):
                self._publish(served, handle)
            if policy is not None:
                self._policies[model] = policy
            self._show(model, after)
            self._steer(model)
            self._end([one for number, one in before.items() if number not in kept and one.handle is not None], after)

    def served(self) -> list[Served]:
        """Every version of every model, whatever its state."""
        return [served for versions in list(self._models.values()) for served in versions.values()]

    def versions(self, model: str) -> dict[int, Served]:
        """A model's versions by number, newest first; ModelNotFound."""
        versions = self._models.get(model)
        if versions is None:
            raise ModelNotFound(f"no model {model!r} is served; there is {', '.join(self._models) or 'none'}")
        return versions

    def policy(self, model: str) -> Policy:
        """What is wanted of a model now."""
        return self._policies.get(model, Policy())

    def labelled(self, model: str, label: str) -> int:
        """The version that a label names, whether or not that is served; ModelNotFound, VersionNotFound."""
        self.versions(model)
        return self.policy(model).labelled(model, label)

    def models(self) -> list[str]:
        """The names of all models."""
        return list(self._models)

    def get(self, model: str, version: int | None = None) -> ModelHandle:
        """The handle of that version, or by the model's route; ModelNotFound, VersionNotFound, ModelNotReady."""
        if version is None:
            found = self._routes.get(model)
            if found is not None:
                canary = found.canary
                return found.default if canary is None or self._draw() >= found.share else canary
        versions = self.versions(model)
        if version is None:
            candidates = list(versions.values())
        elif version in versions:
            candidates = [versions[version]]
        else:
            raise VersionNotFound(
                f"{model} is not served in version {version}; there is {', '.join(map(str, versions))}"
            )
        for served in candidates:
            handle = served.handle
            if handle is not None:
                return handle
        if all(served.unloaded for served in candidates):
            if version is None:
                raise ModelNotFound(f"{model} is unloaded")
            raise VersionNotFound(f"{model} is unloaded in version {version}")
        failed = all(served.state is State.END for served in candidates)
        error = ModelNotReady(f"{model} {'could not be loaded' if failed else 'is still loading'}")
        if failed:
            error.retry_after = None
        raise error

    def unready(self) -> dict[str, str]:
        """What keeps the service from being ready: "model/version" to its state and reason.

        One that was refused does not where another of the model answers, or where the model came to a running server;
        nor does, after the start, one that loads.
        """
        troubles = {}
        for versions in list(self._models.values()):
            answers = any(served.state is State.AVAILABLE for served in versions.values())
            for served in versions.values():
                excused = answers or served.excused if served.error else self._stands and served.state in BEFORE
                if served.trouble and not served.unloaded and not excused:
                    troubles[served.name] = served.trouble
        return troubles

    def close(self) -> None:
        """Drain every batcher: what was accepted is answered."""
        for served in self.served():
            if served.handle is not None:
                served.state = State.UNLOADING
                drain(served)
                served.state = State.END

    def _turn(self, model: str) -> threading.Lock:
        """What a thread holds while it loads or unloads versions of a model."""
        return self._turns.setdefault(model, threading.Lock())

    def _try(self, model: str, before: dict[int, Served], fresh: dict[int, Served]) -> list[tuple[Served, ModelHandle]]:
        """Load all, shown while they load; Unloadable, and nothing is shown or loaded any more."""
        loaded: list[tuple[Served, ModelHandle]] = []
        try:
            self._show(model, before | fresh)
            for served in fresh.values():
                loaded.append((served, self._bring_up(served)))
        except Unloadable:
            for _, handle in loaded:
                handle.close()
            self._show(model, before)
            raise
        return loaded

    def _bring_up(self, served: Served) -> ModelHandle:
        """Load it; Unloadable, which is logged, too."""
        served.state = State.LOADING
        try:
            return self._load(served.version)
        except Exception as error:
            raise self._failed(served, error) from error

    def _failed(self, served: Served, error: Exception) -> Unloadable:
        """What to raise; no frame on its way keeps it, or it would keep what that had loaded."""
        failed = Unloadable(served.version, error)
        served.error = str(failed)
        served.state = State.END
        LOG.error("%s cannot be served: %s", served.name, served.error)
        return failed

    def _publish(self, served: Served, handle: ModelHandle) -> None:
        """It may be found from now on."""
        served.handle = handle
        served.state = State.AVAILABLE
        LOG.info("%s is served by %s on %s", served.name, handle.engine.name, handle.engine.device)

    def _show(self, model: str, versions: Mapping[int, Served]) -> None:
        """Replace a model's versions in one step; a model that has none is not there."""
        if versions:
            self._models[model] = dict(sorted(versions.items(), reverse=True))
        else:
            self._models.pop(model, None)

    def _steer(self, model: str) -> None:
        """Replace a model's route in one step."""
        found = {number: one.handle for number, one in self._models.get(model, {}).items() if one.handle is not None}
        chosen = route(found, self.policy(model))
        for handle in found.values():
            handle.batcher.refuses_not_finite = self.policy(model).nan == "refuse"
            handle.shadow.target = chosen.shadow if chosen is not None and handle is chosen.default else None
        if chosen is None:
            self._routes.pop(model, None)
        else:
            self._routes[model] = chosen

    def _end(self, going: Sequence[Served], after: Mapping[int, Served]) -> None:
        """Let those that go answer what they accepted."""
        for served in going:
            if served.handle is not None:
                served.handle.shadow.target = None
        if going:
            time.sleep(self._grace)
        for served in going:
            drain(served)
            after[served.version.number].state = State.END
            LOG.info("%s is unloaded", served.name)


BEFORE = (State.START, State.LOADING)
"""The states of what may still come to answer."""
