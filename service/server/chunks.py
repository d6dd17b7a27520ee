"""A body in chunks (RFC 9112, section 7.1), read strictly: gunicorn's parser takes a chunk's size modulo 2^64.

    5;extension\\r\\n  hello\\r\\n  0\\r\\n  Trailer: field\\r\\n  \\r\\n

Extensions and trailers are read over; nothing here knows one.
"""

import re
from collections.abc import Callable

from gunicorn.asgi.parser import ParseError

MOST_LINE = 1_024
"""Bytes of a chunk's size with its extensions, or of one trailer."""
MOST_TRAILERS = 100
END = b"\r\n"
SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})([ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
"""Sixteen digits are more bytes than anybody sends, and so are refused as a body too large, never wrapped."""
TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")


class Chunks:
    """Gives the data of chunks to `take` as they come."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._left = 0  # bytes of the chunk that have not come
        self._line = self._size
        self._trailers = 0
        self._kept = b""
        self._done = False

    def feed(self, data: bytes) -> bytes | None:
        """What stands behind the body, once it has come to its end; None until then. ParseError.

        >>> Chunks(print).feed(b"2\\r\\n{}\\r\\n0\\r\\n\\r\\nGET")
        b'{}'
        b'GET'
        """
        data = self._kept + data
        at = 0
        while not self._done:
            if self._left:
                part = data[at : at + self._left]
                if part:
                    self._take(part)
                at += len(part)
                self._left -= len(part)
                if self._left:
                    break
            end = data.find(END, at, at + MOST_LINE + len(END))
            if end < 0:
                break
            self._line(data[at:end])
            at = end + len(END)
        self._kept = b"" if self._done else data[at:]
        if len(self._kept) > MOST_LINE + 1 or b"\n" in self._kept:
            raise ParseError("a line of the chunked body is too long, or ends in a line feed alone")
        return data[at:] if self._done else None

    def _size(self, line: bytes) -> None:
        """The line before a chunk."""
        match = SIZE.fullmatch(line)
        if match is None:
            raise ParseError("expected the size of a chunk")
        self._left = int(match[1], 16)
        self._line = self._gap if self._left else self._trailer

    def _gap(self, line: bytes) -> None:
        """What stands between a chunk and the line's end behind it."""
        if line:
            raise ParseError("a chunk is longer than its size")
        self._line = self._size

    def _trailer(self, line: bytes) -> None:
        """A line behind the last chunk; the empty one ends the body."""
        self._trailers += 1
        if line and (self._trailers > MOST_TRAILERS or not TRAILER.fullmatch(line)):
            raise ParseError("expected the trailers of a chunked body, and not too many")
        self._done = not line
