"""A client light enough for thousands of requests a second on a part of a core, over connections that are kept alive.

Closed loop: every connection asks again as soon as it is answered. Open loop: requests are due at a constant rate,
whether the server keeps up or not, and a latency counts from when its request was due, so that waiting counts, too.
asyncio's timers are no finer than a millisecond; here an epoll is waited for by select(2), which knows microseconds.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

READ_BYTES = 1 << 18
SILENCE = 30.0
"""Seconds without a single answer, after which the server is given up."""

Heard = Callable[[int, bytes], None]
"""Called with a request's index and the whole answer, of which `parts` makes status, head and body."""


@dataclass
class Line:
    """A connection: the request it is asked, when that was due, and what has come of the answer."""

    socket: socket.socket
    request: int = -1
    due: float = 0.0
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    came: bytes = b""
    missing: int = -1
    """Bytes of the answer that have not come; -1 while its head has not."""


class Client:
    """Asks `requests`, whole HTTP requests in bytes, in turn; `latencies` are the seconds of those answered."""

    def __init__(self, port: int, requests: Sequence[bytes], connections: int, heard: Heard) -> None:
        self.requests = requests
        self.heard = heard
        self.latencies: list[float] = []
        self.asked = 0
        self._port = port
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        for _ in range(connections):
            line = Line(self._connected())
            self._lines[line.socket.fileno()] = line

    def close(self) -> None:
        """Close the connections."""
        for line in self._lines.values():
            line.socket.close()
        self._epoll.close()

    def _connected(self) -> socket.socket:
        """A connection whose answers are waited for."""
        made = socket.create_connection(("127.0.0.1", self._port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setblocking(False)
        self._epoll.register(made, select.EPOLLIN)
        return made

    def closed(self, until: Callable[[], bool]) -> float:
        """Ask without a pause until so, and wait for the last answers; requests a second."""
        started, first = time.perf_counter(), len(self.latencies)
        for line in self._lines.values():
            self._ask(line, time.perf_counter())
        busy = len(self._lines)
        while busy:
            for line in self._answered(SILENCE):
                if until():
                    busy -= 1
                else:
                    self._ask(line, time.perf_counter())
        return (len(self.latencies) - first) / (time.perf_counter() - started)

    def open(self, rate: float, seconds: float, *, spread: bool = False) -> None:
        """Ask at a constant rate for so long, and wait for the last answers.

        Of the idle connections that used last is taken, as the pools of urllib3 and of Go do; or, to `spread`, that
        which is idle longest, as if each were a client of its own.
        """
        idle, waiting = deque(self._lines.values()), deque[float]()
        started, count = time.perf_counter(), 0
        total = int(rate * seconds)
        while count < total or len(idle) < len(self._lines):
            now = time.perf_counter()
            while count < total and started + count / rate <= now:
                waiting.append(started + count / rate)
                count += 1
            while waiting and idle:
                self._ask(idle.popleft() if spread else idle.pop(), waiting.popleft())
            patience = started + count / rate - time.perf_counter() if count < total else SILENCE
            idle.extend(self._answered(patience))

    def _ask(self, line: Line, due: float) -> None:
        line.request, line.due, line.missing, line.came = self.asked % len(self.requests), due, -1, b""
        line.unsent = memoryview(self.requests[line.request])
        self.asked += 1
        self._send(line)

    def _send(self, line: Line) -> None:
        """As much as the socket takes; the rest when it takes more."""
        with suppress(BlockingIOError):
            line.unsent = line.unsent[line.socket.send(line.unsent) :]
        if line.unsent:
            self._epoll.modify(line.socket, select.EPOLLIN | select.EPOLLOUT)

    def _answered(self, patience: float) -> list[Line]:
        """The lines whose answers are complete, after so many seconds at most."""
        ready, _, _ = select.select([self._epoll], [], [], max(patience, 0.0))
        if not ready:
            if patience >= SILENCE:
                raise TimeoutError(f"no answer in {SILENCE:.0f} s")
            return []
        done = []
        for descriptor, event in self._epoll.poll(0):
            line = self._lines[descriptor]
            if event & select.EPOLLOUT:
                self._send(line)
                if not line.unsent:
                    self._epoll.modify(line.socket, select.EPOLLIN)
            if event & ~select.EPOLLOUT and self._receive(line):
                done.append(line)
        return done

    def _receive(self, line: Line) -> bool:
        """Whether the answer is complete; ConnectionError if the server has closed the connection."""
        chunk = line.socket.recv(READ_BYTES)
        if not chunk:
            raise ConnectionError("the server has closed a connection that was kept alive")
        line.came = line.came + chunk if line.came else chunk
        if line.missing < 0:
            size = whole(line.came)
            if size is None:
                return False
            line.missing = size
        if len(line.came) < line.missing:
            return False
        self.latencies.append(time.perf_counter() - line.due)
        self.heard(line.request, line.came)
        return True


def whole(came: bytes) -> int | None:
    r"""How long an HTTP answer with a Content-Length is, None before its head has come.

    >>> whole(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
    40
    """
    end = came.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = came[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError(f"an answer without a length: {came[:200]!r}")
    return end + 4 + int(head[at + 17 :].partition(b"\r\n")[0])


def parts(answer: bytes) -> tuple[int, bytes, bytes]:
    r"""Status, head and body of a whole answer.

    >>> parts(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    (200, b'HTTP/1.1 200 OK\r\nContent-Length: 2', b'{}')
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(answer[9:12]), head, body


def post(path: str, body: bytes, content_type: str = "application/json", *headers: str) -> bytes:
    """A whole HTTP request."""
    lines = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body
