"""One version in the catalog: its life, from the store to the end of its engine."""

import logging
from dataclasses import dataclass
from enum import Enum

from service.handle import ModelHandle
from service.versions.store import Version

LOG = logging.getLogger("manifold.catalog")


class State(Enum):
    """The life of a version, in TensorFlow Serving's words; it only moves forward."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass
class Served:
    """One version: its state, its handle while it answers, and why it ended, if it failed.

    One that is `excused` failed, and leaves the service ready.
    """

    version: Version
    state: State = State.START
    handle: ModelHandle | None = None
    error: str = ""
    excused: bool = False

    @property
    def unloaded(self) -> bool:
        """Whether it was let go, or is about to be, as somebody wished."""
        return self.state in (State.UNLOADING, State.END) and self.handle is None and not self.error

    @property
    def trouble(self) -> str:
        """Why it does not answer: its state or what made it fail, or what ails its engine; "" if it does."""
        handle = self.handle
        if self.state is State.AVAILABLE and handle is not None:
            return handle.trouble
        return self.error or self.state.value

    @property
    def name(self) -> str:
        """model/version."""
        return f"{self.version.model}/{self.version.number}"


def gone(served: Served) -> Served:
    """The version once nobody is to find its handle any more."""
    return served if served.unloaded else Served(served.version, State.UNLOADING if served.handle else State.END)


def drain(served: Served) -> None:
    """Answer what was accepted, and let go of the engine; what that raises is logged."""
    try:
        if served.handle is not None:
            served.handle.close()
    except Exception as error:
        LOG.error("%s: %s", served.version.model, error)
