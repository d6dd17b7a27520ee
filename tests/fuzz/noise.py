"""Requests as they should not be: right ones with something wrong, bombs, and what may be read in two ways."""

import gzip
import io
import json
import random
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgpack
import numpy as np
from PIL import Image

from tests.fuzz import bodies
from tests.service.oip import HEADER

JSON, MSGPACK, NPZ = "application/json", "application/msgpack", "application/x-npz"
TOKENS = [
    *(b"[", b"]", b"{", b"}", b'"', b",", b":", b"\0", b"\xff", b"NaN", b"1e999", b"-", b"null", b"true", b"\\ud800"),
    *(b'{"b64":""}', b"18446744073709551616", b"[[[[", b'"text"', b"\x93NUMPY", b"PK\x01\x02", b"\xdd\xff\xff\xff\xff"),
]
VALUES = [
    None,
    True,
    -1,
    0,
    2**63,
    2**70,
    1e300,
    0.5,
    "",
    "cat",
    "\0",
    "\ud800",
    "a" * 5000,
    [],
    {},
    [[]],
    [1] * 100,
    [None],
]
STRANGE: Mapping[str, Sequence[str]] = {
    "Content-Type": [JSON, MSGPACK, NPZ, "text/plain", ";;;", "a" * 2000],
    "Content-Encoding": ["gzip", "deflate", "zstd", "br", "gzip, zstd", "identity", "gzip, gzip, gzip", ""],
    "Accept": ["*/*", NPZ, MSGPACK, "text/html;q=0.5", ",;q=x", "a/b," * 500],
    "Accept-Encoding": ["gzip", "zstd;q=0", "*;q=nan", "identity;q=0"],
    "X-Request-Timeout": ["0", "-1", "nan", "1e999", "0.0001", "5", "\xb2"],
    "X-Request-Id": ["a" * 200, "x\ty", "\xff"],
    HEADER: ["0", "1", "-1", "999999999999", "x"],
    "Expect": ["100-continue", "nothing"],
    "Origin": ["null", "https://example.org"],
}


@dataclass(frozen=True)
class Asked:
    """A POST."""

    path: str
    body: bytes
    headers: Mapping[str, str]

    def wire(self) -> bytes:
        """As it goes over the socket."""
        given = {"Host": "x", **self.headers, "Content-Length": str(len(self.body))}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


def right(examples: Mapping[str, Any]) -> list[Asked]:
    """Requests that are answered: the examples of models in JSON and MessagePack, and the toys' in every dialect."""
    found = []
    for model, row in examples.items():
        found += [
            Asked(f"/predict/{model}", json.dumps(row).encode(), {}),
            Asked(f"/predict/{model}", json.dumps([row, row]).encode(), {}),
            Asked(f"/predict/{model}", msgpack.packb(row), {"Content-Type": MSGPACK}),
            Asked(f"/v1/models/{model}:predict", json.dumps({"instances": [row]}).encode(), {}),
        ]
    paths: list[tuple[Callable[[], list[bytes]], str, dict[str, str]]] = [
        (bodies.instances, "/v1/models/{}:predict", {}),
        (bodies.inputs, "/v1/models/{}:predict", {}),
        (bodies.examples, "/v1/models/{}:classify", {}),
        (bodies.packed, "/predict/{}", {"Content-Type": MSGPACK}),
        (bodies.files, "/predict/{}", {"Content-Type": NPZ}),
        (bodies.inferences, "/v2/models/{}/infer", {}),
    ]
    for make, path, headers in paths:
        for body in make():
            if body[0] > 1:
                continue  # no such model is served
            rest, more = body[1:], dict(headers)
            if make is bodies.inferences:
                length, rest = int.from_bytes(rest[:2], "big"), rest[2:]
                more |= {HEADER: str(length)} if length else {}
            found.append(Asked(path.format(("toy", "shop")[body[0]]), rest, more))
    return found


def broken(chance: random.Random, body: bytes, other: bytes) -> bytes:
    """With a few bytes otherwise, gone, doubled, or those of another body."""
    for _ in range(chance.choice([1, 1, 2, 4, 8])):
        at = chance.randrange(len(body) + 1)
        upto = min(len(body), at + chance.choice([1, 2, 8, 64]))
        match chance.randrange(6):
            case 0:
                body = body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
            case 1:
                body = body[:at] + body[upto:]
            case 2:
                body = body[:at] + body[at:upto] * chance.choice([2, 3, 100]) + body[upto:]
            case 3:
                body = body[:at] + chance.choice(TOKENS) + body[at:]
            case 4:
                body = body[:at] + other[chance.randrange(len(other) + 1) :]
            case 5:
                body = body[:at]
    return body


def twisted(chance: random.Random, body: bytes) -> bytes:
    """JSON in which one value is another; what is no JSON as it is."""
    try:
        top = [json.loads(body)]
    except ValueError:
        return body
    inner: Any = top
    key: Any = 0
    while isinstance(inner[key], dict | list) and inner[key] and chance.random() < 0.8:
        inner = inner[key]
        key = chance.choice(list(inner)) if isinstance(inner, dict) else chance.randrange(len(inner))
    inner[key] = chance.choice([*VALUES, [inner[key]], {"b64": inner[key]}, [inner[key]] * 40])
    return json.dumps(top[0]).encode()


def hostile(chance: random.Random, rights: Sequence[Asked]) -> Asked:
    """A right request with something wrong in its body, its headers or its path."""
    one, other = chance.choice(rights), chance.choice(rights)
    path, body, headers = one.path, one.body, dict(one.headers)
    body = twisted(chance, body) if chance.random() < 0.5 else broken(chance, body, other.body)
    if chance.random() < 0.3:
        name = chance.choice(list(STRANGE))
        headers[name] = chance.choice(STRANGE[name])
    if chance.random() < 0.1:
        path = chance.choice([other.path, path + "?top=-1&x=%00", path + "?outputs=" + "a," * 900, "/%zz", path + "/"])
    return Asked(path, body, headers)


@cache
def bombs() -> list[Asked]:
    """A few bytes that claim gigabytes or hours."""
    toy, shop = "/predict/toy", "/predict/shop"
    picture, file = io.BytesIO(), io.BytesIO()
    Image.new("1", (4800, 3200)).save(picture, "PNG")
    np.savez_compressed(file, text=np.zeros((1, 50_000_000), "i1"))
    photos = [{"photo": picture.getvalue(), "fabric": 0, "worn": [[0, 1]]}] * 20
    return [
        Asked(toy, gzip.compress(bytes(100_000_000)), {"Content-Encoding": "gzip"}),
        Asked(toy, gzip.compress(gzip.compress(bytes(100_000_000))), {"Content-Encoding": "gzip, gzip"}),
        Asked(toy, gzip.compress(b"") * 50_000, {"Content-Encoding": "gzip"}),
        Asked(toy, zlib.compress(b"[" * 10_000_000), {"Content-Encoding": "deflate"}),
        Asked(toy, b"[" + b"[]," * 2_000_000 + b"[]]", {}),
        Asked(toy, b'{"a":1,' * 300_000, {}),
        Asked(toy, json.dumps({f"a{number}": 1 for number in range(100_000)}).encode(), {}),
        Asked(toy, json.dumps({"text": "a " * 1_000_000, "numbers": [1, 2, 3]}).encode(), {}),
        Asked(toy, struct.pack(">BI", 0xDD, 3_000_000) + b"\x90" * 3_000_000, {"Content-Type": MSGPACK}),
        Asked(toy, b"\xdd\xff\xff\xff\xff" * 1_000, {"Content-Type": MSGPACK}),
        Asked(toy, file.getvalue(), {"Content-Type": NPZ}),
        Asked(shop, msgpack.packb(photos), {"Content-Type": MSGPACK}),
        Asked("/v1/models/toy:predict", json.dumps({"instances": [1] * 500_000}).encode(), {}),
        Asked("/v1/models/toy:classify", json.dumps({"examples": [{}] * 500_000}).encode(), {}),
        Asked("/v2/models/toy/infer", json.dumps({"inputs": [{"name": "w"}] * 100_000}).encode(), {}),
    ]
