"""The binary tensor extension of the Open Inference Protocol, both ways."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.dialects.oip import binary
from tests.service import fakes, oip
from tests.service.oip import HEADER, client_of, error, in_bytes, infer, mirror, mirror_of, outputs, strings, tensor
from tests.service.site import Site

X = np.array([[1, 2], [3, 4]], "<f4")
BYTES = X.tobytes()
IN_BYTES = in_bytes("x", "FP32", [2, 2], BYTES)
ALL = {"binary_data_output": True}

NUMERIC = {name: dtype for name, dtype in oip.DATATYPES.items() if name != "BYTES"}


@pytest.mark.parametrize("datatype", NUMERIC)
@settings(max_examples=20)
@given(data=st.data())
def test_numbers_come_back_bit_by_bit(datatype, data):
    dtype = np.dtype(NUMERIC[datatype]).newbyteorder("<")
    array = data.draw(arrays.arrays(dtype, arrays.array_shapes(max_dims=3, max_side=4)))
    client = mirror_of(dtype.name, array.ndim)
    given_ = in_bytes("x", datatype, list(array.shape), array.tobytes())
    response = infer(client, "mirror", {"inputs": [given_], "parameters": ALL}, array.tobytes())
    assert outputs(response)["x"].tobytes() == array.tobytes()


@given(texts=st.lists(st.binary(), min_size=1, max_size=5))
def test_strings_of_any_bytes_come_back(texts):
    client = mirror_of("object", 1)
    chunk = strings(*texts)
    body = {"inputs": [in_bytes("x", "BYTES", [len(texts)], chunk)], "parameters": ALL}
    assert outputs(infer(client, "mirror", body, chunk))["x"].tolist() == texts


def test_bfloat16_comes_back_and_has_no_json_of_its_own():
    dtype = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    chunk = np.array([[1.5, -3e38]], dtype).tobytes()
    hand = fakes.Hand()
    client = client_of(mirror(("x", dtype, (None, 2)), hand=hand), hand=hand)
    given_ = in_bytes("x", "BF16", [1, 2], chunk)
    response = infer(client, "mirror", {"inputs": [given_], "parameters": ALL}, chunk)
    assert response.data.endswith(chunk)
    in_json = infer(client, "mirror", {"inputs": [given_]}, chunk).json["outputs"][0]
    assert in_json["datatype"] == "BF16"
    assert in_json["data"] == pytest.approx([1.5, -3e38], rel=1e-2)
    body = {"inputs": [{"name": "x", "datatype": "BF16", "shape": [1, 2], "data": [1.5, 2]}]}
    assert "BF16 has no values in JSON; send it as binary data" in error(infer(client, "mirror", body))


class TestWhatComesBack:
    """Outputs are bytes where they are asked for as bytes, one by one or all at once."""

    @pytest.mark.parametrize(
        ("all_", "one", "in_binary"),
        [
            (None, None, False),
            (None, True, True),
            (None, False, False),
            (True, None, True),
            (True, False, False),
            (True, True, True),
            (False, True, True),
            (False, None, False),
        ],
    )
    def test_an_outputs_own_wish_is_stronger(self, site: Site, all_, one, in_binary):
        wish = {} if one is None else {"parameters": {"binary_data": one}}
        body = {"inputs": [IN_BYTES], "outputs": [{"name": "y", **wish}]}
        if all_ is not None:
            body["parameters"] = {"binary_data_output": all_}
        response = infer(site.client, "fake", body, BYTES)
        assert (HEADER in response.headers) is in_binary
        assert outputs(response)["y"].tolist() == [[5.0], [11.0]]

    def test_some_in_json_and_some_in_bytes(self, site: Site):
        inputs = [tensor("text", "INT32", [[2]]), tensor("numbers", "FP32", [[1, 2, 3]])]
        names = ["score", "mood", "sure"]
        asked = [{"name": name, "parameters": {"binary_data": name != "mood"}} for name in names]
        mixed = outputs(infer(site.client, "toy", {"inputs": inputs, "outputs": asked}))
        plain = outputs(infer(site.client, "toy", {"inputs": inputs}))
        assert list(mixed) == names
        for name in names:
            assert np.array_equal(mixed[name], plain[name])

    def test_strings_are_bytes_too(self, site: Site):
        given_ = {
            "flag": ("BOOL", [[True]]),
            "byte": ("INT8", [[-1]]),
            "count": ("UINT64", [[2**64 - 1]]),
            "half": ("FP16", [[0.5]]),
            "image": ("FP32", [[[1, 2], [3, 4]]]),
            "name": ("BYTES", ["Zoë"]),
        }
        inputs = [tensor(name, datatype, value) for name, (datatype, value) in given_.items()]
        found = outputs(infer(site.client, "every", {"inputs": inputs, "parameters": ALL}))
        assert found["name"].tolist() == ["Zoë".encode()]
        assert found["flag"].tolist() == [[True]]
        assert found["count"].tolist() == [[2**64 - 1]]

    @pytest.mark.parametrize("value", [1, "yes", None])
    def test_a_wish_is_true_or_false(self, site: Site, value):
        body = {"inputs": [IN_BYTES], "parameters": {"binary_data_output": value}}
        assert "/parameters/binary_data_output: expected" in error(infer(site.client, "fake", body, BYTES))


class TestWhatGoesIn:
    @given(padding=st.integers(0, 16))
    def test_bytes_need_no_alignment(self, padding):
        client = mirror_of("float32", 2)
        body = {"inputs": [IN_BYTES], "comment": "." * padding}
        assert outputs(infer(client, "mirror", body, BYTES))["x"].tolist() == X.tolist()

    @given(shift=st.integers(0, 8))
    def test_the_model_gets_the_bytes_themselves_where_they_are_aligned(self, shift):
        buffer = np.zeros(64, np.uint8)
        buffer[shift : shift + len(BYTES)] = np.frombuffer(BYTES, np.uint8)
        array = binary.from_bytes(memoryview(buffer)[shift : shift + len(BYTES)], np.dtype("float32"), [2, 2])
        assert array.tolist() == X.tolist()
        assert array.flags.aligned
        assert np.shares_memory(array, buffer) is ((buffer.ctypes.data + shift) % 4 == 0)

    def test_json_and_bytes_stand_side_by_side_in_any_order(self, site: Site):
        numbers = np.array([[1, 2, 3]], "<f4").tobytes()
        text = np.array([[2, 3]], "<i4").tobytes()
        expected = outputs(
            infer(
                site.client,
                "toy",
                {"inputs": [tensor("text", "INT32", [[2, 3]]), tensor("numbers", "FP32", [[1, 2, 3]])]},
            )
        )
        in_json = {"text": tensor("text", "INT32", [[2, 3]]), "numbers": tensor("numbers", "FP32", [[1, 2, 3]])}
        behind = {
            "text": in_bytes("text", "INT32", [1, 2], text),
            "numbers": in_bytes("numbers", "FP32", [1, 3], numbers),
        }
        for inputs, chunks in (
            ([in_json["text"], behind["numbers"]], [numbers]),
            ([behind["text"], in_json["numbers"]], [text]),
            ([behind["text"], behind["numbers"]], [text, numbers]),
            ([behind["numbers"], behind["text"]], [numbers, text]),
        ):
            found = outputs(infer(site.client, "toy", {"inputs": inputs}, *chunks))
            for name, array in found.items():
                assert np.array_equal(array, expected[name])

    def test_text_is_read_as_text(self, site: Site):
        chunk = strings(b"The cat sat.")
        inputs = [in_bytes("text", "BYTES", [1], chunk), tensor("numbers", "FP32", [[1, 2, 3]])]
        found = outputs(infer(site.client, "toy", {"inputs": inputs}, chunk))
        assert found["score"][0] == pytest.approx(site.answer("the cat sat", [1, 2, 3])["score"])

    @pytest.mark.parametrize(
        ("given_", "chunk", "words"),
        [
            (in_bytes("x", "FP32", [2, 2], BYTES), BYTES + b"!!", "unexpected additional input data: 2 bytes"),
            (in_bytes("x", "FP32", [2, 2], BYTES), BYTES[:-1], "binary_data_size: 16 bytes, but only 15 are left"),
            (in_bytes("x", "FP32", [2, 3], BYTES), BYTES, "expected 24 bytes for FP32 of shape [2, 3], got 16"),
            (in_bytes("x", "FP32", [1, 2], BYTES), BYTES, "expected 8 bytes for FP32 of shape [1, 2], got 16"),
            (in_bytes("x", "FP32", [2, 2], b""), b"", "expected 16 bytes for FP32 of shape [2, 2], got 0"),
            ({**IN_BYTES, "data": [1, 2, 3, 4]}, BYTES, "expected either data or parameters.binary_data_size"),
            (tensor("x", "FP32", [[1]]), BYTES, "unexpected additional input data: 16 bytes"),
            ({**IN_BYTES, "parameters": {"binary_data_size": -1}}, BYTES, "expected a number of bytes, got -1"),
            ({**IN_BYTES, "parameters": {"binary_data_size": 16.0}}, BYTES, "expected a number of bytes, got 16.0"),
            ({**IN_BYTES, "parameters": {"binary_data_size": True}}, BYTES, "expected a number of bytes, got true"),
            ({**IN_BYTES, "parameters": {"binary_data_size": 2**60}}, BYTES, "but only 16 are left"),
        ],
        ids=lambda value: value[:30] if isinstance(value, str) else "",
    )
    def test_sizes_that_disagree_are_refused(self, site: Site, given_, chunk, words):
        assert words in error(infer(site.client, "fake", {"inputs": [given_]}, chunk))
        assert site.engine.calls == []

    def test_bytes_behind_a_body_that_says_no_length_are_no_json(self, site: Site):
        data = json.dumps({"inputs": [IN_BYTES]}).encode() + BYTES
        assert "not JSON" in error(site.client.post("/v2/models/fake/infer", data=data))

    @pytest.mark.parametrize("length", ["-1", "x", "1.0", "", "²", "9" * 30, "9" * 5000, "17, 17", "1000"])
    def test_a_length_that_is_none_is_refused(self, site: Site, length):
        data = json.dumps({"inputs": [IN_BYTES]}).encode() + BYTES
        headers = {HEADER: length.encode().decode("latin1")}
        assert HEADER in error(site.client.post("/v2/models/fake/infer", data=data, headers=headers))

    def test_a_bool_is_0_or_1(self):
        client = mirror_of("bool", 1)
        given_ = in_bytes("x", "BOOL", [2], b"\x01\x02")
        assert "expected bytes that are 0 or 1" in error(infer(client, "mirror", {"inputs": [given_]}, b"\x01\x02"))

    @pytest.mark.parametrize(
        ("chunk", "words"),
        [
            (strings(b"a"), "expected 2 strings in 5 bytes, the 2. goes beyond them"),
            (strings(b"a", b"b", b"c"), "expected 2 strings in 15 bytes, they end after 10"),
            (strings(b"a", b"b")[:-1], "expected 2 strings in 9 bytes, the 2. goes beyond them"),
            (strings(b"a") + b"\xff\xff\xff\xffb", "expected 2 strings in 10 bytes, the 2. goes beyond them"),
            (b"\x00", "expected 2 strings in 1 bytes, the 1. goes beyond them"),
        ],
    )
    def test_strings_fill_their_bytes(self, chunk, words):
        client = mirror_of("object", 1)
        given_ = in_bytes("x", "BYTES", [2], chunk)
        assert words in error(infer(client, "mirror", {"inputs": [given_]}, chunk))


class TestRaw:
    """With a length of 0 there is no JSON: the body is one row of the only input, and all outputs are bytes."""

    @staticmethod
    def post(client, data, model="mirror"):
        return client.post(f"/v2/models/{model}/infer", data=data, headers={HEADER: "0"})

    @pytest.mark.parametrize("dims", [(2, 2), (None, 2), (2, None), (4,), (None,)], ids=str)
    def test_one_open_axis_is_deduced(self, dims):
        hand = fakes.Hand()
        client = client_of(mirror(("x", "float32", (None, *dims)), hand=hand), hand=hand)
        response = self.post(client, BYTES)
        assert response.mimetype == "application/octet-stream"
        assert outputs(response)["x"].tobytes() == BYTES
        assert outputs(response)["x"].shape == (1, *([2, 2] if len(dims) == 2 else [4]))

    @pytest.mark.parametrize("dims", [(), (1,), (None,)], ids=str)
    def test_the_whole_body_is_one_string(self, dims):
        hand = fakes.Hand()
        client = client_of(mirror(("x", "object", (None, *dims)), hand=hand), hand=hand)
        assert outputs(self.post(client, b"any \xff bytes"))["x"].ravel().tolist() == [b"any \xff bytes"]

    @pytest.mark.parametrize(
        ("dims", "data", "words"),
        [
            ((2, 2), BYTES[:-4], "expected 16 bytes for FP32 of shape [1, 2, 2], got 12"),
            ((2, 2), BYTES + b"!", "expected 16 bytes for FP32 of shape [1, 2, 2], got 17"),
            ((None,), BYTES[:-1], "expected 12 bytes for FP32 of shape [1, 3], got 15"),
            ((None,), b"!", "no axis of 0, got [1, 0]"),
            ((None, None), BYTES, "a shape [-1, -1, -1] cannot be deduced from bytes"),
        ],
    )
    def test_bytes_that_are_no_row_are_refused(self, dims, data, words):
        hand = fakes.Hand()
        client = client_of(mirror(("x", "float32", (None, *dims)), hand=hand), hand=hand)
        assert words in error(self.post(client, data))

    def test_an_empty_body_is_told_so(self, site: Site):
        assert "the body is empty" in error(self.post(site.client, b"", "fake"))

    def test_a_model_of_several_inputs_is_refused(self, site: Site):
        message = error(self.post(site.client, BYTES, "toy"))
        assert message.endswith("which only a model of one input understands; the inputs are text, numbers")
