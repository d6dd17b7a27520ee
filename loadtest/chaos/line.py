"""One HTTP connection that notices everything: what comes, what comes behind it, and how it breaks."""

import socket
from collections.abc import Mapping
from contextlib import suppress

from loadtest.bench.client import parts, whole
from loadtest.chaos.checker import Reply
from loadtest.chaos.door import HOST

PATIENCE = 20.0
"""Seconds for an answer; no fault may take as long."""
READ_BYTES = 1 << 18


class Line:
    """A connection to a port, made when it is needed, and kept while the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.socket: socket.socket | None = None
        self.fresh = True
        """Whether nothing was answered on it yet."""

    def close(self) -> None:
        """Let go of the connection."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send(self, request: bytes) -> Reply | None:
        """Send it, over the connection there is or a new one; a reply if it could not be sent.

        A connection on which bytes wait that nobody asked for is no longer used: they are the reply's surplus.
        """
        surplus = self._rest()
        if surplus:
            self.close()
            return Reply(0, broken="closed", surplus=surplus)
        if self.socket is None:
            try:
                self.socket = socket.create_connection((HOST, self._port), timeout=PATIENCE)
            except OSError:
                return Reply(0, broken="refused")
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.fresh = True
        with suppress(ConnectionError):  # what the server has to say may be there all the same
            self.socket.sendall(request)
        return None

    def receive(self) -> Reply:
        """The answer to what was sent."""
        assert self.socket is not None
        came = b""
        while True:
            size = whole(came)
            if size is not None and len(came) >= size:
                break
            try:
                chunk = self.socket.recv(READ_BYTES)
            except TimeoutError:
                return self._broken("silent")
            except OSError:
                chunk = b""
            if not chunk:
                return self._broken("cut" if came else "closed")
            came += chunk
        self.fresh = False
        status, head, body = parts(came[:size])
        named = headers(head)
        surplus = came[size:]
        if named.get("connection") == "close":
            surplus += self._until_closed()
        return Reply(status, named, body, surplus=surplus)

    def _broken(self, how: str) -> Reply:
        self.close()
        return Reply(0, broken=how)

    def _rest(self) -> bytes:
        """What waits unasked; a connection that the server has closed is let go of."""
        if self.socket is None:
            return b""
        self.socket.setblocking(False)
        try:
            rest = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            self.socket.settimeout(PATIENCE)
            return b""
        except OSError:
            rest = b""
        if not rest:
            self.close()
        return rest

    def _until_closed(self) -> bytes:
        """What still comes on a connection that the server is to close."""
        assert self.socket is not None
        rest = b""
        with suppress(OSError):
            while chunk := self.socket.recv(READ_BYTES):
                rest += chunk
        self.close()
        return rest


def headers(head: bytes) -> Mapping[str, str]:
    r"""Headers by their names in small letters.

    >>> headers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b")
    {'content-length': '2', 'x-a': 'b'}
    """
    lines = (line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in lines}
