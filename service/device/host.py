"""What the process of a device does for HTTP workers: it holds a model as long as one wants it, and runs it.

Every connection has a thread, which reads a batch while another's computes; DEPTH of them compute at once, so that
while the device works on one batch, the next already crosses to it.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service import redact
from service.device import wire
from service.device.turns import Turns
from service.engines.base import Engine
from service.errors import InvalidInput
from service.tensors import Tensors

LOG = logging.getLogger("manifold.device")

DEPTH = 2
"""Batches that a device has at once: one computes, the next crosses."""
NOTICE = 0.2
"""Seconds in which every worker has noticed that it must ask another device."""


@dataclass
class Held:
    """A loaded model, and how many connections want it."""

    engine: Engine
    holders: int = 0


class Host:
    """Listens at `path` until closed; `load` makes an engine from a version's folder, and may raise anything.

    `tell` hears which models it has whenever they change.
    """

    def __init__(
        self, path: Path, load: Callable[[Path], Engine], tell: Callable[[Collection[str]], None] = lambda _: None
    ) -> None:
        self._load = load
        self._tell = tell
        self._models: dict[str, Held] = {}
        self._connections: dict[socket.socket, list[str]] = {}
        self._answering: set[socket.socket] = set()
        self._resigned = False
        self._loading = threading.Lock()
        self._turns = Turns(DEPTH)
        self._calls: dict[object, float] = {}
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(128)
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def drain(self, seconds: float) -> None:
        """Wait until nobody wants any model, so many seconds at most."""
        until = time.monotonic() + seconds
        while self.wanted and time.monotonic() < until:
            time.sleep(0.05)

    @property
    def wanted(self) -> bool:
        """Whether an HTTP worker wants a model."""
        return bool(self._models)

    def resign(self, seconds: float) -> None:
        """Have the workers ask other devices, and answer what they have asked, so many seconds at most."""
        self._resigned = True
        shut(connection for connection, held in list(self._connections.items()) if held)
        until = time.monotonic() + seconds
        time.sleep(NOTICE)
        while self._answering and time.monotonic() < until:
            time.sleep(0.01)

    def close(self) -> None:
        """Leave: take no more connections, and break those that are."""
        shut([self._listener, *list(self._connections)])
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], name="connection", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        """Answer one connection until its other side goes; then let go of what it held."""
        held: list[str] = []
        self._connections[connection] = held
        with connection:
            try:
                while True:
                    message, tensors = wire.receive(connection)
                    if self._resigned and message["say"] == "load":
                        break
                    self._answering.add(connection)
                    wire.send(connection, *self._answer(message, tensors, held))
                    self._answering.discard(connection)
            except (EOFError, OSError):
                pass
            finally:
                self._answering.discard(connection)
                del self._connections[connection]
                self._release(held)

    def _answer(self, message: wire.Message, tensors: Tensors, held: list[str]) -> tuple[Mapping[str, Any], Tensors]:
        """What to say to a message: an answer, or why there is none."""
        folder = message["model"]
        try:
            if message["say"] == "load":
                engine = self._hold(folder)
                held.append(folder)
                return {"name": engine.name, "device": engine.device, **wire.described(engine.signature)}, {}
            model = self._models.get(folder)
            if model is None or self._resigned:
                return {"absent": True}, {}
            with self._turns.of(folder), self._timed():
                return {}, model.engine.run(tensors)
        except Exception as error:
            return {"error": told(error), "invalid": isinstance(error, InvalidInput)}, {}

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        """Count a call among those under way."""
        call = object()
        self._calls[call] = time.monotonic()
        try:
            yield
        finally:
            del self._calls[call]

    def longest(self) -> float:
        """Seconds that the longest call under way has taken."""
        begun = list(self._calls.values())
        return time.monotonic() - min(begun) if begun else 0.0

    def engines(self) -> list[Engine]:
        """All that are loaded."""
        return [held.engine for held in list(self._models.values())]

    def _hold(self, folder: str) -> Engine:
        with self._loading:
            if folder not in self._models:
                self._models[folder] = Held(self._load(Path(folder)))
                LOG.info("%s is loaded on %s", folder, self._models[folder].engine.device)
                self._tell(list(self._models))
            self._models[folder].holders += 1
            return self._models[folder].engine

    def _release(self, held: list[str]) -> None:
        with self._loading:
            for folder in [] if self._resigned else held:
                self._models[folder].holders -= 1
                if not self._models[folder].holders:
                    self._models.pop(folder).engine.close()
                    LOG.info("%s is unloaded", folder)
                    self._tell(list(self._models))


def shut(connections: Iterable[socket.socket]) -> None:
    """End what is read from and written to them."""
    for one in connections:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def told(error: Exception) -> str:
    """An exception in one line, its type unless it is a message of ours.

    >>> told(ValueError("bad shape\\nand a stack"))
    'ValueError: bad shape'
    """
    text = redact.line(str(error))
    return text if isinstance(error, InvalidInput) else f"{type(error).__name__}: {text}"
