"""One HTTP/1.1 connection: requests in, each answered by a task of its own, responses out, one after another.

gunicorn's parser, its limits and its checks of headers; a request goes from the parser straight into the WSGI app,
without gunicorn's coroutines and without ASGI.
"""

import itertools
from collections.abc import Iterable
from enum import Enum
from typing import Any

import greenlet
from gunicorn.asgi.protocol import ASGIProtocol

from service.refusal import REFUSED, Refusal, Refused
from service.server import response
from service.server.door import own_id
from service.server.environ import Environ, of_connection
from service.server.incoming import Incoming
from service.server.tasks import Parked, Task, start

AHEAD_BYTES = 262_144
"""Of the next request, if it comes before the last is answered; then the client has to wait."""

OWN = frozenset({"Vary", "Access-Control-Allow-Origin"})
"""Headers of a response that is for its own request alone."""

CLOSE, KEEP, CHUNKED = "Connection: close\r\n", "Connection: keep-alive\r\n", "Transfer-Encoding: chunked\r\n"


class State(Enum):
    """What a connection does."""

    IDLE = "idle"
    READING = "reading"
    ANSWERING = "answering"
    RESTING = "resting"


class Protocol(ASGIProtocol):  # type: ignore[misc]
    """A connection of a worker, which has `max_body_bytes` and keeps a set of its `connections`."""

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        self._state = State.IDLE
        self._until = 0.0  # the loop's second at which the client has been silent for too long
        self._incoming: Incoming | None = None
        self._running: Task | None = None
        self._ahead = bytearray()
        self._came = 0.0  # the loop's second at which that began to come, while the connection rested
        self._started = False  # whether anything of the response is out
        self._closing = False  # whether the connection ends with this response
        self._refused = False  # whether this response refuses for want of room or time
        self._clogged = False  # whether the client does not read
        self._unread = 0  # bytes that it had not read when it was last looked at
        self._writer: Parked | None = None  # the task that waits for the client to read

    # What the transport tells.

    def _start_http1(self, buffered: bytes = b"") -> None:
        self._setup_callback_parser()
        self._environ = of_connection(self.transport)
        self.worker.connections.add(self)
        self._allow(self.cfg.timeout)

    def data_received(self, data: bytes) -> None:
        if self._state is State.ANSWERING or self._state is State.RESTING:
            if self._state is State.RESTING and not self._ahead:
                self._came = self.worker.loop.time()
            self._ahead += data
            if len(self._ahead) > AHEAD_BYTES:
                self._pause_reading()
            return
        self._state = State.READING
        self._allow(self.cfg.timeout)
        if self._feed_callback_parser(data) and self._incoming is not None and self._incoming.ready:
            self._begin(self._incoming)

    def pause_writing(self) -> None:
        self._clogged = True

    def resume_writing(self) -> None:
        self._clogged = False
        if self._writer is not None:
            self._writer.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.worker.connections.discard(self)
        if self._incoming is not None:
            self._incoming.release()
        if self._running is not None:
            self._running.stop()

    # What the parser tells.

    def _on_headers_complete(self) -> Any:
        skip = super()._on_headers_complete()
        worker, request = self.worker, self._current_request
        self._incoming = Incoming(request, worker.max_body_bytes, worker.bodies, worker.refuse)
        if worker.door.kept and self._incoming.refusal is None:
            self._incoming.refusal = worker.door.refusal(request, self._came or worker.loop.time())
        if self._incoming.asks and not self._incoming.refused:
            self._safe_write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return skip

    def _on_body(self, chunk: bytes) -> None:
        assert self._incoming is not None
        self._incoming.feed(chunk)

    def _on_message_complete(self) -> None:
        assert self._incoming is not None
        self._incoming.whole = True

    # What the worker wants.

    def overdue(self, now: float) -> None:
        """Give up on a client that has been silent, or has not read, for too long. `now` is the loop's second."""
        unread = self.transport.get_write_buffer_size()
        if unread < self._unread:
            self._until = max(self._until, now + self.cfg.timeout)  # slow, but it reads
        self._unread = unread
        if now < self._until:
            return
        if self._closed:
            self.transport.abort()  # it was closed, and would be once the rest is read
        elif self._state is State.IDLE:
            self._close_transport()
        elif self._state is State.READING:
            self._send_error_response(408, "the request did not come to its end in time")
            self._close_transport()
        elif self._clogged:
            self.transport.abort()

    def retire(self) -> None:
        """Close the connection, unless a request is on its way."""
        if self._state is State.IDLE or (self._state is State.RESTING and not self._ahead):
            self._close_transport()

    def _close_transport(self) -> None:
        """Close once what was written is read, for which the client has a while."""
        self._allow(self.cfg.timeout)
        super()._close_transport()

    def _allow(self, seconds: float) -> None:
        """Give the client so many seconds from now."""
        self._until = self.worker.loop.time() + seconds

    # A request and its answer.

    def _begin(self, incoming: Incoming) -> None:
        self._state = State.ANSWERING
        self._came = 0.0
        self._started = False
        self._closing = not incoming.whole or self._will_close(incoming.request, False)
        if incoming.refusal is not None:
            self._refuse(incoming.request, incoming.refusal)
            return
        environ = incoming.environ(self._environ)
        start(lambda: self._answer(environ), self._answered)

    def _refuse(self, request: Any, refusal: Refusal) -> None:
        """Answer a request that nobody has heard."""
        self._closing |= not self.worker.alive
        added = CLOSE if self._closing else "" if request.version == (1, 1) else KEEP
        start = response.head(refusal.status, [*refusal.headers, ("X-Request-Id", own_id(request))], added)
        refusal.told()
        self._refused = True
        self._safe_write(start + refusal.body)
        self._answered()

    def _answer(self, environ: Environ) -> None:
        """Call the app, in its task; what it raises, and does not answer itself, ends the connection."""
        self._running = greenlet.getcurrent()
        try:
            self._call(environ)
        except greenlet.GreenletExit:
            self._closing = True
        except BaseException:
            self.log.exception("Error handling request %s", environ["PATH_INFO"])
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
        self._closing |= not self.worker.alive
        bodiless = response.has_no_body(environ["REQUEST_METHOD"], status)
        whole = bodiless or response.has_length(headers)
        self._closing |= not (whole or modern)
        added = CLOSE if self._closing else "" if modern else KEEP
        if whole:
            start, body = response.head(status, headers, added), b"" if bodiless else b"".join(parts)
            if REFUSED in environ:
                self._remember(environ[REFUSED], status, headers, body)
            response.send(self._write, start, body)
        else:
            start = response.head(status, headers, added + (CHUNKED if modern else ""))
            response.stream(self._write, start, parts, chunked=modern)

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
            self._allow(self.cfg.timeout)
            self._writer = Parked(self._running)
            self._writer.wait()
            self._writer = None

    def _answered(self) -> None:
        """Close, or be ready for the next request, which may have come already."""
        self._running = None
        self.worker.count()
        parser = self._callback_parser
        if self._closing or self._closed or not self.worker.alive or getattr(parser, "remaining_truncated", False):
            self._close_transport()
            return
        self._ahead[:0] = parser.remaining()
        parser.reset()
        if self._incoming is not None:
            self._incoming.release()
        self._incoming = self._current_request = self._body_receiver = None
        if self._refused:
            self._refused = False
            self._state = State.RESTING
            self._allow(self.cfg.timeout)
            self.worker.loop.call_later(self.worker.door.rest(), self._rested)
        elif self._ahead:
            self.worker.loop.call_soon(self._replay)  # not from here: a thousand requests at once are no thousand calls
        else:
            self._rest()

    def _rested(self) -> None:
        """Read on after a refusal."""
        self.worker.door.resting -= 1
        self._replay()

    def _replay(self) -> None:
        """Take in what came while the last request was answered, before what comes now."""
        if not self._closed:
            ahead, self._ahead = bytes(self._ahead), bytearray()
            self._rest()
            if ahead:
                self.data_received(ahead)

    def _rest(self) -> None:
        """Wait for the next request."""
        self._state = State.IDLE
        self._allow(self.cfg.keepalive)
        self._resume_reading()
