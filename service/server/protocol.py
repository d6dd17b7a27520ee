"""One HTTP/1.1 connection: requests in, each answered by a task of its own, responses out, one after another.

gunicorn's parser, its limits and its checks of headers; a request goes from the parser straight into the WSGI app,
without gunicorn's coroutines and without ASGI.
"""

import fcntl
import sys
import termios
from collections.abc import Sequence
from enum import Enum
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol

from service import security
from service.server import head
from service.server.answering import Answering
from service.server.environ import of_connection
from service.server.incoming import Incoming
from service.server.parser import Parser
from service.server.patience import Patience

AHEAD_BYTES = 65_536
"""Of the next request, if it comes before the last is answered; then the client has to wait."""

KNOCK_SECONDS = 0.05
"""From one word to a client that may be gone to the next, by when the first has come back."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

ASGIProtocol._check_h1c_protocol_available()  # noqa: SLF001 - so that gunicorn knows its parser's errors


class State(Enum):
    """What a connection does."""

    IDLE = "idle"
    READING = "reading"
    ANSWERING = "answering"
    RESTING = "resting"


class Protocol(Answering):
    """A connection of a worker, which has `max_body_bytes` and sets of its `connections` and those `shaking` hands."""

    _callback_parser: Any

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        if self.cfg.is_ssl:
            worker.shaking.add(self)
        self._state = State.IDLE
        self._patience = Patience(self.cfg.timeout)
        self._ahead = bytearray()
        self._knocks = 0  # rests, one after another, in which the client has asked again
        self._came = 0.0  # the loop's second at which that began to come, while the connection rested
        self._ended = False  # whether the client sends nothing more

    # What the transport tells.

    def _start_http1(self, buffered: bytes = b"") -> None:
        self._setup_callback_parser()
        if self.cfg.is_ssl:
            self.worker.shaking.discard(self)
        self._environ = of_connection(self.transport)
        self.worker.connections.add(self)
        self._patience.head(self.worker.loop.time())
        if len(self.worker.connections) > self.worker.most_connections:
            self._send_error_response(503, "this worker has as many connections as it may")
            self._close_transport()

    def data_received(self, data: bytes) -> None:
        if self._state is State.ANSWERING or self._state is State.RESTING:
            if self._state is State.RESTING and not self._ahead:
                self._came = self.worker.loop.time()
            self._ahead += data
            if len(self._ahead) > AHEAD_BYTES:
                self._pause_reading()
            return
        if self._state is State.IDLE:
            self._state = State.READING
            self._patience.head(self.worker.loop.time())
        if self._closed or not self._feed_callback_parser(data) or self._incoming is None:
            return
        if self._incoming.ready:
            self._state = State.ANSWERING
            self._came = 0.0
            self._begin(self._incoming, self._environ)
        else:
            self._patience.body(self.worker.loop.time(), self._incoming.length)

    def eof_received(self) -> bool:
        """The client sends nothing more: whether the connection stays open, which it does for an answer on its way.

        A client that is gone says the same. The next words it is sent come back with the news, which ends its task.
        """
        self._ended = True
        if self._state is not State.ANSWERING or self._incoming is None or self._incoming.request.version < (1, 1):
            return False
        self._knock()
        self.worker.loop.call_later(KNOCK_SECONDS, self._knock)
        return True

    def _knock(self) -> None:
        """Send a word that clients pass over (RFC 9110, section 15.2), while nothing of the answer is out."""
        if self._state is State.ANSWERING and not self._started:
            self._safe_write(CONTINUE)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.worker.connections.discard(self)
        if self._incoming is not None:
            self._incoming.release()
        self._callback_parser = None  # it refers back, and what refers to itself through it is never let go
        if self._running is not None:
            self._running.stop()

    # What the parser tells.

    def _setup_callback_parser(self) -> None:
        """A client that sends its next request before the last is put away may send a whole one so."""
        self._callback_parser = Parser(
            self._on_headers_complete,
            self._on_body,
            self._on_message_complete,
            limit_request_line=self.cfg.limit_request_line,
            limit_request_fields=self.cfg.limit_request_fields,
            limit_request_field_size=self.cfg.limit_request_field_size,
            limit_remaining=self.worker.max_body_bytes + head.MOST_BYTES,
        )

    def _on_headers_complete(self) -> bool:
        super()._on_headers_complete()
        head.check(self._current_request)
        worker, request = self.worker, self._current_request
        self._incoming = Incoming(request, worker.max_body_bytes, worker.bodies, worker.refuse)
        if worker.door.kept and self._incoming.refusal is None:
            self._incoming.refusal = worker.door.refusal(request, self._came or worker.loop.time())
        if self._incoming.asks and not self._incoming.refused:
            self._safe_write(CONTINUE)
        chunked: bool = self._current_request.chunked
        return chunked

    def _on_body(self, chunk: bytes) -> None:
        assert self._incoming is not None
        self._incoming.feed(chunk)

    def _on_message_complete(self) -> None:
        assert self._incoming is not None
        self._incoming.whole = True

    # What the worker wants.

    def overdue(self, now: float, hurry: bool = False) -> None:
        """Give up on a client that has been silent, or has not read, for too long. `now` is the loop's second.

        In a `hurry` those who hold memory and do not come on go earlier.
        """
        if self._ended:
            self._knock()
        hurried = hurry and self._incoming is not None and self._incoming.held > 0
        if not self._patience.over(now, self.transport.get_write_buffer_size(), hurried):
            return
        if self._closed:
            self.transport.abort()  # it was closed, and would be once the rest is read
        elif self._state is State.IDLE:
            self._leave_idle()
        elif self._state is State.READING:
            self._send_error_response(408, "the request did not come to its end in time")
            self._close_transport()
        elif self._clogged:
            self.transport.abort()

    def retire(self) -> None:
        """Close the connection, unless a request is on its way; events are on their way to those alone who read."""
        if self._state is State.IDLE or (self._state is State.RESTING and not self._ahead):
            self._leave_idle()
        if self._lasts and unconfirmed(self.transport):
            self.transport.abort()  # nobody waits until events are read
        if self._closed and self._is_ssl and not unconfirmed(self.transport):
            self.transport.abort()  # TLS would wait for a goodbye that most clients never say

    def _leave_idle(self) -> None:
        """Close, unless the next request has come and only the loop has not read it: it may have stood still."""
        if not unread(self.transport):
            self._close_transport()

    def _close_transport(self) -> None:
        """Close once what was written is read, for which the client has a while."""
        self._wait()
        super()._close_transport()

    def _wait(self) -> None:
        self._patience.until = self.worker.loop.time() + self.cfg.timeout

    def _send_error_response(self, status: int, message: str, extra_headers: Sequence[tuple[str, str]] = ()) -> None:
        super()._send_error_response(status, message, (*extra_headers, *security.headers(self._is_ssl)))

    # What comes after an answer.

    def _was_last(self) -> bool:
        parser = self._callback_parser
        return self._ended and not self._ahead and not (parser is not None and parser.remaining())

    def _answered(self) -> None:
        """Close, or be ready for the next request, which may have come already."""
        self._running = None
        self.worker.count()
        parser = self._callback_parser
        if self._closing or self._closed or not self.worker.alive or parser is None or parser.remaining_truncated:
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
            self._wait()
            self.worker.loop.call_later(self.worker.door.rest(self._knocks), self._rested)
            return
        self._knocks = 0
        if self._ahead:
            self.worker.loop.call_soon(self._replay)  # not from here: a thousand requests at once are no thousand calls
        else:
            self._rest()
            self._leave_ended()

    def _leave_ended(self) -> None:
        """Close, if the client sends nothing more and has no request on its way."""
        if self._ended and self._state is not State.ANSWERING and not self._ahead:
            self._close_transport()

    def _rested(self) -> None:
        """Read on after a refusal."""
        self.worker.door.resting -= 1
        self._knocks = self._knocks + 1 if self._ahead else 0
        self._replay()

    def _replay(self) -> None:
        """Take in what came while the last request was answered, before what comes now."""
        if not self._closed:
            ahead, self._ahead = bytes(self._ahead), bytearray()
            self._rest()
            if ahead:
                self.data_received(ahead)
            self._leave_ended()

    def _rest(self) -> None:
        """Wait for the next request."""
        self._state = State.IDLE
        self._patience.until = self.worker.loop.time() + self.cfg.keepalive
        self._resume_reading()


def unconfirmed(transport: Any) -> int:
    """Bytes on their way to the client, as the kernel counts them; while there are none, none wait before it either."""
    return queued(transport, termios.TIOCOUTQ)


def unread(transport: Any) -> int:
    """Bytes of the client's that wait for the loop, as the kernel counts them."""
    return queued(transport, termios.FIONREAD)


def queued(transport: Any, which: int) -> int:
    """Bytes in one of the queues of a connection's socket."""
    count = bytearray(4)
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), which, count)
    return int.from_bytes(count, sys.byteorder)
