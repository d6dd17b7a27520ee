"""What listens beside HTTP in a gunicorn worker, and how it starts and ends with it."""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from flask import Flask
from gunicorn.arbiter import Arbiter

from service.errors import ServiceError


class Front(Protocol):
    """What listens beside HTTP, on an event loop of the worker: TensorFlow Serving's gRPC API, where it is on."""

    async def start(self) -> None:
        """Listen; ServiceError if that cannot be."""

    async def drain(self, seconds: float) -> None:
        """Refuse new calls, wait so many seconds for the answers to those accepted. Safe to call twice."""


def front(app: Flask) -> Front | None:
    """What shall listen beside this app's HTTP."""
    found: Front | None = app.extensions.get("grpc")
    return found


@contextlib.contextmanager
def starting(worker: Any) -> Iterator[None]:
    """A front that cannot start is logged, and keeps its worker from starting, which ends the server."""
    try:
        yield
    except ServiceError as error:
        worker.log.error("%s", error)
        raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from error


class Side:
    """A front on an event loop of its own, in a thread of its own; what its start raises is raised here."""

    def __init__(self, front: Front, seconds: float) -> None:
        self._front = front
        self._seconds = seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="grpc", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(front.start(), self._loop).result()

    def drain(self) -> "concurrent.futures.Future[None]":
        """Begin to close, and say when it is done; nothing waits, so that a signal may ask for it."""
        return asyncio.run_coroutine_threadsafe(self._front.drain(self._seconds), self._loop)

    def close(self) -> None:
        """Drain, and end the thread."""
        self.drain().result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
