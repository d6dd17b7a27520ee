"""What might be read as one request here and as two elsewhere, or the other way round, over real sockets.

Each is refused and the connection closed, or read in the only way that RFC 9112 allows.
"""

import contextlib
import re
import socket
from collections.abc import Iterator

import pytest

from tests.service import artifacts
from tests.service.server import Server, running

GET, OLD_GET = "GET /healthz HTTP/1.1\r\nHost: x\r\n", "GET /healthz HTTP/1.0\r\n"
POST = "POST /predict/nobody HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"
HIDDEN = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
"""Is never to be answered."""
END = GET + "Connection: close\r\n\r\n"
"""What follows on the connection where it lives on."""


def sized(length: str, body: str = "{   }") -> str:
    return f"{POST}Content-Length: {length}\r\n\r\n{body}"


def coded(coding: str, line: str = POST) -> str:
    return f"{line}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"


def target(path: str, method: str = "GET") -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n"


REFUSED = {
    "length and chunks": (400, POST + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG" + HIDDEN),
    "chunks and length": (400, POST + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + HIDDEN),
    "two equal lengths": (400, POST + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
    "two lengths": (400, POST + "Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}" + HIDDEN),
    "a list of lengths": (400, sized("5, 5")),
    "a plus": (400, sized("+5")),
    "a minus": (400, sized("-1")),
    "an underscore": (400, sized("1_0")),
    "hexadecimal": (400, sized("0x5")),
    "no length": (400, sized("")),
    "digits of elsewhere": (400, sized("٥")),
    "a length of 2^64 + 5": (400, sized("18446744073709551621") + HIDDEN),
    "a length of 10^18": (400, sized("1000000000000000000")),
    "a space before the colon": (400, POST + "Content-Length : 2\r\n\r\n{}"),
    "xchunked": (400, coded("xchunked")),
    "chunked twice": (400, coded("chunked\r\nTransfer-Encoding: chunked")),
    "chunked, chunked": (400, coded("chunked, chunked")),
    "gzip and chunked": (501, coded("gzip, chunked")),
    "gzip and chunked in two lines": (501, coded("gzip\r\nTransfer-Encoding: chunked")),
    "nothing and chunked": (501, coded(",chunked")),
    "chunked before gzip": (400, coded("chunked, gzip")),
    "identity": (400, coded("identity")),
    "a vertical tab": (400, coded("\vchunked")),
    "chunks in HTTP/1.0": (400, coded("chunked", POST.replace("1.1", "1.0"))),
    "a chunk of 2^64 + 2": (400, CHUNKED + "10000000000000002\r\n{}\r\n0\r\n\r\n" + HIDDEN),
    "a chunk of less than nothing": (400, CHUNKED + "-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk of plus two": (400, CHUNKED + "+2\r\n{}\r\n0\r\n\r\n"),
    "a chunk of no size": (400, CHUNKED + "\r\n{}\r\n0\r\n\r\n"),
    "a space behind a chunk's size": (400, CHUNKED + "2 \r\n{}\r\n0\r\n\r\n"),
    "a line feed in an extension": (400, CHUNKED + "2;a\nb\r\n{}\r\n0\r\n\r\n"),
    "an extension without end": (400, CHUNKED + "2;" + "a" * 2000),
    "a chunk that runs on": (400, CHUNKED + "2\r\n{}0\r\n\r\n"),
    "a chunk that ends otherwise": (400, CHUNKED + "2\r\n{}XX0\r\n\r\n"),
    "chunks with line feeds": (400, CHUNKED + "2\n{}\n0\n\n"),
    "a trailer that is none": (400, CHUNKED + "0\r\nno trailer\r\n\r\n"),
    "a hundred and one trailers": (400, CHUNKED + "0\r\n" + "A: b\r\n" * 101 + "\r\n"),
    "line feeds alone": (400, GET.replace("\r", "") + "\n"),
    "a line feed in a header": (400, GET + "A: b\nContent-Length: 5\r\n\r\n"),
    "a carriage return in a header": (400, GET + "A: b\rC: d\r\n\r\n"),
    "a header over two lines": (400, GET + "A: b\r\n c\r\n\r\n"),
    "a first header that goes on": (400, "GET /healthz HTTP/1.1\r\n Host: x\r\n\r\n"),
    "a header without a colon": (400, GET + "A\r\n\r\n"),
    "a header without a name": (400, GET + ": b\r\n\r\n"),
    "a NUL in a value": (400, GET + "A: b\0c\r\n\r\n"),
    "a NUL in a name": (400, GET + "A\0: b\r\n\r\n"),
    "a NUL in a target": (400, target("/hea\0lthz")),
    "no host": (400, "GET /healthz HTTP/1.1\r\n\r\n"),
    "two hosts": (400, GET + "Host: y\r\n\r\n"),
    "a host that is none": (400, "GET /healthz HTTP/1.1\r\nHost: x y\r\n\r\n"),
    "a user before the host": (400, target("http://a@b/healthz")),
    "another scheme": (400, target("ftp://x/healthz")),
    "a target that is an authority": (400, target("x:80")),
    "a target that is a star": (400, target("*")),
    "a target beyond ASCII": (400, target("/é")),
    "a space in the target": (400, target("/healthz x")),
    "a tab in the line": (400, "GET\t/healthz\tHTTP/1.1\r\nHost: x\r\n\r\n"),
    "a method in small letters": (400, target("/healthz", "get")),
    "half a version": (400, "GET /healthz H4\r\n\r\n"),
    "HTTP/0.9": (400, "GET /healthz\r\n\r\n"),
    "HTTP/1.2": (400, GET.replace("1.1", "1.2") + "\r\n"),
    "HTTP/2": (400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": (400, "\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03" + "\0" * 100 + "\r\n\r\n"),
    "the line of a proxy": (400, "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + GET + "\r\n"),
    "a long line": (414, target("/" + "a" * 4094)),
    "a line without end": (414, "GET /" + "a" * 70_000),
    "a long header": (431, GET + "A: " + "a" * 8200 + "\r\n\r\n"),
    "a header without end": (431, GET + "A: " + "a" * 70_000),
    "more than a hundred headers": (431, GET + "A: b\r\n" * 100 + "\r\n"),
}
READ = {
    "a length with zeros before it": (404, sized("005")),
    "spaces before a length": (404, sized("   5")),
    "chunks": (404, CHUNKED + "2\r\n{}\r\n0\r\n\r\n"),
    "chunks in a larger spelling": (404, coded("\tCHUNKED ")),
    "an extension": (404, CHUNKED + '2 ;a="b"\r\n{}\r\n0\r\n\r\n'),
    "a trailer": (404, CHUNKED + "2\r\n{}\r\n0\r\nContent-Length: 99\r\n\r\n"),
    "a header of another name": (404, POST + "Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}"),
    "a body where none is wanted": (200, GET + f"Content-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}"),
    "a whole URL": (200, target("http://x/healthz")),
    "an expectation nobody knows": (404, POST + "Expect: the-unexpected\r\nContent-Length: 2\r\n\r\n{}"),
    "an upgrade to HTTP/2": (200, GET + "Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n"),
    "an upgrade to web sockets": (200, GET + "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
    "a line as long as may be": (404, target("/" + "a" * (4094 - len("GET / HTTP/1.1\r\n")))),
    "a hundred headers": (200, GET + "A: b\r\n" * 99 + "\r\n"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("smuggling")
    artifacts.toy(root / "store")
    with running(root / "store", root / "log", workers=1, engine="onnx") as server:
        yield server


def statuses(server: Server, data: str) -> list[int]:
    """Of all that is answered until the connection is closed, which it is at last."""
    with server.connect() as connection:
        with contextlib.suppress(ConnectionError):  # it is closed before all is sent
            connection.sendall(data.encode("latin-1", "ignore") if "٥" not in data else data.encode())
        received = b""
        with contextlib.suppress(ConnectionError):  # or before all was read
            while more := connection.recv(65536):
                received += more
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", received)]


@pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED)
def test_what_may_be_read_in_two_ways_is_refused_and_the_connection_closed(server: Server, status, data):
    assert statuses(server, data) == [status]


@pytest.mark.parametrize(("status", "data"), READ.values(), ids=READ)
def test_what_can_be_read_in_one_way_is_and_the_next_request_is_answered(server: Server, status, data):
    assert statuses(server, data + END) == [status, 200]


def test_what_follows_a_right_request_is_refused_if_it_is_none(server: Server):
    assert statuses(server, GET + "\r\n\0\1garbage\r\n\r\n" + END) == [200, 400]


def test_an_old_client_needs_no_host(server: Server):
    assert statuses(server, OLD_GET + "\r\n") == [200]


def test_who_says_that_a_body_comes_and_leaves_hurts_nobody(server: Server):
    for _ in range(20):
        with server.connect() as connection:
            connection.sendall(sized("1000").encode())
            connection.shutdown(socket.SHUT_RDWR)
    assert statuses(server, END) == [200]
