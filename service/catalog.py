"""Name and version to handle: loads what the store has, in the background, and answers what is served."""

import gc
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from service.errors import ModelNotFound, ModelNotReady, ServiceError, VersionNotFound
from service.handle import ModelHandle
from service.store import Version

LOG = logging.getLogger("manifold.catalog")

Load = Callable[[Version], ModelHandle]


class State(Enum):
    """The life of a version, in TensorFlow Serving's words; it only moves forward."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass
class Served:
    """One version: its state, its handle while AVAILABLE, and why it ended, if it failed."""

    version: Version
    state: State = State.START
    handle: ModelHandle | None = None
    error: str = ""


class Catalog:
    """The versions of all models. `load` makes a handle of one; it may be slow, and may raise.

    `labels` are versions by model and label.
    """

    def __init__(
        self, versions: Sequence[Version], load: Load, labels: Mapping[tuple[str, str], int] | None = None
    ) -> None:
        self._load = load
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
            served.state = State.LOADING
            name = f"{served.version.model}/{served.version.number}"
            try:
                served.handle = self._load(served.version)
            except Exception as error:
                served.error = f"{type(error).__name__}: {error}"
                served.state = State.END
                LOG.error("%s cannot be served: %s", name, served.error)
            else:
                served.state = State.AVAILABLE
                LOG.info("%s is served by %s on %s", name, served.handle.engine.name, served.handle.engine.device)
        # What stands now stands for good: without it, collecting garbage no longer stops requests for long.
        gc.collect()
        gc.freeze()

    def served(self) -> list[Served]:
        """Every version of every model, whatever its state."""
        return [served for versions in self._models.values() for served in versions.values()]

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
            if served.handle is not None:
                return served.handle
        failed = all(served.state is State.END for served in candidates)
        error = ModelNotReady(f"{model} {'could not be loaded' if failed else 'is still loading'}")
        if failed:
            error.retry_after = None
        raise error

    def unready(self) -> dict[str, str]:
        """What keeps the service from being ready: "model/version" to its state and reason."""
        return {
            f"{served.version.model}/{served.version.number}": served.error or served.state.value
            for served in self.served()
            if served.state is not State.AVAILABLE
        }

    def close(self) -> None:
        """Drain every batcher: what was accepted is answered."""
        for served in self.served():
            if served.handle is not None:
                served.state = State.UNLOADING
                try:
                    served.handle.close()
                except ServiceError as error:
                    LOG.error("%s: %s", served.version.model, error)
                served.state = State.END
