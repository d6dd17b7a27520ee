"""gunicorn's parser, held to RFC 9112 where it is lax: what may be read in two ways hides a second request."""

from collections.abc import Callable
from typing import Any

from gunicorn_h1c import H1CProtocol, ParseError

from service.server.chunks import Chunks
from service.server.head import Head


class Parser(H1CProtocol):  # type: ignore[misc]
    """The same calls and attributes; chunks are read here, heads are looked at before gunicorn's parser sees them.

    `on_headers_complete` says whether the body is in chunks. No cycle of references through this class is ever
    collected, so it refers to what calls it only by the callbacks.
    """

    def __init__(
        self,
        on_headers_complete: Callable[[], bool],
        on_body: Callable[[bytes], None],
        on_message_complete: Callable[[], None],
        **limits: Any,
    ) -> None:
        super().__init__(on_headers_complete=on_headers_complete, on_body=on_body, **limits)
        self._on_body, self._on_end = on_body, on_message_complete
        self._head = Head()
        self._in_head = True
        self._chunks: Chunks | None = None
        self._behind = b""

    def feed(self, data: bytes) -> None:
        """Take in what came; raises one of gunicorn's errors, and calls back."""
        body = 0
        if self._in_head:
            body = self._head.feed(data)
            self._in_head = body < 0
        if self._chunks is None:
            H1CProtocol.feed(self, data)  # super() would cost as much as half of it
            if self._in_head:
                return
            if not self.method:  # it would wait for a longer first line
                raise ParseError("the first line is no request's")
            if not self.is_chunked:
                if self.is_complete:
                    self._on_end()
                return
            self._chunks = Chunks(self._on_body)
            data = data[body:]
        behind = self._chunks.feed(data)
        if behind is not None:
            self._behind = behind
            self._on_end()

    @property
    def waits(self) -> bool:
        """Whether a head has begun and not come to its end."""
        return self._in_head and self._head.begun

    def remaining(self) -> bytes:
        """What stands behind the request."""
        found: bytes = super().remaining() if self._chunks is None else self._behind
        return found

    @property
    def remaining_truncated(self) -> bool:
        """Whether some of that is lost."""
        return self._chunks is None and bool(super().remaining_truncated)

    def reset(self) -> None:
        """Be ready for the next request."""
        self._in_head = True
        self._chunks = None
        H1CProtocol.reset(self)
