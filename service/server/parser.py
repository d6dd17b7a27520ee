"""gunicorn's parser, held to RFC 9112 where it is lax: what may be read in two ways hides a second request."""

from collections.abc import Callable
from typing import Any

from gunicorn_h1c import H1CProtocol

from service.server.chunks import Chunks
from service.server.head import Head


class Parser(H1CProtocol):  # type: ignore[misc]
    """The same calls and attributes; chunks are read here, heads are looked at before gunicorn's parser sees them."""

    def __init__(
        self,
        on_headers_complete: Callable[[], Any],
        on_body: Callable[[bytes], None],
        on_message_complete: Callable[[], None],
        **limits: Any,
    ) -> None:
        super().__init__(on_headers_complete=self._begin, on_body=on_body, on_message_complete=self._end, **limits)
        self._on_head, self._on_body, self._on_end = on_headers_complete, on_body, on_message_complete
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
            super().feed(data)
            data = data[body:]
        if self._chunks is not None:
            self._read(self._chunks, data)

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
        super().reset()

    def _begin(self) -> Any:
        self._on_head()
        if self.is_chunked:
            self._chunks = Chunks(self._on_body)
        return self.is_chunked  # then gunicorn's parser leaves the rest alone

    def _end(self) -> None:
        if self._chunks is None:
            self._on_end()

    def _read(self, chunks: Chunks, data: bytes) -> None:
        behind = chunks.feed(data)
        if behind is not None:
            self._behind = behind
            self._on_end()
