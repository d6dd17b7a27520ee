"""A request on its way in: what is kept of it, and when it is time to answer."""

import io
from typing import Any

from service.server.environ import Environ, of_request

DISCARDED = 4
"""How many times the body limit is read, and thrown away, so that a client hears the 413 before its pipe breaks."""


class Incoming:
    """A request as it is read; of a body longer than `most` bytes only the length is kept."""

    def __init__(self, request: Any, most: int) -> None:
        self.request = request
        self.whole = False
        self._most = most
        self._body = io.BytesIO()  # not its pieces: a client chooses how many there are
        self.length = 0

    def feed(self, chunk: bytes) -> None:
        """Add to its body."""
        self.length += len(chunk)
        if self.length <= self._most:
            self._body.write(chunk)

    @property
    def ready(self) -> bool:
        """Whether to answer now: it is whole, or longer than anybody wants to read."""
        return self.whole or self.refused or self.length > DISCARDED * self._most

    @property
    def refused(self) -> bool:
        """Whether its client asks before it sends a body that is too long."""
        return self.asks and self.request.content_length > self._most

    @property
    def asks(self) -> bool:
        """Whether its client waits for a 100 before it sends the body (RFC 9110, section 10.1.1)."""
        return bool(self.request._expect_100_continue)  # noqa: SLF001 - gunicorn's reading of the header

    def environ(self, connection: Environ) -> Environ:
        """The request as the app sees it: without a body that is too long, but with its length."""
        body = self._body.getvalue() if self.length <= self._most else b""
        return of_request(self.request, connection, body, max(self.request.content_length, self.length))
