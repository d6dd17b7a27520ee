"""Every limit, at it and one beyond: what a few bytes may claim, and what millions of them may cost."""

import gzip
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from backports import zstd
from PIL import Image

from service import images, schemas, text
from service.dialects import exchange
from service.dialects.bodies import coding, columns, crowd, npz, packed
from service.dialects.oip import binary
from service.dialects.tfs import examples
from service.errors import BodyTooLarge, InvalidInput, MalformedBody
from service.fields.image import MOST_PIXELS_AT_ONCE
from service.grpc import tensors as grpc_tensors
from service.grpc.health import MOST_WATCHING
from service.nested import Misfit
from service.server import chunks, head
from service.server.patience import HEAD_SECONDS, LEAST_RATE
from service.server.protocol import AHEAD_BYTES
from tests.service import described
from tests.service.oip import HEADER
from tests.service.site import MAX_BODY_BYTES, Site

LIMITS = {
    "lists and objects of a body": crowd.MOST,
    "depth": 1024,
    "codings of a body": coding.MOST_CODINGS,
    "pieces of a compressed body": coding.MOST_FRAMES,
    "arrays of an .npz file": npz.MOST_MEMBERS,
    "header of an array in it": npz.MOST_HEADER,
    "axes of a MessagePack tensor": packed.MOST_AXES,
    "strings of a tensor": binary.MOST_STRINGS,
    "characters of a text": text.MOST_CHARACTERS,
    "features of an example": examples.MOST_FEATURES,
    "pixels of a picture": images.MOST_PIXELS,
    "pixels of all pictures of a request": MOST_PIXELS_AT_ONCE,
    "faults that an answer names": schemas.MOST_FAULTS,
    "bytes of a head": head.MOST_BYTES,
    "seconds of a head": int(HEAD_SECONDS),
    "bytes a second of a body that comes, or an answer that goes": LEAST_RATE,
    "bytes that wait behind a request": AHEAD_BYTES,
    "who watches the health over gRPC, in a worker": MOST_WATCHING,
    "bytes of a line among chunks": chunks.MOST_LINE,
    "trailers": chunks.MOST_TRAILERS,
}


def test_the_document_lists_every_limit_as_it_is():
    document = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
    for name, limit in LIMITS.items():
        assert f"| {name} | {limit:,} |" in document, name


CODINGS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}


@pytest.mark.parametrize("name", CODINGS)
class TestCompressed:
    def test_it_may_inflate_to_the_limit(self, name):
        body = CODINGS[name](bytes(1000))
        assert coding.inflate(body, name, 1000) == bytes(1000)
        with pytest.raises(BodyTooLarge):
            coding.inflate(body, name, 999)

    def test_two_codings_each_keep_the_limit(self, name):
        body = CODINGS[name](CODINGS[name](bytes(1000)))
        assert coding.inflate(body, f"{name}, {name}", 1000) == bytes(1000)
        with pytest.raises(BodyTooLarge):
            coding.inflate(body, f"{name}, {name}", 999)

    def test_a_piece_after_the_last_counts(self, name):
        one = CODINGS[name](bytes(10))
        assert coding.inflate(one * coding.MOST_FRAMES, name, 10_000) == bytes(10 * coding.MOST_FRAMES)
        with pytest.raises(MalformedBody, match="pieces"):
            coding.inflate(one * (coding.MOST_FRAMES + 1), name, 10_000)
        with pytest.raises(MalformedBody, match=r"breaks off|is not"):
            coding.inflate(one + b"\x1f", name, 10_000)


@pytest.fixture(scope="module")
def site(toy_folder: Path, shop_folder: Path) -> Site:
    return described.site(toy_folder, shop_folder)


FAKE: dict[str, tuple[str, Any]] = {
    "/predict/fake": ("y", {"x": [1]}),
    "/v1/models/fake:predict": ("predictions", {"instances": [[1]]}),
    "/v2/models/fake/infer": (
        "outputs",
        {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [1]}]},
    ),
}


@pytest.mark.parametrize("path", FAKE)
def test_a_body_may_be_as_long_as_the_setting_says_in_every_dialect(site: Site, path):
    key, body = FAKE[path]
    padded = json.dumps(body).encode().ljust(MAX_BODY_BYTES)
    answer = site.client.post(path, data=padded)
    assert answer.status_code == 200
    assert key in answer.json
    assert site.client.post(path, data=padded + b" ").status_code == 413


@pytest.mark.parametrize("path", FAKE)
def test_a_thousand_wrong_things_are_told_as_twenty(site: Site, path):
    """Each costs a search for what was meant, and an answer that nobody reads."""
    strange = {f"wings{number}": [1] for number in range(2000)}
    wrong: dict[str, Any] = {
        "/predict/fake": {"x": [1], **strange},
        "/v1/models/fake:predict": {"instances": [{"x": [1], **strange}]},
        "/v2/models/fake/infer": {"inputs": [{"name": name} for name in strange], "outputs": [{"name": "z"}] * 2000},
    }
    answer = site.client.post(path, json=wrong[path])
    assert answer.status_code in (400, 422)
    assert answer.text.count(": unknown ") == schemas.MOST_FAULTS
    assert len(answer.data) < 10_000


def test_a_thousand_unknown_tensors_are_told_as_twenty(site: Site):
    tensor = {"dtype": "float32", "shape": [1, 1], "data": bytes(4)}
    body = msgpack.packb({f"w{number}": tensor for number in range(1000)})
    answer = site.client.post("/predict/fake", data=body, content_type="application/msgpack")
    assert len(answer.json["faults"]) == schemas.MOST_FAULTS
    wrong = [{f"w{number}": {**tensor, "dtype": "no"} for number in range(30)}] * 30
    answer = site.client.post("/predict/fake", data=msgpack.packb(wrong), content_type="application/msgpack")
    assert len(answer.json["faults"]) == schemas.MOST_FAULTS


@pytest.mark.parametrize("query", ["outputs=" + "z," * 900, "&".join(f"p{number}=1" for number in range(300))])
def test_a_query_of_strange_names_is_told_as_twenty(site: Site, query):
    answer = site.client.post(f"/predict/fake?{query}", json={"x": [1]})
    assert answer.status_code == 422
    assert len(answer.json["faults"]) == schemas.MOST_FAULTS


class TestCrowds:
    def test_of_lists_and_objects_in_json(self):
        body = b"[" + b"[]," * (crowd.MOST - 2) + b"{}]"
        assert len(exchange.parse(body)) == crowd.MOST - 1
        for read in (exchange.parse, exchange.parse_rows):
            with pytest.raises(BodyTooLarge, match="lists and objects"):
                read(b"[" + body + b"]")

    def test_of_lists_and_maps_in_messagepack(self):
        body = struct.pack(">BI", 0xDD, crowd.MOST - 1) + b"\x90" * (crowd.MOST - 2) + b"\x80"
        assert len(packed.loads(body)) == crowd.MOST - 1
        with pytest.raises(BodyTooLarge, match="lists and objects"):
            packed.loads(b"\x91" + body)

    def test_of_strings_in_bytes(self):
        most = binary.MOST_STRINGS
        assert len(binary.strings(memoryview(bytes(4 * most)), most)) == most
        assert columns.strings(np.zeros((most // 1000, 1000), "U1")).shape == (most // 1000, 1000)
        assert len(grpc_tensors.strings(bytes(most), most)) == most
        for read in (
            lambda: binary.strings(memoryview(bytes(4 * most + 4)), most + 1),
            lambda: columns.strings(np.zeros(most + 1, "S1")),
            lambda: grpc_tensors.strings(bytes(most + 1), most + 1),
        ):
            with pytest.raises(Misfit, match="at most"):
                read()

    def test_of_rows_that_nobody_would_take(self, site: Site):
        for body in ({"instances": [1] * 33}, {"inputs": [1] * 33}):
            assert "at most 32 rows" in site.tfs("fake", body).json["error"]
        answer = site.client.post("/v1/models/fake:classify", json={"examples": [{"x": 1}] * 33})
        assert answer.status_code == 400

    def test_of_features(self):
        row = dict.fromkeys(map(str, range(examples.MOST_FEATURES)), 1.0)
        assert len(examples.features(row)) == examples.MOST_FEATURES
        with pytest.raises(MalformedBody, match="features"):
            examples.features(row | {"x": 1.0})


@pytest.mark.parametrize("opening", [b"[", b'{"x":'], ids=["lists", "objects"])
def test_json_may_be_nested_so_deep(opening):
    closing = b"]" if opening == b"[" else b"}"
    deep = opening * LIMITS["depth"] + b"1" + closing * LIMITS["depth"]
    for read in (exchange.parse, exchange.parse_rows):
        assert read(deep.ljust(5000))
        with pytest.raises(MalformedBody, match="too deep"):
            read((opening + deep + closing).ljust(5000))


@pytest.mark.parametrize("head", [b"\x91", b"\x81\xa1x"], ids=["lists", "maps"])
def test_messagepack_may_be_nested_so_deep(head):
    assert packed.loads(head * LIMITS["depth"] + b"\x01")
    with pytest.raises(MalformedBody, match="too deep"):
        packed.loads(head * (LIMITS["depth"] + 1) + b"\x01")


SHAPES = [[10**12], [1, 10**12], [0, 10**12], [10**12, 0], [10**12] * 8, [2**63, 2], [-1, 4], [1] * 33]


class TestAbsurdShapes:
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_in_the_binary_tensors_of_v2(self, site: Site, shape):
        tensor = {"name": "x", "datatype": "FP32", "shape": shape, "parameters": {"binary_data_size": 4}}
        head = json.dumps({"inputs": [tensor]}).encode()
        answer = site.client.post("/v2/models/fake/infer", data=head + bytes(4), headers={HEADER: str(len(head))})
        assert answer.status_code == 400
        tensor |= {"data": [1.0], "parameters": {}}
        assert site.client.post("/v2/models/fake/infer", json={"inputs": [tensor]}).status_code == 400

    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_in_messagepack(self, site: Site, shape):
        value = {"dtype": "float32", "shape": shape, "data": bytes(4)}
        for body in ({"x": value}, {"x": msgpack.ExtType(7, json.dumps(shape).encode())}):
            answer = site.client.post("/predict/fake", data=msgpack.packb(body), content_type="application/msgpack")
            assert answer.status_code == 422

    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_in_an_npz_file(self, site: Site, shape):
        file = io.BytesIO()
        np.savez(file, x=np.zeros(1, "f4"))
        honest = b"(1,), }".ljust(60)
        claimed = f"({', '.join(map(str, shape))},), }}".encode()
        assert honest in file.getvalue()
        body = forged(file.getvalue(), honest, claimed.ljust(len(honest))[: len(honest)])
        answer = site.client.post("/predict/fake", data=body, content_type="application/x-npz")
        assert answer.status_code in (400, 422)


def forged(body: bytes, old: bytes, new: bytes) -> bytes:
    """An .npz file with other bytes in its member, and the checksum that goes with them."""
    start = body.index(b"\x93NUMPY")
    end = body.index(b"PK\x01\x02")
    member = body[start:end]
    before, after = (struct.pack("<I", zlib.crc32(data)) for data in (member, member.replace(old, new)))
    return body.replace(old, new).replace(before, after)


def test_a_pickle_in_an_npz_file_is_never_opened(site: Site):
    file = io.BytesIO()
    np.savez(file, x=np.array([{"a": 1}], object))
    answer = site.client.post("/predict/fake", data=file.getvalue(), content_type="application/x-npz")
    assert answer.status_code == 400
    assert "object" in answer.json["detail"]


class TestTexts:
    def test_of_so_many_characters(self, site: Site):
        field = site.toy.rows.fields["text"]
        with pytest.raises(Misfit, match="words"):
            field.array("a " * (text.MOST_CHARACTERS // 2))
        with pytest.raises(Misfit, match="characters"):
            field.array("a" * (text.MOST_CHARACTERS + 1))


def blank(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


class TestPictures:
    @pytest.fixture(autouse=True)
    def uncounted(self) -> None:
        images.pixels_left.set(None)

    def test_one_may_have_so_many_pixels(self):
        assert images.decode(blank(4000, 4000), (2, 2)).shape == (2, 2)
        with pytest.raises(Misfit, match="megapixels"):
            images.decode(blank(4000, 4001), (2, 2))

    def test_all_that_is_left_may_be_spent(self):
        images.pixels_left.set(9)
        assert images.decode(blank(3, 3), (3, 3)).shape == (3, 3)
        with pytest.raises(Misfit, match="fewer pixels"):
            images.decode(blank(1, 1), (1, 1))

    def test_those_of_a_request_are_counted_together(self, site: Site):
        """Of a few thousand bytes each."""
        rows = site.catalog.get("shop").rows
        row = {**rows.example, "photo": blank(4800, 3200)}
        fit = MOST_PIXELS_AT_ONCE // (4800 * 3200)
        assert len(rows.load([row] * fit)) == fit
        with pytest.raises(InvalidInput, match="fewer pixels") as caught:
            rows.load([row] * (fit + 1))
        assert [fault.pointer for fault in caught.value.faults] == [f"/{fit}/photo"]
        assert len(rows.load([row])) == 1


def test_white_space_in_base64_does_not_matter(site: Site):
    field = site.catalog.get("shop").rows.fields["photo"]
    field.begin()
    spread = " ".join(site.catalog.get("shop").rows.example["photo"])
    assert np.array_equal(field.array(spread), field.array(spread.replace(" ", "")))
