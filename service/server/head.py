"""The head of a request, read more strictly than gunicorn's parser does (RFC 9112).

What stands before this server may read a lax head otherwise, and so take for a body what is the next request here. Each
error is one of gunicorn's, which its protocol answers with a status, and closes the connection.
"""

import re
from functools import lru_cache
from typing import Any

from gunicorn.asgi.parser import LimitRequestHeaders, LimitRequestLine, ParseError, UnsupportedTransferCoding

MOST_BYTES = 65_536
"""Of a head in all. gunicorn limits its line, its headers and their number, but only once all of it has come."""
MOST_DIGITS = 18
"""Of a Content-Length. gunicorn's parser takes what needs more than 64 bits for what its last 64 bits say."""
END = b"\r\n\r\n"
CHUNKED = [b"chunked"]
AUTHORITY = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:\d{0,5})?"
HOST = re.compile(AUTHORITY.encode())
ABSOLUTE = re.compile(rf"https?://(?=[^/?:]){AUTHORITY}([/?].*)?", re.IGNORECASE)


class Head:
    """Finds the end of a head as its bytes come, and how its lines end."""

    def __init__(self) -> None:
        self._seen = b""

    @property
    def begun(self) -> bool:
        """Whether something of it has come."""
        return self._seen != b""

    def feed(self, data: bytes) -> int:
        """Where the body begins in these bytes, -1 while the head goes on; LimitRequestHeaders, or ParseError.

        >>> Head().feed(b"GET / HTTP/1.1\\r\\n\\r\\nbody")
        18
        """
        before = self._seen
        seen = before + data if before else data
        end = seen.find(END)
        length = len(seen) if end < 0 else end
        if length > MOST_BYTES:
            raise (LimitRequestHeaders if b"\n" in seen else LimitRequestLine)(f"more than {MOST_BYTES} bytes")
        if seen.count(b"\n", 0, length) != seen.count(b"\r\n", 0, length):
            raise ParseError("a line ends in a line feed alone")
        if end < 0:
            self._seen = seen
            return -1
        if before:
            self._seen = b""
        return end + len(END) - len(before)


def check(request: Any) -> None:
    """ParseError, or UnsupportedTransferCoding, of a head that gunicorn's parser takes and this server does not."""
    fields = dict(request.headers_bytes)
    if len(fields.get(b"content-length", b"")) > MOST_DIGITS:
        raise ParseError("Content-Length is no length of a body")
    if b"" in fields:
        raise ParseError("a header goes on in the next line")
    if request.chunked and codings(request) != CHUNKED:
        raise UnsupportedTransferCoding("the only transfer coding read here is chunked")
    host = fields.get(b"host")
    if host is None and request.version >= (1, 1):
        raise ParseError("there is no Host")
    if host and not is_host(host):
        raise ParseError("Host is none")
    if request.uri[0] != "/" and "://" in request.uri and not ABSOLUTE.fullmatch(request.uri):
        raise ParseError("the target is no URL of HTTP")


def codings(request: Any) -> list[bytes]:
    """The values of its Transfer-Encoding headers."""
    return [value.strip(b" \t").lower() for name, value in request.headers_bytes if name == b"transfer-encoding"]


@lru_cache(256)
def is_host(value: bytes) -> bool:
    """Whether a Host header names a host, and perhaps a port.

    >>> is_host(b"[::1]:8000"), is_host(b"a b"), is_host(b"user@a")
    (True, False, False)
    """
    return HOST.fullmatch(value) is not None
