"""The answers of a connection: what the app says to a request, or a refusal that nobody was asked for, in bytes."""

import itertools
from collections.abc import Iterable
from typing import Any

import greenlet
from gunicorn.asgi.protocol import ASGIProtocol

from service.batching.overload import REFUSED, Refusal, Refused
from service.errors import Overloaded
from service.server import response
from service.server.door import own_id
from service.server.environ import Environ
from service.server.incoming import Incoming
from service.server.tasks import Parked, Task, start

OWN = frozenset({"Vary", "Access-Control-Allow-Origin"})
"""Headers of a response that is for its own request alone."""
CLOSE, KEEP, CHUNKED = "Connection: close\r\n", "Connection: keep-alive\r\n", "Transfer-Encoding: chunked\r\n"


class Answering(ASGIProtocol):  # type: ignore[misc]
    """A connection that answers one request at a time; what it reads, and when, is its subclass's."""

    worker: Any
    _current_request: Any

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        self._incoming: Incoming | None = None
        self._running: Task | None = None
        self._started = False  # whether anything of the response is out
        self._closing = False  # whether the connection ends with this response
        self._refused = False  # whether this response refuses for want of room or time
        self._clogged = False  # whether the client does not read
        self._lasts = False  # whether this response is events, and so the last of its connection
        self._writer: Parked | None = None  # the task that waits for the client to read

    def _answered(self) -> None:
        """The answer is out, or never will be."""
        raise NotImplementedError

    def _was_last(self) -> bool:
        """Whether the client sends no request after this one."""
        raise NotImplementedError

    def _wait(self) -> None:
        """The client has a while to read."""
        raise NotImplementedError

    def _begin(self, incoming: Incoming, connection: Environ) -> None:
        """Answer a request."""
        self._started = False
        self._closing = not incoming.whole or self._will_close(incoming.request, False)
        if incoming.refusal is not None:
            self._refuse(incoming.request, incoming.refusal)
            return
        environ = incoming.environ(connection)
        start(lambda: self._answer(environ), self._answered)

    def _refuse(self, request: Any, refusal: Refusal) -> None:
        """Answer a request that nobody has heard."""
        self._closing |= not self.worker.alive
        added = CLOSE if self._closing else "" if request.version == (1, 1) else KEEP
        given = own_id(request)
        start = response.head(refusal.status, [*refusal.headers, ("X-Request-Id", given)], added)
        self.worker.door.tell(request, given, refusal)
        self._refused = True
        self._safe_write(start + refusal.body)
        self._answered()

    def _answer(self, environ: Environ) -> None:
        """Call the app, in a task; what it raises, and does not answer itself, ends the connection."""
        self._running = greenlet.getcurrent()
        try:
            self._call(environ)
        except greenlet.GreenletExit:
            self._closing = True
        except BaseException:
            self.log.exception("Error handling request %r", environ["PATH_INFO"])
            if not self._started:
                self._send_error_response(500, "Internal Server Error")
            self._closing = True

    def _call(self, environ: Environ) -> None:
        said: list[Any] = []

        def start_response(status: str, headers: response.Headers, _exc_info: Any = None) -> None:
            said[:] = status, headers

        parts = self.app(environ, start_response)
        try:
            iterator = iter(parts)
            first = next(iterator, b"")  # by now the app has said its status
            self._respond(environ, said[0], said[1], itertools.chain([first], iterator))
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

    def _respond(self, environ: Environ, status: str, headers: response.Headers, parts: Iterable[bytes]) -> None:
        modern = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._closing |= not self.worker.alive or self._was_last()
        bodiless = response.has_no_body(environ["REQUEST_METHOD"], status)
        whole = bodiless or response.has_length(headers)
        if not whole:
            self._lasts = response.is_events(headers)
            self._closing |= self._lasts or not modern
        added = CLOSE if self._closing else "" if modern else KEEP
        if whole:
            start, body = response.head(status, headers, added), b"" if bodiless else b"".join(parts)
            if REFUSED in environ:
                self._remember(environ[REFUSED], status, headers, body)
            response.send(self._write, start, body)
        else:
            start = response.head(status, headers, added + (CHUNKED if modern else ""))
            response.stream(self._write_part, start, parts, chunked=modern)

    def _remember(self, refused: Refused, status: str, headers: response.Headers, body: bytes) -> None:
        """Rest after this refusal, and keep it for others if it holds for all of its path."""
        self._refused = True
        if refused.seconds and not any(name in OWN for name, _ in headers):
            common = [(name, value) for name, value in headers if name != "X-Request-Id"]
            until = self.worker.loop.time() + refused.seconds
            self.worker.door.keep(self._current_request, until, Refusal(status, common, body, refused.told))

    def _write(self, data: bytes) -> None:
        """Send something; the task waits while the client does not read."""
        self._started = True
        self._safe_write(data)
        if self._clogged and self._running is not None:
            self._wait()
            self._wait_for_reader(self._running)

    def _write_part(self, data: bytes) -> None:
        """Send a part of what is made as it is sent; others have a turn before the next is made."""
        self._write(data)
        assert self._running is not None
        turn = Parked(self._running)
        self.worker.loop.call_soon(turn.wake)
        turn.wait()

    def _wait_for_reader(self, task: Task) -> None:
        """Hold memory for what the client does not read; where there is none, the connection is lost."""
        assert self._incoming is not None
        waiting = self.transport.get_write_buffer_size()
        try:
            self._incoming.hold(waiting)
        except Overloaded:
            waiting = 0
            self.transport.abort()
        self._writer = Parked(task)
        self._writer.wait()
        self._writer = None
        self._incoming.release(waiting)

    def pause_writing(self) -> None:
        self._clogged = True

    def resume_writing(self) -> None:
        self._clogged = False
        if self._writer is not None:
            self._writer.wake()
