"""One function per parser: whatever bytes it is given, it returns, or raises a ServiceError; all else is a finding."""

import contextlib
import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from backports import zstd
from gunicorn.asgi.parser import ParseError
from gunicorn.http.errors import ParseException
from gunicorn_h1c import ParseError as FastError
from gunicorn_h1c import _protocol
from PIL import Image
from werkzeug.datastructures import MultiDict

from service import card, images, schemas
from service.dialects import exchange, native
from service.dialects.bodies import coding, compression, forms, numbers
from service.dialects.oip import binary
from service.dialects.oip import request as oip
from service.dialects.tfs import examples, routes
from service.dialects.tfs.tensors import from_inputs, from_instances
from service.errors import ServiceError
from service.grpc import calls, requests
from service.grpc import examples as grpc_examples
from service.handle import ModelHandle
from service.nested import Misfit
from service.text import Tokenizer, words
from tests.fuzz import bodies, connection
from tests.fuzz.models import SETTINGS, handles
from tests.service.test_numbers import listed

REFUSALS = (ServiceError, Misfit, ParseError, ParseException, FastError, _protocol.ParseError)
"""What a parser may raise: each is answered with a 4xx."""


@dataclass(frozen=True)
class Target:
    """A parser, bodies that it takes, and how many cases `make fuzz` tries."""

    read: Callable[[bytes], Any]
    seeds: Callable[[], Sequence[bytes]]
    cases: int = 50_000

    def __call__(self, data: bytes) -> None:
        """One case; what is raised is a finding."""
        with contextlib.suppress(*REFUSALS):
            self.read(data)


def of(read: Callable[[ModelHandle, bytes], Any]) -> Callable[[bytes], Any]:
    """What reads the body of the model that the first byte names."""
    return lambda data: read(handles()[data[0] % len(handles())], data[1:]) if data else None


def predict(handle: ModelHandle, body: bytes) -> None:
    asked = routes.envelope(exchange.parse_rows(body), "'instances' or 'inputs'")
    routes.check_signature(handle, routes.signature(asked))
    if routes.is_by_row(asked):
        from_instances(handle, asked["instances"])
    else:
        from_inputs(handle, asked["inputs"])


def classify(handle: ModelHandle, body: bytes) -> None:
    asked = routes.envelope(exchange.parse(body), "'examples'")
    routes.head_signature(handle, asked)
    examples.read(handle, asked, "classify")


def infer(handle: ModelHandle, body: bytes) -> None:
    length = int.from_bytes(body[:2], "big")
    head, data = binary.split(body[2:], str(length) if length else None)
    if length or not body[2:].startswith(b"\0"):
        oip.read(handle, exchange.parse_rows(head), data)
    else:
        oip.read(handle, *binary.raw(handle.signature, memoryview(body[3:])))


def both(data: bytes) -> None:
    """orjson and simdjson see the same, or simdjson leaves it to orjson."""
    try:
        fast = numbers.loads(data)
    except Exception:
        return
    assert listed(fast) == orjson.loads(data), "simdjson reads what orjson does not"


def inflate(data: bytes) -> None:
    names = ["gzip", "deflate", "zstd", "gzip, deflate", "zstd, zstd", "x-gzip", "identity", "br"]
    inflated = coding.inflate(data[1:], names[data[0] % len(names)] if data else "gzip", 10_000)
    assert len(inflated) <= 10_000 or data[0] % len(names) == names.index("identity"), "more than the limit"


def picture(data: bytes) -> None:
    dims = ((4, 6, 3), (8, 8), (6, 4))[data[0] % 3] if data else (1, 1)
    before = images.pixels_left.set(1_000_000)
    try:
        assert images.decode(data[1:], dims).shape == dims
    finally:
        images.pixels_left.reset(before)


def words_of(data: bytes) -> None:
    text = data.decode(errors="replace")
    ids = vocabulary().encode(text)
    assert ids.dtype == np.int32
    assert len(ids) == len(words(text)) == len(" ".join(map(bytes.decode, words(text))).split(" ")) - (not words(text))


@cache
def vocabulary() -> Tokenizer:
    return Tokenizer(b"\n[UNK]\nthe\ncat\nsat")


def headers(data: bytes) -> None:
    text = data.decode("latin1")
    for value in text.split("\n", 2):
        assert forms.sent(value) in forms.FORMS.values()
        assert forms.wanted(value, forms.NPZ) in forms.FORMS.values()
        assert compression.choose(value) in (None, *coding.COMPRESSORS)


def query(data: bytes) -> None:
    names, _, rest = data.decode("latin1").partition("\n")
    pairs = MultiDict(pair.partition("=")[::2] for pair in rest.split("&"))
    schemas.query(pairs)
    schemas.output_names(names, ["age", "gender"])


def grpc_predict(handle: ModelHandle, body: bytes) -> None:
    requests.read(handle, calls.parse(bodies.PredictRequest, body), SETTINGS.max_body_bytes)


def grpc_classify(handle: ModelHandle, body: bytes) -> None:
    grpc_examples.read(handle, calls.parse(bodies.ClassificationRequest, body).input)


@cache
def folder() -> Path:
    path = Path(tempfile.mkdtemp(prefix="fuzz-card-"))
    (path / card.CARD).parent.mkdir(parents=True, exist_ok=True)
    return path


def read_card(data: bytes) -> None:
    (folder() / card.CARD).write_bytes(data)
    read = card.read(folder())
    for handle in handles():
        assert all(isinstance(line, str) for line in card.disagreements(read, handle.signature))


def compressed() -> list[bytes]:
    body = b'{"x": [1, 2, 3]}' * 3
    one = [gzip.compress(body), zlib.compress(body), zstd.compress(body)]
    return [*bodies.marked(one), b"\3" + zlib.compress(one[0]), b"\0" + one[0] * 2, b"\7" + body]


def drawn() -> list[bytes]:
    found = []
    for mode, kind in (("RGB", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("I;16", "PNG"), ("P", "PNG"), ("RGB", "JPEG")):
        file = io.BytesIO()
        Image.new(mode, (6, 4)).save(file, kind)
        found.append(b"\0" + file.getvalue())
    return found


def cards() -> list[bytes]:
    return [json.dumps(dict(handle.card.document)).encode() for handle in handles() if handle.card.document]


def long_lists() -> list[bytes]:
    texts = [[1.5] * 70, [[1] * 9] * 9, {"x": [[0.5] * 16] * 6, "y": "z"}, [[[1] * 9] * 9, [[2] * 9] * 8], [[], {}]]
    return [json.dumps(text).encode() for text in texts]


TARGETS: dict[str, Target] = {
    "json": Target(of(lambda handle, body: native.read(handle, forms.JSON, body, SETTINGS)), bodies.native),
    "json-twice": Target(both, long_lists, 200_000),
    "msgpack": Target(of(lambda handle, body: native.read(handle, forms.MSGPACK, body, SETTINGS)), bodies.packed),
    "npz": Target(of(lambda handle, body: native.read(handle, forms.NPZ, body, SETTINGS)), bodies.files),
    "v2": Target(of(infer), bodies.inferences),
    "v1-rows": Target(of(predict), bodies.instances),
    "v1-columns": Target(of(predict), bodies.inputs),
    "v1-examples": Target(of(classify), bodies.examples),
    "grpc-predict": Target(of(grpc_predict), bodies.messages),
    "grpc-examples": Target(of(grpc_classify), bodies.classifications),
    "inflate": Target(inflate, compressed, 100_000),
    "images": Target(picture, drawn),
    "headers": Target(headers, lambda: [b"application/x-npz, */*;q=0.1\ngzip;q=0, *;q=0.5\nzstd", b"text/html;a=b"]),
    "query": Target(query, lambda: [b"age, gender\nversion=1&top=3&outputs=age", b"x\ntop=-1&&=&version=\xd9\xa5"]),
    "words": Target(words_of, lambda: [b"The CAT, sat.", "Über \u3000\0".encode()], 200_000),
    "card": Target(read_card, cards, 20_000),
    "http": Target(connection.read, connection.seeds, 100_000),
}
