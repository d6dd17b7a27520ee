"""HTTP: the bytes of a connection, cut anywhere, are the same requests, or refused in the same place."""

from typing import Any, NoReturn

from gunicorn.asgi.parser import CallbackRequest

from service.batching.admission import Room
from service.errors import Overloaded
from service.server import head
from service.server.incoming import Incoming
from service.server.parser import Parser
from tests.service.test_smuggling import READ, REFUSED

MOST_BODY, MOST_REQUESTS = 1_000, 5


def refuse(path: str, error: Overloaded) -> NoReturn:
    """There is room for all of them."""
    raise AssertionError(f"{path}: {error}")


class Reader:
    """Reads the requests of a connection, as service/server/protocol.py does."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.incoming: Incoming | None = None
        self.parser = Parser(self.begin, self.take, self.end, limit_remaining=1 << 20)

    def begin(self) -> bool:
        request = CallbackRequest.from_parser(self.parser)
        head.check(request)
        self.incoming = Incoming(request, MOST_BODY, Room().share(), refuse)
        return bool(request.chunked)

    def take(self, chunk: bytes) -> None:
        assert self.incoming is not None
        self.incoming.feed(chunk)

    def end(self) -> None:
        assert self.incoming is not None
        self.incoming.whole = True

    def feed(self, data: bytes) -> None:
        """Take in what came, and all requests that are whole then."""
        while data and len(self.seen) < MOST_REQUESTS:
            self.parser.feed(data)
            if self.incoming is None or not self.incoming.whole:
                return
            made = self.incoming.environ({})
            body = made.pop("wsgi.input").read()
            assert int(made["CONTENT_LENGTH"]) >= len(body), "a body is longer than its length"
            self.seen.append((made, body))
            data, self.incoming = self.parser.remaining(), None
            self.parser.reset()


def outcome(pieces: list[bytes]) -> tuple[list[Any], bool]:
    """The requests in these pieces, and whether the last is none, or a head that has not come to its end.

    Such a head may be refused sooner or later.
    """
    reader = Reader()
    try:
        for piece in pieces:
            reader.feed(piece)
    except Exception as error:
        from tests.fuzz.targets import REFUSALS

        if not isinstance(error, REFUSALS):
            raise
        return reader.seen, True
    finally:
        waits, reader.parser = reader.parser.waits, None
    return reader.seen, waits


def read(data: bytes) -> None:
    """Whole, and cut where the first bytes say."""
    cuts, data = data[:4], data[4:]
    pieces, rest = [], data
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    whole = outcome([data])
    assert outcome([*filter(None, pieces), rest]) == whole, "pieces are read otherwise than the whole"


def seeds() -> list[bytes]:
    """Whatever the tests of smuggling send."""
    return [b"\x05\x10\x20\x03" + text.encode("latin-1", "ignore") for _, text in (REFUSED | READ).values()]
