"""Bodies of the native dialect in JSON, MessagePack and .npz: one meaning, one answer, one list of faults."""

import base64
import gzip
import io
import struct
import zipfile
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service import loading
from service.dialects.bodies.npz import MOST_MEMBERS
from service.settings import Settings
from service.signature import Signature
from service.versions.store import Version
from tests.service import fakes
from tests.service.artifacts import PHOTO, VOCABULARY, png
from tests.service.site import MAX_BODY_BYTES, MAX_QUEUE_ROWS, Site

JSON, MSGPACK, NPZ = "application/json", "application/msgpack", "application/x-npz"


def packed(array: Any, dtype: str | None = None) -> dict[str, Any]:
    """A tensor as MessagePack has it."""
    array = np.asarray(array, dtype)
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": array.tobytes()}


def unpacked(value: Any) -> Any:
    """A value with its tensors as lists, as it would be in JSON."""
    if isinstance(value, dict) and value.keys() == {"dtype", "shape", "data"}:
        return np.frombuffer(value["data"], value["dtype"]).reshape(value["shape"]).tolist()
    if isinstance(value, dict):
        return {name: unpacked(inner) for name, inner in value.items()}
    return [unpacked(inner) for inner in value] if isinstance(value, list) else value


def zipped(save=np.savez, **arrays: Any) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def members(*files: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of any files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return file.getvalue()


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """An array's file, with any header."""
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header.encode("latin1") + data


def send(site: Site, model: str, body: bytes, form: str, query: str = "", **headers: str) -> TestResponse:
    return site.client.post(f"/predict/{model}{query}", data=body, content_type=form, headers=headers)


def pack(site: Site, model: str, body: Any, **headers: str) -> TestResponse:
    return send(site, model, msgpack.packb(body), MSGPACK, **headers)


def read(response: TestResponse) -> Any:
    """An answer in any form, as JSON would have it; of .npz, the arrays."""
    assert response.status_code == 200, response.text
    if response.mimetype == MSGPACK:
        return unpacked(msgpack.unpackb(response.data))
    if response.mimetype == NPZ:
        with np.load(io.BytesIO(response.data), allow_pickle=False) as file:
            return {name: file[name] for name in file}
    return response.json


def single(value: Any) -> Any:
    """All numbers as the float32 they stand for."""
    if isinstance(value, dict):
        return {name: single(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [single(inner) for inner in value]
    return float(np.float32(value)) if isinstance(value, float) else value


def faults(response: TestResponse, status: int = 422) -> list[tuple[str, str]]:
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    return [(fault["pointer"], fault["detail"]) for fault in response.json["faults"]]


def detail(response: TestResponse, status: int = 400) -> str:
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    return response.json["detail"]


@pytest.fixture(scope="module")
def site(toy_folder, shop_folder) -> Site:
    """One for all: nothing one request does matters to the next."""
    hand = fakes.Hand()
    shop = loading.load(Version("shop", 1, shop_folder), Settings(engine="onnx"), lambda _: hand)
    same = {
        "b": ("bool", (None,)),
        "i": ("int8", (None, 2)),
        "f": ("float32", (None, 2)),
        "s": ("object", (None, None)),
    }
    mirror = fakes.FakeEngine(Signature(fakes.specs(**same), fakes.specs(**same)), dict, immune=True)
    ragged = fakes.FakeEngine(
        Signature(fakes.specs(x=("float32", (None, None))), fakes.specs(file=("float32", (None, None)))),
        lambda inputs: {"file": inputs["x"] * 2},
    )
    more = [shop, fakes.handle(mirror, hand, name="mirror"), fakes.handle(ragged, hand, name="ragged")]
    site = Site(toy_folder, more)
    site.hand.drivers += hand.drivers
    return site


class TestOneAnswer:
    """The same rows, whatever they come in."""

    @given(
        rows=st.integers(1, 4).flatmap(
            lambda length: st.lists(
                st.tuples(
                    st.lists(st.integers(1, len(VOCABULARY) - 1), min_size=length, max_size=length),
                    st.lists(st.floats(-10, 10, width=32), min_size=3, max_size=3),
                ),
                min_size=1,
                max_size=6,
            )
        ),
        ids=st.sampled_from(["int32", "int64", "uint8"]),
        numbers=st.sampled_from(["float32", "float64"]),
        save=st.sampled_from([np.savez, np.savez_compressed]),
    )
    def test_of_ids_and_numbers(self, site: Site, rows, ids, numbers, save):
        expected = single(site.predict("toy", [{"text": text, "numbers": three} for text, three in rows]).json)
        text = np.array([text for text, _ in rows], ids)
        three = np.array([three for _, three in rows], numbers)
        plain = [{"text": text.tolist(), "numbers": three.tolist()} for text, three in zip(text, three, strict=True)]
        by_row = [{"text": packed(text), "numbers": packed(three)} for text, three in zip(text, three, strict=True)]
        assert single(read(pack(site, "toy", plain))) == expected
        assert single(read(pack(site, "toy", by_row))) == expected
        assert single(read(pack(site, "toy", {"text": packed(text), "numbers": packed(three)}))) == expected
        assert single(read(pack(site, "toy", by_row[0]))) == single(site.predict("toy", plain[0]).json)
        body = zipped(save, text=text, numbers=np.asfortranarray(three))
        assert single(read(send(site, "toy", body, NPZ, Accept=JSON))) == expected
        arrays = read(send(site, "toy", body, NPZ))
        assert arrays["score"].dtype == np.float32
        assert arrays["score"][:, 0].tolist() == [row["score"]["value"] for row in expected]

    def test_of_texts_labels_pictures_and_series(self, site: Site):
        rows = [
            {"photo": PHOTO // part, "fabric": fabric, "worn": [[0.5, 0.25], [1, 0]]}
            for part, fabric in ((1, "wool"), (2, "linen"))
        ]
        expected = single(site.predict("shop", [row | {"photo": row["photo"].tolist()} for row in rows]).json)
        assert single(read(pack(site, "shop", [row | {"photo": packed(row["photo"])} for row in rows]))) == expected
        arrays = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        assert single(read(send(site, "shop", zipped(**arrays), NPZ, Accept=JSON))) == expected

    def test_of_a_picture_in_bytes(self, site: Site):
        row = {"photo": base64.b64decode(png(PHOTO)), "fabric": 0, "worn": packed([[0.5, 0.25]])}
        plain = {"photo": PHOTO.tolist(), "fabric": 0, "worn": [[0.5, 0.25]]}
        assert single(read(pack(site, "shop", row))) == single(site.predict("shop", plain).json)

    def test_of_words(self, site: Site):
        words = ["the cat sat", "Zoë is very good"]
        numbers = [[1.0, 2.0, 3.0]] * 2
        expected = site.predict("toy", [{"text": text, "numbers": numbers[0]} for text in words]).json
        for texts in (np.array(words), np.char.encode(words, "utf-8")):
            body = zipped(text=texts, numbers=np.array(numbers))
            assert single(read(send(site, "toy", body, NPZ, Accept=JSON))) == single(expected)

    def test_of_every_kind_of_tensor(self, site: Site):
        row = {"b": True, "i": [-128, 127], "f": [0.5, 2.0], "s": ["a", "Zoë"]}
        assert site.predict("mirror", row).json == row
        assert read(pack(site, "mirror", row)) == row
        tensors = {
            "b": packed(True),
            "i": packed([-128, 127], "int8"),
            "f": packed([0.5, 2], "float16"),
            "s": ["a", "Zoë"],
        }
        assert read(pack(site, "mirror", tensors)) == row
        back = read(send(site, "mirror", zipped(**{name: np.array([value]) for name, value in row.items()}), NPZ))
        assert {name: array[0].tolist() for name, array in back.items()} == row

    def test_rows_of_unequal_shapes_are_a_list(self, site: Site):
        rows = [{"x": packed([1.0], "float32")}, {"x": packed([1.0, 2.0], "float32")}]
        assert read(pack(site, "ragged", rows)) == [{"file": [2.0]}, {"file": [2.0, 4.0]}]

    def test_and_make_no_array(self, site: Site):
        response = site.client.post("/predict/ragged", json=[{"x": [1]}, {"x": [1, 2]}], headers={"Accept": NPZ})
        assert "the rows of file differ in shape" in detail(response)

    def test_an_output_may_have_any_name(self, site: Site):
        assert read(send(site, "ragged", zipped(x=np.ones((2, 3))), NPZ))["file"].tolist() == [[2.0] * 3] * 2

    def test_outputs_and_labels_are_chosen_in_the_query(self, site: Site):
        body = {"text": "cat", "numbers": [1, 2, 3]}
        response = send(site, "toy", msgpack.packb(body), MSGPACK, "?outputs=mood&top=0")
        assert list(read(response)["mood"]) == ["label", "probability"]
        arrays = zipped(text=np.array(["cat"]), numbers=np.ones((1, 3)))
        assert list(read(send(site, "toy", arrays, NPZ, "?outputs=sure,score"))) == ["sure", "score"]


class TestForms:
    @pytest.mark.parametrize("name", [MSGPACK, "application/vnd.msgpack", "application/x-msgpack", f"{MSGPACK}; v=5"])
    def test_messagepack_has_many_names(self, site: Site, name):
        response = send(site, "fake", msgpack.packb({"x": [1, 2]}), name.upper())
        assert response.mimetype == MSGPACK
        assert read(response) == {"y": [5.0]}

    @pytest.mark.parametrize("name", ["", JSON, "text/plain", "application/x-www-form-urlencoded", "nonsense", "a/b/c"])
    def test_whatever_else_is_json(self, site: Site, name):
        response = site.client.post("/predict/fake", data=b'{"x": [1, 2]}', headers={"Content-Type": name})
        assert response.json == {"y": [5.0]}

    @pytest.mark.parametrize(
        ("sent", "accept", "answered"),
        [
            (JSON, MSGPACK, MSGPACK),
            (JSON, NPZ, NPZ),
            (JSON, "*/*", JSON),
            (MSGPACK, "*/*", MSGPACK),
            (NPZ, "application/*", NPZ),
            (NPZ, "application/json", JSON),
            (MSGPACK, "application/x-npz;q=0.5, application/json;q=0.6", JSON),
            (MSGPACK, "text/html", MSGPACK),
            (JSON, "application/x-msgpack", MSGPACK),
            (JSON, "nonsense", JSON),
        ],
    )
    def test_an_answer_comes_in_the_form_accepted_else_in_that_of_the_body(self, site: Site, sent, accept, answered):
        bodies = {JSON: b'{"x": [1, 2]}', MSGPACK: msgpack.packb({"x": [1, 2]}), NPZ: zipped(x=[[1, 2]])}
        response = send(site, "fake", bodies[sent], sent, Accept=accept)
        assert response.mimetype == answered
        answer = read(response)
        assert np.ravel((answer[0] if isinstance(answer, list) else answer)["y"]).tolist() == [5.0]

    def test_an_error_is_a_problem_in_json(self, site: Site):
        response = send(site, "fake", msgpack.packb({}), MSGPACK, Accept=MSGPACK)
        assert faults(response) == [("/x", "missing input 'x'")]


class TestBatches:
    """An object of tensors with one axis more than a row is many rows."""

    def test_one_axis_decides(self, site: Site):
        assert read(pack(site, "fake", {"x": packed([1.0, 2.0])})) == {"y": [5.0]}
        assert read(pack(site, "fake", {"x": packed([[1.0, 2.0]])})) == [{"y": [5.0]}]

    def test_rows_stay_one_array_all_the_way(self, site: Site):
        site.engine.calls.clear()
        pack(site, "fake", {"x": packed(np.arange(40.0).reshape(20, 2), "float32")})
        assert [call["x"].shape for call in site.engine.calls] == [(8, 2), (8, 2), (4, 2)]

    @pytest.mark.parametrize(
        ("arrays", "expected"),
        [
            ({"x": np.zeros((0, 2))}, [("/x", "expected an array of rows, got none")]),
            ({"x": np.array(3.0)}, [("/x", "expected an array of rows, got 3.0")]),
            ({"x": np.array("a")}, [("/x", 'expected an array of rows, got the string "a"')]),
            ({"x": np.ones(2)}, [("/x/0", "expected a list, got 1.0")]),
            ({"x": np.ones((2, 1, 1))}, [("/x/0/0", "expected a number, got a list of 1")]),
            ({"x": [[1, 2], [3, np.nan]]}, [("/x/1/1", "expected a finite number")]),
            ({"x": [[1e39, 2]]}, [("/x/0/0", "expected float32 from -3.4028234663852886e+38 to")]),
            ({"x": [[True]]}, [("/x/0/0", "expected a number, got true")]),
            ({"x": [["a"]]}, [("/x/0/0", 'expected a number, got the string "a"')]),
            ({}, [("/x", "missing input 'x'")]),
            ({"x": [[1]], "y": [[1]]}, [("/y", "unknown input 'y'; the inputs are x")]),
            ({"x": np.ones((MAX_QUEUE_ROWS + 1, 2))}, [("", f"expected at most {MAX_QUEUE_ROWS} rows in one request")]),
        ],
        ids=lambda value: str(value)[:20],
    )
    def test_a_fault_is_named_with_its_place(self, site: Site, arrays, expected):
        found = faults(send(site, "fake", zipped(**arrays), NPZ))
        assert [pointer for pointer, _ in found] == [pointer for pointer, _ in expected]
        assert all(got.startswith(detail) for (_, got), (_, detail) in zip(found, expected, strict=True))

    @pytest.mark.parametrize(
        ("change", "pointer", "detail"),
        [
            ({"text": [[2, 3], [4, 99]]}, "/text/1/1", "expected a token id from 0 to 9, got 99"),
            ({"text": [[2, 3], [0, 0]]}, "/text/1", "expected at least one word"),
            ({"text": [[2.0], [3.0]]}, "/text/0/0", "expected an integer, got 2.0"),
            ({"text": np.array([[2**31], [3]])}, "/text/0/0", "expected int32 from"),
            ({"text": np.array([b"\xff", b"cat"])}, "/text/0", "expected a string or a list of token ids"),
            ({"numbers": [[1, 2], [3, 4]]}, "/numbers/0", "expected 3 elements, got 2"),
            ({"numbers": [[1, 2, 3]]}, "", "expected as many rows of every input, got 2 of text, 1 of numbers"),
        ],
        ids=["id", "words", "fraction", "range", "bytes", "size", "rows"],
    )
    def test_a_fault_of_an_input_on_the_card_as_well(self, site: Site, change, pointer, detail):
        arrays = {"text": np.array([[2, 3], [4, 5]]), "numbers": np.ones((2, 3))} | change
        place, told = faults(send(site, "toy", zipped(**arrays), NPZ))[0]
        assert place == pointer
        assert told.startswith(detail)

    def test_text_of_no_unicode_is_refused(self, site: Site):
        for point in (0xD800, 0x110000, 2**32 - 1):
            data = npy("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", struct.pack("<I", point))
            body = members(("text.npy", data), ("numbers.npy", npy_of(np.ones((1, 3)))))
            assert faults(send(site, "toy", body, NPZ)) == [
                ("/text", "expected Unicode text, got code points that are none")
            ]


def npy_of(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


GOOD = {"dtype": "float32", "shape": [2], "data": b"\0" * 8}


class TestTensors:
    @pytest.mark.parametrize(
        ("change", "detail"),
        [
            ({"dtype": "float99"}, "expected a dtype of bool, int8"),
            ({"dtype": "object"}, "expected a dtype of bool, int8"),
            ({"dtype": ["float32"]}, "expected a dtype of bool, int8"),
            ({"shape": [3]}, "expected 12 bytes of float32 in shape [3], got 8"),
            ({"shape": [2**62, 2**62]}, "expected 85070591730234615865843651857942052864 bytes of float32"),
            ({"shape": [-2]}, "expected a shape of at most 16 sizes above 0, got a list of 1"),
            ({"shape": [0]}, "expected a shape of at most 16 sizes above 0"),
            ({"shape": [True]}, "expected a shape of at most 16 sizes above 0"),
            ({"shape": [1] * 70}, "expected a shape of at most 16 sizes above 0"),
            ({"shape": 2}, "expected a shape of at most 16 sizes above 0"),
            ({"data": struct.pack("<2f", 1, np.inf)}, "expected a finite number"),
            ({"dtype": "bool", "data": b"\1\2"}, "expected bytes that are 0 or 1"),
            ({"dtype": "bool", "data": b"\1\0"}, "expected a number, got true"),
            ({"data": "text"}, "expected a list, got an object"),
            ({"more": 1}, "expected a list, got an object"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_a_fault_is_named_with_its_place(self, site: Site, change, detail):
        [(place, told)] = faults(pack(site, "fake", [{"x": [1]}, {"x": GOOD | change}]))
        assert place in ("/1/x", "/1/x/0", "/1/x/1")
        assert told.startswith(detail)

    def test_numbers_may_come_in_any_dtype_that_loses_nothing(self, site: Site):
        for dtype in ("float16", "float32", "float64", "int8", "uint64"):
            assert read(pack(site, "fake", {"x": packed([1, 2], dtype)})) == {"y": [5.0]}

    def test_a_message_needs_names_in_strings(self, site: Site):
        assert detail(pack(site, "fake", [{b"x": 1}])) == "/0: expected names in strings, got bytes"
        assert "the body is not MessagePack" in detail(pack(site, "fake", {1: 1}))

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"", "the body is empty; send MessagePack"),
            (b"\xc1", "the body is not MessagePack"),
            (b"\x91" * 2000 + b"\xc0", "the body is nested too deep"),
            (b"\xdd\xff\xff\xff\xff", "the body is not MessagePack"),
            (b"\xc6\xff\xff\xff\xff", "the body is not MessagePack"),
            (b"\xc0\xc0", "the body is not MessagePack"),
            (b"\x81\xa1\xff\x01", "the body is not MessagePack"),
        ],
        ids=["nothing", "no code", "deep", "long list", "long bytes", "two values", "no UTF-8"],
    )
    def test_what_is_no_message_is_refused(self, site: Site, body, message):
        assert detail(send(site, "fake", body, MSGPACK)).startswith(message)

    @pytest.mark.parametrize("body", [7, None, "x", b"x", msgpack.Timestamp(1), msgpack.ExtType(1, b"")], ids=repr)
    def test_what_is_no_row_is_refused(self, site: Site, body):
        assert faults(pack(site, "fake", body))[0][1].startswith("expected an object of named inputs, got")
        assert len(faults(pack(site, "fake", {"x": body}))) == 1


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }"


class TestFiles:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"", "the body is empty; send an .npz file"),
            (b"PK", "the body is no .npz file: File is not a zip file"),
            (zipped(x=[[1]])[:-30], "the body is no .npz file"),
            (npy_of(np.ones(2)), "the body is no .npz file"),
            (members(("x.npy", b"text")), "the body is no .npz file"),
            (zipped(x=np.array([{}], object)), "the body is no .npz file: arrays of object are not read"),
            (zipped(x=np.ones(1, "complex64")), "the body is no .npz file: arrays of complex64 are not read"),
            (zipped(x=np.ones(1, "M8[s]")), "the body is no .npz file: arrays of datetime64[s] are not read"),
            (zipped(x=np.ones(1, [("a", "f4")])), "the body is no .npz file: arrays of [('a', '<f4')] are not read"),
            (members(("x.npy", npy(HEADER % ("<U0", "(9**9,)")))), "the body is no .npz file"),
            (members(("x.npy", npy(HEADER % ("<U0", "(1000000000000,)")))), "the body is no .npz file: arrays of <U0"),
            (members(("x.npy", npy(HEADER % ("<f4", "(1000000000000,)")))), "the body is no .npz file: 0 bytes are no"),
            (
                members(("x.npy", npy(HEADER % ("<f4", "(-1, -1)"), b"1234"))),
                "the body is no .npz file: 4 bytes are no",
            ),
            (members(("x.npy", npy(HEADER % ("<f4", "(" * 300)))), "the body is no .npz file"),
            (members(("x.npy", npy(" " * 5000))), "the body is no .npz file"),
            (members(("x.npy", npy("{}", version=b"\x07\x00"))), "the body is no .npz file"),
            (members(("x.npy", npy_of([1])), method=zipfile.ZIP_BZIP2), "the .npz file is packed in another way"),
            (members(("x.npy", npy_of([1])), method=zipfile.ZIP_LZMA), "the .npz file is packed in another way"),
            (members(*((f"{at}.npy", b"") for at in range(MOST_MEMBERS + 1))), "the body is an .npz file of more than"),
        ],
        ids=range(19),
    )
    def test_what_is_no_file_of_arrays_is_refused(self, site: Site, body, message):
        assert detail(send(site, "fake", body, NPZ)).startswith(message)

    def test_a_bomb_is_refused_by_its_directory(self, site: Site):
        body = zipped(np.savez_compressed, x=np.zeros((1, 10 * MAX_BODY_BYTES)))
        assert len(body) < MAX_BODY_BYTES
        assert "inflates to more than" in detail(send(site, "fake", body, NPZ), 413)

    def test_a_directory_that_lies_makes_no_bomb(self, site: Site):
        body = bytearray(zipped(np.savez_compressed, x=np.zeros((1, MAX_BODY_BYTES))))
        entry = body.index(b"PK\x01\x02")
        struct.pack_into("<I", body, entry + 24, 100)  # the size inflated, as the directory has it
        assert "the body is no .npz file" in detail(send(site, "fake", bytes(body), NPZ))

    def test_a_file_may_itself_be_compressed(self, site: Site):
        response = site.client.post(
            "/predict/fake",
            data=gzip.compress(zipped(x=[[1, 2]])),
            headers={"Content-Type": NPZ, "Content-Encoding": "gzip"},
        )
        assert read(response)["y"].tolist() == [[5.0]]

    def test_big_endian_and_odd_places_are_read(self, site: Site):
        header = HEADER % (">f8", "(1, 2)")
        body = members(("x.npy", npy(header, struct.pack(">2d", 1, 2))))
        assert len(npy(header)) % 8
        assert read(send(site, "fake", body, NPZ))["y"].tolist() == [[5.0]]
