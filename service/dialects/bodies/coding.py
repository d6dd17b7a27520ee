"""Content codings (RFC 9110, section 8.4): gzip, deflate and zstd, of request bodies and of answers.

A small body can inflate to gigabytes: no more than one byte over the limit is ever made of it.
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from backports import zstd

from service.errors import BodyTooLarge, MalformedBody, UnsupportedCoding

GZIP, ZLIB, RAW = 31, 15, -15
"""What zlib.decompressobj calls them: window bits."""
MOST_CODINGS = 2
"""Codings one upon another; each inflates what the last gave."""
MOST_FRAMES = 100
"""Of one coding, one after another: before each, the rest of the body is copied, and an empty one has 20 bytes."""
FAST = 1
"""The level at which answers are compressed: others wait meanwhile, and higher levels gain little on numbers."""


def inflate(body: bytes, codings: str, limit: int) -> bytes:
    """A body as it was before its codings, a Content-Encoding header, last applied last.

    UnsupportedCoding of an unknown one, MalformedBody of bytes that are not in it, BodyTooLarge above `limit` bytes.

    >>> inflate(zlib.compress(b"{}"), "deflate", 10)
    b'{}'
    """
    names = [known(name) for name in codings.lower().split(",") if name.strip() not in ("", "identity")]
    if len(names) > MOST_CODINGS:
        raise unsupported("so many content codings")
    for name in reversed(names):
        try:
            body = frames(INFLATERS[name], body, limit)
        except (zlib.error, zstd.ZstdError) as error:
            raise MalformedBody(f"the body is not {name}: {error}") from None
        except EOFError:
            raise MalformedBody(f"the body breaks off: its {name} has no end") from None
    return body


def known(name: str) -> str:
    """A coding of which the body can be read; gzip is what contains its name, as for TensorFlow Serving.

    >>> known("x-gzip"), known(" zstd")
    ('gzip', 'zstd')
    """
    name = "gzip" if "gzip" in name else name.strip()
    if name not in INFLATERS:
        raise unsupported(f"the content coding {name[:40]!r}")
    return name


def unsupported(what: str) -> UnsupportedCoding:
    """That something is not read, and what is."""
    return UnsupportedCoding(f"{what} is not read here; send {', '.join(INFLATERS)} or none")


def frames(start: Callable[[bytes], Any], body: bytes, limit: int) -> bytes:
    """All frames of a body, one after another; EOFError if the last is not whole."""
    parts: list[bytes] = []
    room = limit
    while body:
        if len(parts) == MOST_FRAMES:
            raise MalformedBody(f"the body is compressed in more than {MOST_FRAMES} pieces; compress it as one")
        frame = start(body)
        part = frame.decompress(body, room + 1)
        room -= len(part)
        if room < 0:
            raise BodyTooLarge(f"the body inflates to more than {limit} bytes; send fewer rows at a time")
        if not frame.eof:
            raise EOFError
        parts.append(part)
        body = frame.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


def deflate(body: bytes) -> Any:
    """The decompressor of a deflate body: zlib's as the standard says, or raw, as many senders have it.

    A zlib stream begins with a number divisible by 31 whose low four bits are 8 (RFC 1950, section 2.2).
    """
    is_zlib = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return zlib.decompressobj(ZLIB if is_zlib else RAW)


INFLATERS: Mapping[str, Callable[[bytes], Any]] = {
    "gzip": lambda _: zlib.decompressobj(GZIP),
    "deflate": deflate,
    "zstd": lambda _: zstd.ZstdDecompressor(),
}

COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": partial(zstd.compress, level=FAST),
    "gzip": partial(gzip.compress, compresslevel=FAST, mtime=0),
    "deflate": partial(zlib.compress, level=FAST),
}
"""The best first."""

STREAMS: Mapping[str, Callable[[], Any]] = {
    "zstd": partial(zstd.ZstdCompressor, level=FAST),
    "gzip": partial(zlib.compressobj, FAST, wbits=GZIP),
    "deflate": partial(zlib.compressobj, FAST),
}
"""The same for a body that is made as it is sent."""


def stream(coding: str, parts: Iterable[bytes]) -> Iterator[bytes]:
    """A body in a coding, part by part.

    >>> inflate(b"".join(stream("gzip", [b"1", b"2"])), "gzip", 2)
    b'12'
    """
    compressor = STREAMS[coding]()
    for part in parts:
        yield compressor.compress(part)
    yield compressor.flush()
