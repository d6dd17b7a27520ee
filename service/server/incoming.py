"""A request on its way in: what is kept of it, and when it is time to answer."""

import io
from collections.abc import Callable
from typing import Any

from service.batching.admission import Share
from service.batching.overload import Refusal
from service.errors import Overloaded
from service.server.environ import Environ, of_request

DISCARDED = 4
"""How many times the body limit is read, and thrown away, so that a client hears the 413 before its pipe breaks."""
UNCOUNTED = 16_384
"""Bytes of a body that nobody counts: ten thousand such are no more than one worker may hold."""


Refuse = Callable[[str, Overloaded], Refusal]
"""From a path and the reason to a refusal in the words of its dialect."""


class Incoming:
    """A request as it is read; of a body longer than `most` bytes, or refused, only the length is kept.

    What is kept of a body is held in a share, as it comes, until the request is over: who only says that much will
    come holds nothing, but is refused at once where there is no room for it.
    """

    def __init__(self, request: Any, most: int, share: Share, refuse: Refuse) -> None:
        self.request = request
        self.whole = False
        self.refusal: Refusal | None = None
        self._most = most
        self._share = share
        self._refuse = refuse
        self.held = 0
        self._body = io.BytesIO()  # not its pieces: a client chooses how many there are
        self.length = 0
        if request.content_length > UNCOUNTED:
            self._grow(request.content_length)
            self.release()

    def feed(self, chunk: bytes) -> None:
        """Add to its body."""
        self.length += len(chunk)
        if self.length > UNCOUNTED:
            self._grow(self.length)
        if self.length <= self._most and self.refusal is None:
            self._body.write(chunk)

    def _grow(self, length: int) -> None:
        """Find room for so much of its body, or refuse it."""
        if self.held < length <= self._most and self.refusal is None:
            try:
                self.hold(length - self.held)
            except Overloaded as error:
                self.refusal = self._refuse(self.request.path, error)
                self._body = io.BytesIO()
                self.release()

    def hold(self, size: int) -> None:
        """Hold so many bytes more; Overloaded."""
        self._share.take(0, size)
        self.held += size

    def release(self, size: int | None = None) -> None:
        """Hold so much less, or nothing more. Safe to call twice."""
        size = self.held if size is None else min(size, self.held)
        if size:
            self._share.give(0, size)
            self.held -= size

    @property
    def ready(self) -> bool:
        """Whether to answer now: it is whole, or longer than anybody wants to read."""
        return self.whole or self.refused or self.length > DISCARDED * self._most

    @property
    def refused(self) -> bool:
        """Whether its client asks before it sends a body that nobody will read."""
        return self.asks and (self.request.content_length > self._most or self.refusal is not None)

    @property
    def asks(self) -> bool:
        """Whether its client waits for a 100 before it sends the body (RFC 9110, section 10.1.1)."""
        return bool(self.request._expect_100_continue)  # noqa: SLF001 - gunicorn's reading of the header

    def environ(self, connection: Environ) -> Environ:
        """The request as the app sees it: without a body that is too long, but with its length."""
        body = self._body.getvalue() if self.length <= self._most else b""
        return of_request(self.request, connection, body, max(self.request.content_length, self.length))
