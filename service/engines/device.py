"""The engine of an HTTP worker whose models lie in the processes of devices: it sends whole batches, and waits.

A `Place` is one model on one device. A connection of its own asks for the model and stands as long as it is wanted;
when it breaks, the process has gone, and the place asks its successor. Batches cross on other connections, one each.
"""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from service.device import wire
from service.device.host import DEPTH
from service.engines.base import Engine
from service.errors import EngineFailed, Fault, InvalidInput, ModelNotReady, ServiceError
from service.signature import Signature
from service.tensors import Array, Tensors

LOG = logging.getLogger("manifold.device")

PATIENCE = 300.0
"""Seconds that all devices have to load a model."""
AGAIN = 0.2
"""Seconds between two tries to reach a process that has gone."""
REFUSED = 5.0
"""Seconds between two tries to have a process load what it could not load."""


class CannotLoadThere(ServiceError):
    """A device's process cannot load the model, or does not answer."""


class NotThere(Exception):
    """A device's process does not have the model, and has computed nothing: another may be asked."""


class Place:
    """One model on one device, asked for on a thread of its own; `answered` is set at the first answer."""

    def __init__(self, folder: Path, name: str, path: Path, seconds: float) -> None:
        self.name = name
        self.engine = ""
        self.device = name
        self.signature: Signature | None = None
        self.trouble = f"the process of {name} has not answered yet"
        self.busy = 0
        self.asked = 0
        self.answered = threading.Event()
        self._model = str(folder.resolve())
        self._path = str(path)
        self._seconds = seconds
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._wanting: socket.socket | None = None
        threading.Thread(target=self._keep, name=f"place-{name}", daemon=True).start()

    def run(self, tensors: Tensors) -> dict[str, Array]:
        """The outputs; NotThere, ModelNotReady where the process is gone or late, EngineFailed, InvalidInput."""
        with self._lock:
            self.busy += 1
            self.asked += 1
        try:
            return self._run(tensors)
        finally:
            with self._lock:
                self.busy -= 1

    def close(self) -> None:
        """Want the model no longer."""
        with self._lock:
            self._closed.set()
            if self._wanting is not None:
                with contextlib.suppress(OSError):
                    self._wanting.shutdown(socket.SHUT_RDWR)
        self._drop()

    def _run(self, tensors: Tensors) -> dict[str, Array]:
        connection = None
        try:
            connection = self._connection()
            wire.send(connection, {"say": "run", "model": self._model}, tensors)
            message, outputs = wire.receive(connection)
        except (OSError, EOFError) as error:  # its answer may still come: nobody must read it for another
            if connection is not None:
                connection.close()
            late = isinstance(error, TimeoutError)
            why = f"has not answered for {self._seconds:g} s" if late else "has gone, and is being started again"
            raise ModelNotReady(f"the process of {self.name} {why}") from error
        with self._lock:
            self._idle.append(connection)
        if message.get("absent"):
            raise NotThere(f"the process of {self.name} is still loading")
        if "error" in message:
            raise InvalidInput([Fault("", message["error"])]) if message["invalid"] else EngineFailed(message["error"])
        return outputs

    def _connection(self) -> socket.socket:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(self._seconds)
            connection.connect(self._path)
        except OSError:
            connection.close()
            raise
        return connection

    def _keep(self) -> None:
        """Have the process hold the model; whenever it goes, the next."""
        while not self._closed.is_set():
            try:
                with self._connect() as connection:
                    self._want(connection)
            except (OSError, EOFError):
                self._closed.wait(AGAIN)
            else:
                self._closed.wait(REFUSED)

    def _want(self, connection: socket.socket) -> None:
        """Ask for the model and stay: raises when the process has gone, returns when it refuses."""
        with self._lock:
            if self._closed.is_set():
                return
            self._wanting = connection
        connection.settimeout(None)
        wire.send(connection, {"say": "load", "model": self._model})
        message, _ = wire.receive(connection)
        if "error" in message:
            self.trouble = f"{self.name}: {message['error']}"
            self.answered.set()
            return
        self.engine, self.device = message["name"], message["device"]
        self.signature, self.trouble = wire.signature_of(message), ""
        self.answered.set()
        try:
            connection.recv(1)  # nothing is ever said here
            raise EOFError(self.name)
        finally:
            self.trouble = f"the process of {self.name} has gone, and is being started again"
            self._drop()
            if not self._closed.is_set():
                LOG.warning("%s: %s", self._model, self.trouble)

    def _drop(self) -> None:
        """Close what waits for a next batch."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class DeviceEngine(Engine):
    """The model in `folder` on every device, by name and socket; CannotLoadThere unless all of them load it alike.

    A batch may take so many `seconds`.
    """

    def __init__(self, folder: Path, sockets: Mapping[str, Path], seconds: float, patience: float = PATIENCE) -> None:
        self._places = [Place(folder, name, path, seconds) for name, path in sockets.items()]
        self.parallel = DEPTH * len(self._places)
        try:
            self.signature = agreed(self._places, patience)
        except BaseException:
            self.close()
            raise
        self.name = self._places[0].engine
        self.device = ", ".join(place.device for place in self._places)

    def run(self, tensors: Tensors) -> dict[str, Array]:
        trouble = ""
        for place in least_loaded(place for place in self._places if not place.trouble):
            try:
                return place.run(tensors)
            except NotThere as error:
                trouble = str(error)
        raise ModelNotReady(trouble or self.absent())

    def absent(self) -> str:
        """Why no device answers; one is enough."""
        troubles = [place.trouble for place in self._places]
        return "" if "" in troubles else "; ".join(troubles)

    def close(self) -> None:
        for place in self._places:
            place.close()


def agreed(places: Sequence[Place], patience: float) -> Signature:
    """The signature that all places have; waits for their answers, so many seconds for each at most."""
    for place in places:
        place.answered.wait(patience)
        if place.trouble:
            raise CannotLoadThere(place.trouble)
    signatures = [place.signature for place in places if place.signature is not None]
    if any(signature != signatures[0] for signature in signatures):
        raise CannotLoadThere("the devices hold different models")
    return signatures[0]


def least_loaded(places: Iterable[Place]) -> list[Place]:
    """In front the place with the fewest batches of this worker at once; of these, the one that was asked least."""
    return sorted(places, key=lambda place: (place.busy, place.asked))
