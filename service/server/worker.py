"""gunicorn's workers, for this service: what listens, how it begins and how it ends."""

import asyncio
import contextlib
import functools
import select
import signal
import socket
from collections.abc import Iterator
from typing import Any

from flask import Flask
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi
from gunicorn.workers.gasgi import ASGIWorker
from gunicorn.workers.gthread import ThreadWorker

from service.admission import Room
from service.beside import Front, Side, front, starting
from service.server.door import Door
from service.server.drivers import Running
from service.server.protocol import Protocol

HEADERS_BYTES = 65_536
"""As much as gunicorn reads of a request's headers, and more."""

gasgi.ASGIProtocol = Protocol  # the worker makes one for each connection


def read_ahead(most: int) -> None:
    """Let a connection keep so many bytes of its next request while the last is still being put away.

    A client that sends its next request as soon as it is answered is quicker than that; of more than 64 KB gunicorn
    would lose the rest, and close the connection without an answer.
    """
    if ASGIProtocol._check_h1c_protocol_available():  # noqa: SLF001 - gunicorn passes its parser no such limit
        ASGIProtocol._h1c_protocol_class = functools.partial(ASGIProtocol._h1c_protocol_class, limit_remaining=most)  # noqa: SLF001


@contextlib.contextmanager
def listening_for_sigterm(worker: ASGIWorker) -> Iterator[None]:
    """Keep a SIGTERM that comes before the event loop runs: uvloop hears none until then."""

    def stop(*_: Any) -> None:
        worker.alive = False

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


LOOK_SECONDS = 0.2
"""Between two looks at the connections of a worker that ends."""
HELP_SECONDS = 0.05
"""A connection waits so long, at most twice, for a worker that is gone or busy, before another takes it in."""


class Worker(ASGIWorker):  # type: ignore[misc]
    """gunicorn -k service.server.Worker: a WSGI app in place of an ASGI one."""

    sockets: list[Any]
    slot = 0  # whose socket is its own, of those that share the port (service/serve.py)
    max_body_bytes = 0
    front: Front | None = None
    draining: "asyncio.Task[None] | None" = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[Protocol] = set()
        self.door = Door()
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
        read_ahead(self.max_body_bytes + HEADERS_BYTES)
        self.front = front(app)
        if self.front is not None:
            with starting(self):
                self.loop.run_until_complete(self.front.start())

    async def _serve(self) -> None:
        shared: list[Any] = self.sockets
        self._others = [one.sock for slot, one in enumerate(shared) if slot != self.slot]
        self.sockets = shared[self.slot : self.slot + 1]
        self._tls = self._get_ssl_context()
        self.loop.call_later(HELP_SECONDS, self._help)
        self.loop.call_later(HELP_SECONDS, self._widen)
        await super()._serve()

    def _widen(self) -> None:
        """Let as many connections wait as gunicorn says; the loop has made it 100."""
        if self.alive:
            self.sockets[0].sock.listen(self.cfg.backlog)

    def _help(self) -> None:
        """Take in what waits at the sockets of others, and did so the last time: nobody may be there."""
        if not self.alive:
            return
        waiting = select.select(self._others, [], [], 0)[0]
        for listener in waiting:
            if listener in self._waiting:
                with contextlib.suppress(OSError):  # the last is taken, or left meanwhile
                    while True:
                        self._take_in(listener.accept()[0])
        self._waiting = waiting
        self.loop.call_later(HELP_SECONDS, self._help)

    def _take_in(self, accepted: socket.socket) -> None:
        """Serve a connection."""
        accepted.setblocking(False)
        task = self.loop.create_task(self.loop.connect_accepted_socket(lambda: Protocol(self), accepted, ssl=self._tls))
        self._taken.add(task)
        task.add_done_callback(self._taken.discard)

    def count(self) -> None:
        """One more request is answered; the worker ends once it has answered as many as it may."""
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False

    def notify(self) -> None:
        """Called every second."""
        super().notify()
        now = self.loop.time()
        for connection in list(self.connections):
            connection.overdue(now)

    def handle_exit_signal(self) -> None:
        super().handle_exit_signal()
        self.drain()

    def drain(self) -> None:
        """Begin to close the front, once."""
        if self.front is not None and self.draining is None:
            self.draining = self.loop.create_task(self.front.drain(self.cfg.graceful_timeout))

    async def _look_after(self) -> None:
        """While the last requests are answered: say that the worker lives, and let go of who asks nothing."""
        while True:
            for connection in list(self.connections):
                connection.retire()
            self.notify()
            await asyncio.sleep(LOOK_SECONDS)

    async def _shutdown(self) -> None:
        self.drain()
        for server in self.servers:
            server.close()
        looking = self.loop.create_task(self._look_after())
        await super()._shutdown()
        looking.cancel()
        if self.front is not None and self._quick_shutdown:
            await self.front.drain(0)
        if self.draining is not None:
            await self.draining


class Threads(ThreadWorker):  # type: ignore[misc]
    """gunicorn -k service.server.Threads: a thread per request, and one with an event loop for the front."""

    side: Side | None = None

    def load_wsgi(self) -> None:
        super().load_wsgi()
        beside = front(self.wsgi)
        if beside is not None:
            with starting(self):
                self.side = Side(beside, self.cfg.graceful_timeout)

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.side is not None:
            self.side.drain()
        super().handle_exit(sig, frame)

    def run(self) -> None:
        super().run()
        if self.side is not None:
            self.side.close()
