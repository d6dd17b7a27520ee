"""Long lists of numbers come out of JSON as arrays; else there is no difference from orjson."""

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.dialects.bodies.numbers import LARGE, LEAST, MOST_MEMBERS, WIDTH, NotAlike, loads
from service.nested import cast, to_array
from tests.service.site import Site

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
LONG = st.lists(NUMBERS, min_size=LEAST - 2, max_size=LEAST + 2) | st.lists(
    st.lists(st.integers(0, 9) | st.floats(0, 1), min_size=WIDTH - 1, max_size=WIDTH + 1), min_size=8, max_size=10
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=3) | LONG,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


def listed(value: Any) -> Any:
    """Arrays as the lists they stand for."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [listed(inner) for inner in value]
    return {key: listed(inner) for key, inner in value.items()} if isinstance(value, dict) else value


@given(VALUES)
@example([1.0] * 99)
@example({"x": [True, *range(99)]})
@example({"x": [[1] * 50, [2] * 51]})
@example({"x": [*range(99), [1]]})
@example({"x": [[1] * 50, [[2], *range(49)]]})
@example({"x": [0.5] * 99, "y": "[["})
@example({"x": [[[1] * 9] * 9, [[2] * 9] * 8]})
@example({"x": [2**64 - 1, *range(99)]})
@example({"x": [2**53 + 1, *[0.5] * 99]})
def test_what_it_reads_is_what_orjson_reads(value):
    body = json.dumps(value).encode()
    try:
        read = loads(body)
    except Exception:  # it leaves the body to orjson
        return
    assert listed(read) == orjson.loads(body)


@given(st.binary(max_size=20), st.integers(0, 200), st.sampled_from([b"[", b'{"x":[', b'{"a":1,"a":']))
def test_what_is_no_json_is_left_to_orjson(noise, places, start):
    body = start + b",".join([b"1.5"] * places) + noise
    try:
        expected = orjson.loads(body)
    except orjson.JSONDecodeError:
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises
            loads(body)
    else:
        try:
            read = loads(body)
        except Exception:  # it leaves the body to orjson
            return
        assert listed(read) == expected


@pytest.mark.parametrize(("members", "is_read"), [(MOST_MEMBERS, True), (MOST_MEMBERS + 1, False)])
def test_of_many_members_each_would_be_searched_for(members, is_read):
    """A hundred thousand took minutes, and nobody else was answered meanwhile."""
    value = {f"a{number}": number for number in range(members)}
    body = json.dumps(value).encode()
    if is_read:
        assert loads(body) == value
    else:
        with pytest.raises(NotAlike):
            loads(body)


@pytest.mark.parametrize("body", [b'{"a":1,"a":2}', b"\xef\xbb\xbf[1]", b"[" * 2000 + b"]" * 2000, b'"\xff"', b""])
def test_what_orjson_may_see_otherwise_is_left_to_it(body):
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises
        loads(body)


@pytest.mark.parametrize(
    ("text", "shape", "dtype"),
    [
        (json.dumps([1] * LEAST), (LEAST,), "int64"),
        (json.dumps([1, *[0.5] * LEAST]), (LEAST + 1,), "float64"),
        (json.dumps([[-1] * WIDTH] * WIDTH), (WIDTH, WIDTH), "int64"),
        (json.dumps([[[0.5] * 16] * 3] * 2), (2, 3, 16), "float64"),
    ],
)
def test_long_rectangles_of_numbers_are_arrays(text, shape, dtype):
    found = loads(f'{{"x": {text}}}'.encode())["x"]
    assert (found.shape, found.dtype.name) == (shape, dtype)


@given(
    arrays.arrays(st.sampled_from(["int64", "float64"]), st.integers(1, 6)),
    st.sampled_from(["float32", "float16", "float64", "int8", "int32", "int64", "uint8", "uint64", "bool"]),
)
def test_an_array_is_cast_only_where_its_list_would_be(array, name):
    dtype = np.dtype(name)
    found = cast(array, dtype)
    if found is not None and np.isfinite(array).all():
        np.testing.assert_array_equal(found, to_array(array.tolist(), dtype, (None,)))
        assert found.dtype == dtype


LONG_ROW = np.round(np.random.default_rng(0).normal(size=1200), 9).tolist()


def weighed(site: Site, rows: list[list[float]]) -> Any:
    """What the fake model says of rows."""
    return pytest.approx(site.engine.run({"x": np.array(rows, np.float32)})["y"].ravel())


class TestDialects:
    """Bodies so large that they are read this way."""

    def test_native(self, site: Site):
        assert len(json.dumps(LONG_ROW)) > LARGE
        one = site.predict("fake", {"x": LONG_ROW})
        assert np.ravel(one.json["y"]) == weighed(site, [LONG_ROW])
        two = site.predict("fake", [{"x": LONG_ROW}, {"x": LONG_ROW[::-1]}])
        assert np.ravel([row["y"] for row in two.json]) == weighed(site, [LONG_ROW, LONG_ROW[::-1]])

    @pytest.mark.parametrize(
        ("body", "key"),
        [
            ({"instances": [{"x": LONG_ROW}, {"x": LONG_ROW}]}, "predictions"),
            ({"instances": [LONG_ROW, LONG_ROW]}, "predictions"),
            ({"inputs": {"x": [LONG_ROW, LONG_ROW]}}, "outputs"),
            ({"inputs": [LONG_ROW, LONG_ROW]}, "outputs"),
        ],
    )
    def test_tensorflow_serving(self, site: Site, body, key):
        assert np.ravel(site.tfs("fake", body).json[key]) == weighed(site, [LONG_ROW, LONG_ROW])

    @pytest.mark.parametrize("data", [LONG_ROW + LONG_ROW, [LONG_ROW, LONG_ROW]])
    def test_open_inference(self, site: Site, data):
        body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 1200], "data": data}]}
        answer = site.client.post("/v2/models/fake/infer", json=body).json
        assert np.array(answer["outputs"][0]["data"]) == weighed(site, [LONG_ROW, LONG_ROW])

    @pytest.mark.parametrize("wrong", ["1", None, True, [1], 1e300])
    def test_what_is_wrong_is_named_as_in_a_small_body(self, site: Site, wrong):
        long = site.predict("fake", {"x": [*LONG_ROW, wrong]}).json
        short = site.predict("fake", {"x": [0.5, wrong]}).json
        assert [(fault["pointer"], fault["detail"]) for fault in long["faults"]] == [
            (fault["pointer"].replace("/1", "/1200"), fault["detail"]) for fault in short["faults"]
        ]

    @pytest.mark.parametrize("body", [{"x": LONG_ROW, "z": LONG_ROW}, [LONG_ROW], {"x": [LONG_ROW]}])
    def test_a_row_of_another_shape_is_named_as_in_a_small_body(self, site: Site, body):
        small = json.loads(json.dumps(body).replace(json.dumps(LONG_ROW), "[0.5, 0.25]"))
        long, short = site.predict("fake", body).json, site.predict("fake", small).json
        assert [fault["pointer"] for fault in long["faults"]] == [fault["pointer"] for fault in short["faults"]]
        assert long["status"] == short["status"] == 422
