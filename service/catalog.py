"""Name and version to handle: loads what the store has, in the background, and answers what is served.

Requests hold no lock and wait for none: what they read is replaced in one step.
"""

import contextlib
import gc
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from service.errors import ModelNotFound, ModelNotReady, VersionNotFound
from service.handle import ModelHandle
from service.served import Served, State, drain, gone
from service.store import Version

LOG = logging.getLogger("manifold.catalog")

Load = Callable[[Version], ModelHandle]

GRACE = 0.2
"""Seconds in which a request that has found a version may queue its rows, when another takes the version's place."""


class Catalog:
    """The versions of all models. `load` makes a handle of one; it may be slow, and may raise.

    `labels` are versions by model and label; `grace` are seconds between finding a version and queueing, at most.
    """

    def __init__(
        self,
        versions: Sequence[Version],
        load: Load,
        labels: Mapping[tuple[str, str], int] | None = None,
        grace: float = GRACE,
    ) -> None:
        self._load = load
        self._grace = grace
        self._turns: dict[str, threading.Lock] = {}
        self._labels = dict(labels or {})
        self._models: dict[str, dict[int, Served]] = {}
        for version in versions:
            self._models.setdefault(version.model, {})[version.number] = Served(version)

    def start(self) -> threading.Thread:
        """Load everything on a thread of its own, so that the server can say meanwhile that it is not ready."""
        thread = threading.Thread(target=self.load_all, name="loader", daemon=True)
        thread.start()
        return thread

    def load_all(self) -> None:
        """Load every version; one that fails is logged and keeps its reason, the others go on."""
        for served in self.served():
            model, number = served.version.model, served.version.number
            with self._turn(model), contextlib.suppress(Exception):
                if served.state is State.START and self._models[model][number] is served:
                    self._bring_up(served)
        # What stands now stands for good: without it, collecting garbage no longer stops requests for long.
        gc.collect()
        gc.freeze()

    def swap(self, model: str, wanted: Sequence[Version]) -> None:
        """Serve these versions of a model and no others; returns when those that go have answered what they accepted.

        New versions answer once all are loaded. Raises what `load` raises of any; then all stays as it was.
        """
        with self._turn(model):
            before = self._models.get(model, {})
            kept = {one.number for one in wanted if one.number in before and before[one.number].handle is not None}
            fresh = {one.number: Served(one) for one in wanted if one.number not in kept}
            try:
                for served in fresh.values():
                    self._bring_up(served)
            except Exception:
                for served in fresh.values():
                    drain(served)
                raise
            after = {number: one if number in kept else gone(one) for number, one in before.items()} | fresh
            if after:
                self._models[model] = dict(sorted(after.items(), reverse=True))
            going = [one for number, one in before.items() if number not in kept and one.handle is not None]
            if going:
                time.sleep(self._grace)
            for served in going:
                drain(served)
                after[served.version.number].state = State.END
                LOG.info("%s is unloaded", served.name)

    def served(self) -> list[Served]:
        """Every version of every model, whatever its state."""
        return [served for versions in list(self._models.values()) for served in versions.values()]

    def versions(self, model: str) -> dict[int, Served]:
        """A model's versions by number, newest first; ModelNotFound."""
        versions = self._models.get(model)
        if versions is None:
            raise ModelNotFound(f"no model {model!r} is served; there is {', '.join(self._models) or 'none'}")
        return versions

    def labelled(self, model: str, label: str) -> int | None:
        """The version that a label names, None if it names none; whether that is served is not asked."""
        return self._labels.get((model, label))

    def models(self) -> list[str]:
        """The names of all models."""
        return list(self._models)

    def get(self, model: str, version: int | None = None) -> ModelHandle:
        """The handle of that version, or of the newest available; ModelNotFound, VersionNotFound, ModelNotReady."""
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
        """What keeps the service from being ready: "model/version" to its state and reason."""
        troubles = {served.name: served.trouble for served in self.served() if not served.unloaded}
        return {name: trouble for name, trouble in troubles.items() if trouble}

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

    def _bring_up(self, served: Served) -> None:
        """Load it; whatever `load` raises is logged, too."""
        served.state = State.LOADING
        try:
            served.handle = self._load(served.version)
        except Exception as error:
            served.error = f"{type(error).__name__}: {error}"
            served.state = State.END
            LOG.error("%s cannot be served: %s", served.name, served.error)
            raise
        served.state = State.AVAILABLE
        LOG.info("%s is served by %s on %s", served.name, served.handle.engine.name, served.handle.engine.device)
