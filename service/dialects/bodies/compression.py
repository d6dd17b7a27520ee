"""Answers in zstd, gzip or deflate, for those who ask for it in Accept-Encoding (RFC 9110, section 12.5.3).

Whoever does not ask pays nothing. Tensors in bytes stay as they are: compressing floats saves a tenth.
"""

from functools import lru_cache

from flask import Response
from werkzeug.http import parse_accept_header

from service.dialects.bodies.coding import COMPRESSORS, stream
from service.dialects.bodies.forms import MSGPACK
from service.web import current_request

LEAST_BYTES = 500
"""A smaller answer fits a packet as it is."""
EVENTS = "text/event-stream"


def compress(response: Response) -> Response:
    """The response in the coding that its client likes best, where that makes it smaller."""
    environ = current_request().environ
    accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
    if (not accepted and environ["REQUEST_METHOD"] == "POST") or not is_worth_it(response):
        return response
    response.vary.add("Accept-Encoding")
    coding = choose(accepted)
    if coding is not None and not response.is_sequence:
        response.response = stream(coding, response.iter_encoded())
        response.headers["Content-Encoding"] = coding
    elif coding is not None:
        body = response.get_data()
        packed = (packed_once if getattr(response, "lasting", False) else pack)(coding, body)
        if len(packed) < len(body):
            response.set_data(packed)
            response.headers["Content-Encoding"] = coding
            weaken(response)
    return response


def pack(coding: str, body: bytes) -> bytes:
    """A body in a coding."""
    return COMPRESSORS[coding](body)


packed_once = lru_cache(256)(pack)
"""The same of bodies that are sent again and again, which have the attribute `lasting`: the console has a hundred, and
nobody needs a key to see them."""


def is_worth_it(response: Response) -> bool:
    """Whether a response is of a kind that shrinks, and long enough, as far as that is known."""
    return (
        shrinks(response.mimetype or "")
        and "Content-Encoding" not in response.headers
        and (not response.is_sequence or sum(map(len, response.response)) >= LEAST_BYTES)
    )


def shrinks(mimetype: str) -> bool:
    """Whether a type is text, or much like it; events are, but each must be there at once.

    >>> [shrinks(f"application/{one}") for one in ("problem+json", "openmetrics-text", "octet-stream")]
    [True, True, False]
    >>> shrinks("text/html"), shrinks("text/event-stream")
    (True, False)
    """
    if mimetype == EVENTS:
        return False
    return mimetype.endswith(("json", "-text")) or mimetype.startswith("text/") or mimetype == MSGPACK


@lru_cache(256)
def choose(accepted: str) -> str | None:
    """The coding that an Accept-Encoding header likes best, ours first among equals; None: as it is.

    >>> choose("gzip, zstd"), choose("gzip;q=0, *;q=0.5"), choose("identity, gzip;q=0.5"), choose("br")
    ('zstd', 'zstd', None, None)
    """
    qualities = parse_accept_header(accepted)
    best = max(COMPRESSORS, key=qualities.quality)
    return best if qualities.quality(best) >= max(qualities.quality("identity"), 0.001) else None


def weaken(response: Response) -> None:
    """An entity tag that says: the same in meaning, in other bytes."""
    tag, is_weak = response.get_etag()
    if tag is not None and not is_weak:
        response.set_etag(tag, weak=True)
