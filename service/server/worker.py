"""gunicorn's worker of an event loop, for this service: what listens, how it begins and how it ends."""

import asyncio
import contextlib
import select
import signal
import socket
import weakref
from collections.abc import Iterable, Iterator
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
from typing import Any

from flask import Flask
from gunicorn.workers import gasgi
from gunicorn.workers.gasgi import ASGIWorker

from service.batching.admission import Room
from service.beside import Front, front, starting
from service.server.door import Door
from service.server.drivers import Running
from service.server.protocol import Protocol
from service.server.relief import HELP_SECONDS, LISTENS, LOOK_SECONDS, Relief

gasgi.ASGIProtocol = Protocol  # the worker makes one for each connection


@contextlib.contextmanager
def listening_for_sigterm(worker: ASGIWorker) -> Iterator[None]:
    """Keep a SIGTERM that comes before the event loop runs: uvloop hears none until then."""

    def stop(*_: Any) -> None:
        worker.alive = False

    before = signal.signal(signal.SIGTERM, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # of one that came before, too (service/master.py)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


LINGER_SECONDS = 1.0
"""An idle connection stays so long when its worker ends: a request may be on its way."""
SHAKE_LOOKS = 10
"""A TLS handshake may take so many of these."""
SPARE_FILES = 256
"""Files a worker may open beside its connections: models, sockets, metrics, gRPC's own."""


def most_connections(wanted: int, files: int) -> int:
    """How many connections a worker takes that may open so many files: beyond, the system refuses them without a word.

    >>> most_connections(10_000, 20_000), most_connections(10_000, 1024), most_connections(10_000, 100)
    (10000, 768, 50)
    """
    return wanted if files == RLIM_INFINITY else min(wanted, max(files - SPARE_FILES, files // 2))


class Worker(ASGIWorker, Relief):  # type: ignore[misc]
    """gunicorn -k service.server.Worker: a WSGI app in place of an ASGI one."""

    sockets: list[Any]
    max_body_bytes = 0
    front: Front | None = None
    draining: "asyncio.Task[None] | None" = None
    asgi: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[Protocol] = set()
        self.door = Door()
        self.shaking: weakref.WeakSet[Protocol] = weakref.WeakSet()  # a handshake that fails is told to nobody
        self.most_connections = most_connections(self.cfg.worker_connections, getrlimit(RLIMIT_NOFILE)[0])
        self._others: list[socket.socket] = []
        self._waiting: list[socket.socket] = []
        self._taken: set[asyncio.Task[Any]] = set()

    def _setup_event_loop(self) -> None:
        super()._setup_event_loop()
        Running.loop = self.loop

    def load_wsgi(self) -> None:
        with listening_for_sigterm(self):
            self._load()

    def _load(self) -> None:
        super().load_wsgi()
        app: Flask = self.asgi
        self.max_body_bytes = app.config["MAX_CONTENT_LENGTH"]
        self.bodies = app.extensions.get("room", Room()).share()
        self.refuse = app.extensions.get("refusal")
        self.door.tell = app.extensions.get("unheard", self.door.tell)
        self.read_certificate()
        self.await_models(app)
        self.front = front(app)
        if self.front is not None:
            with starting(self):
                self.loop.run_until_complete(self.front.start())

    async def _serve(self) -> None:
        shared: list[Any] = self.sockets
        self._others = [one.sock for slot, one in enumerate(shared) if slot != self.slot]
        self.sockets = shared[self.slot : self.slot + 1]
        self._tls = self._get_ssl_context()  # which would be none if it could not be read, had it not been before
        self._helping = self.loop.call_later(HELP_SECONDS, self._help)
        self.loop.call_later(HELP_SECONDS, self._widen)
        await super()._serve()

    def _widen(self) -> None:
        """Let as many connections wait as gunicorn says; the loop has made it 100."""
        if self.alive:
            self.sockets[0].sock.listen(self.cfg.backlog)

    def _help(self) -> None:
        """Take in what waits at the sockets of others, and did so the last time: nobody may be there."""
        waiting = select.select(self._others, [], [], 0)[0]
        self._take_all(listener for listener in waiting if listener in self._waiting)
        self._waiting = waiting
        self._helping = self.loop.call_later(HELP_SECONDS, self._help)

    def _take_all(self, listeners: Iterable[socket.socket]) -> None:
        """Serve all that waits at these."""
        for listener in listeners:
            with contextlib.suppress(OSError):  # the last is taken, or left meanwhile
                while True:
                    self._take_in(listener.accept()[0])

    def _take_in(self, accepted: socket.socket) -> None:
        """Serve a connection."""
        accepted.setblocking(False)
        task = self.loop.create_task(self.loop.connect_accepted_socket(lambda: Protocol(self), accepted, ssl=self._tls))
        self._taken.add(task)
        task.add_done_callback(self._has_taken)

    def _has_taken(self, task: asyncio.Task[Any]) -> None:
        """A handshake that fails is its client's trouble only."""
        self._taken.discard(task)
        if not task.cancelled():
            task.exception()

    def count(self) -> None:
        """One more request is answered; the worker ends once it has answered as many as it may."""
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False

    def notify(self) -> None:
        """Called every second, from when the worker listens."""
        if not self.said:
            self.say(LISTENS)
        super().notify()
        now, hurry = self.loop.time(), self.bodies.presses
        for connection in list(self.connections):
            connection.overdue(now, hurry)

    def handle_exit_signal(self) -> None:
        super().handle_exit_signal()
        self.drain()

    def drain(self) -> None:
        """End what lasts, and begin to close the front, once."""
        self.end_streams(self.asgi)
        if self.front is not None and self.draining is None:
            self.draining = self.loop.create_task(self.front.drain(self.cfg.graceful_timeout))

    async def _look_after(self) -> None:
        """While the last requests are answered: say that the worker lives, and let go of who asks nothing."""
        await asyncio.sleep(LINGER_SECONDS)
        while True:
            for connection in list(self.connections):
                connection.retire()
            self.notify()
            await asyncio.sleep(LOOK_SECONDS)

    async def _leave_sockets(self) -> None:
        """Stop to listen; what waits is taken in first, for if nobody else has the socket, the kernel resets it.

        The loop closes its own in its own time: what comes until then waits at a second handle. Handshakes that are
        under way have as long to end, too.
        """
        self._helping.cancel()
        listeners = [*(one.sock.dup() for one in self.sockets), *self._others]
        for server in self.servers:
            server.close()
        await asyncio.sleep(HELP_SECONDS)
        self._take_all(listeners)
        for listener in listeners:
            listener.close()

    async def _shake(self) -> None:
        """Let those who agree on keys come to an end with it, so that their requests are heard; and who came last."""
        for _ in range(SHAKE_LOOKS):
            if self._quick_shutdown or not (self.shaking or self._taken):
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _shutdown(self) -> None:
        self.leave()
        self.drain()
        await self._leave_sockets()
        await self._shake()
        looking = self.loop.create_task(self._look_after())
        await super()._shutdown()
        looking.cancel()
        if self.front is not None and self._quick_shutdown:
            await self.front.drain(0)
        if self.draining is not None:
            await self.draining
