"""The page Live over service/live/: what the last hour was like, and what comes.

GET /console/live            the page
GET /console/live/samples    what came after a second        ?after=1767225600, or ?after=1767225600@pod-7:8000
GET /console/live/events     the same, and what comes        Last-Event-ID, or ?after=

Each server knows its own samples. Who has seen those of another, behind a balancer, gets all: he cannot add to his.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app

from service.console.page import page
from service.errors import Fault, InvalidInput, StreamsTaken
from service.live.history import NEVER, History
from service.live.streams import Streams
from service.metrics import families
from service.settings import Settings
from service.versions.catalog import Catalog
from service.web import current_request
from service.wording import MOST_ECHOED

MOST_DIGITS = 12
"""Of a second since 1970."""
PARKED = 64
"""Streams of a worker that holds no thread for one."""
THREADS = 8
"""A worker that does has one for so many threads at most, and never more than these:"""
FEW = 4


def history() -> History:
    """Of this app's server; an app that nobody watches has none."""
    found: History = current_app.extensions.get("history", NEVER)
    return found


def described(catalog: Catalog) -> dict[str, Any]:
    """What the page knows before it has seen a sample: the server, the models, and the bounds of the buckets."""
    titles = {one.handle.model: one.handle.card.title for one in catalog.served() if one.handle is not None}
    return {
        "server": history().server,
        "models": {model: titles.get(model) or model for model in catalog.models()},
        "seconds": families.SECONDS,
        "rows": families.ROWS,
    }


def mount(console: Blueprint, catalog: Catalog, settings: Settings) -> None:
    """Add the page to the console, and what its script asks for."""

    @console.get("/console/live")
    def watch() -> Response:
        return page("live.html", here="live", live=described(catalog))

    @console.get("/console/live/samples")
    def samples() -> Response:
        seen = after(current_request().args.get("after", ""))
        return Response(listed(history().after(seen)), mimetype="application/json")

    @console.get("/console/live/events")
    def events() -> Response:
        request = current_request()
        seen = after(request.headers.get("Last-Event-ID") or request.args.get("after", ""))
        streams: Streams | None = current_app.extensions.get("streams")
        connection = request.environ.get("gunicorn.socket")
        if streams is None or not streams.enter(most(request.environ, streams.parks(), settings.threads), connection):
            raise StreamsTaken("no more pages can follow this worker; ask for /console/live/samples now and then")
        response = Response(streams.events(seen), mimetype="text/event-stream")
        response.call_on_close(partial(streams.leave, connection))
        response.headers["X-Accel-Buffering"] = "no"  # nginx would keep back what is to be seen at once
        return response


def after(text: str) -> int:
    """The second up to which a client has seen, 0 for none, and if they were of another server; InvalidInput."""
    second, _, server = text.partition("@")
    if second and not (second.isascii() and second.isdecimal() and len(second) <= MOST_DIGITS):
        raise InvalidInput([Fault("?/after", f"expected a second since 1970, got {second[:MOST_ECHOED]!r}")])
    return int(second or 0) if server in ("", history().server) else 0


def listed(parts: Iterable[list[str]]) -> Iterator[bytes]:
    """All samples as one list, file by file: an hour of many models is 2 MB, and others are answered in between.

    >>> b"".join(listed([['{"at":6}', '{"at":7}'], ['{"at":8}']])), b"".join(listed([]))
    (b'[{"at":6},{"at":7},{"at":8}]', b'[]')
    """
    before = "["
    for lines in parts:
        yield f"{before}{','.join(lines)}".encode()
        before = ","
    yield b"]" if before == "," else b"[]"


def most(environ: Mapping[str, Any], parks: bool, threads: int) -> int:
    """How many streams a worker has at most: none where one would keep all others waiting.

    >>> most({}, True, 1), most({"wsgi.multithread": True}, False, 32), most({"wsgi.multithread": False}, False, 32)
    (64, 4, 0)
    """
    if parks:
        return PARKED
    return min(FEW, threads // THREADS) if environ.get("wsgi.multithread") else 0
