"""A response on its way to the socket (RFC 9112): status line, headers, and a body of known length or in chunks."""

import time
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate

Headers = Sequence[tuple[str, str]]
Write = Callable[[bytes], None]

JOINED_BYTES = 65_536
"""A body up to this size is copied, so that it leaves in one piece with its head."""


class _Date:
    second = 0
    line = ""


def date() -> str:
    """The Date field of this second."""
    now = int(time.time())
    if now != _Date.second:
        _Date.second, _Date.line = now, f"Date: {formatdate(now, usegmt=True)}\r\n"
    return _Date.line


def head(status: str, headers: Headers, added: str = "") -> bytes:
    """Status line and headers; `added` are more of these, each with its line end. ValueError where one breaks its line.

    >>> head("204 No Content", [("Allow", "GET")], "Connection: close\\r\\n").splitlines()[:3]
    [b'HTTP/1.1 204 No Content', b'Allow: GET', b'Connection: close']
    """
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if fields.count("\n") != len(headers) or fields.count("\r") != len(headers) or "\0" in fields:
        raise ValueError("a response header has a line break in it")
    return f"HTTP/1.1 {status}\r\n{fields}{added}{date()}\r\n".encode("latin1")


def chunk(body: bytes) -> bytes:
    """A part of a body whose length is not known before (RFC 9112, section 7.1).

    >>> chunk(b"0123456789")
    b'a\\r\\n0123456789\\r\\n'
    """
    return b"%x\r\n%b\r\n" % (len(body), body)


def has_no_body(method: str, status: str) -> bool:
    """Whether a response never has a body, whatever its headers say (RFC 9110, section 6.4.1).

    >>> has_no_body("GET", "204 No Content"), has_no_body("GET", "200 OK"), has_no_body("HEAD", "200 OK")
    (True, False, True)
    """
    return method == "HEAD" or status[:3] in ("204", "304") or status[0] == "1"


def has_length(headers: Headers) -> bool:
    """Whether a response says how long its body is.

    >>> has_length([("Content-Length", "3")]), has_length([])
    (True, False)
    """
    return any(name.lower() == "content-length" for name, _ in headers)


def is_events(headers: Headers) -> bool:
    """Whether a response is a stream of events, which has no end of its own.

    >>> is_events([("Content-Type", "text/event-stream; charset=utf-8")]), is_events([("Content-Type", "text/html")])
    (True, False)
    """
    return any(name.lower() == "content-type" and value.startswith("text/event-stream") for name, value in headers)


def send(write: Write, start: bytes, body: bytes) -> None:
    """A response whose whole body is there, after its head."""
    if len(body) <= JOINED_BYTES:
        write(start + body)
    else:
        write(start)
        write(body)


def stream(write: Write, start: bytes, parts: Iterable[bytes], chunked: bool) -> None:
    """A response that is sent as it is made, after its head: in chunks, or until the connection closes."""
    write(start)
    for part in parts:
        if part:
            write(chunk(part) if chunked else part)
    if chunked:
        write(b"0\r\n\r\n")
