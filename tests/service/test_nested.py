"""Nested JSON lists to arrays: NumPy's own values for what is well formed, the culprit's place for what is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.nested import Misfit, to_array

INTEGERS = [np.dtype(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")]
FLOATS = [np.dtype(name) for name in ("float16", "float32", "float64")]
BOOLEAN, STRING = np.dtype(bool), np.dtype(object)

SHAPES = st.lists(st.integers(1, 4), max_size=3).map(tuple)


def elements(dtype: np.dtype) -> st.SearchStrategy:
    if dtype.kind == "f":
        return arrays.from_dtype(dtype, allow_nan=False, allow_infinity=False)
    return arrays.from_dtype(dtype)


@st.composite
def well_formed(draw):
    """A dtype, an array of it, and dims that fit it: some sizes known, some not."""
    dtype = draw(st.sampled_from([*INTEGERS, *FLOATS, BOOLEAN]))
    array = draw(arrays.arrays(dtype, draw(SHAPES), elements=elements(dtype)))
    dims = tuple(size if draw(st.booleans()) else None for size in array.shape)
    return dtype, array, dims


def misfit(value, dtype, dims) -> Misfit:
    with pytest.raises(Misfit) as caught:
        to_array(value, np.dtype(dtype), dims)
    return caught.value


@given(well_formed())
def test_a_well_formed_value_is_the_array_numpy_would_make(case):
    dtype, array, dims = case
    result = to_array(array.tolist(), dtype, dims)
    assert result.dtype == dtype
    assert result.shape == array.shape
    np.testing.assert_array_equal(result, array)


@given(st.lists(st.text(), min_size=1))
def test_strings_are_kept_as_they_are(texts):
    result = to_array(texts, STRING, (None,))
    assert result.dtype == STRING
    assert result.tolist() == texts


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1), st.sampled_from(FLOATS[1:]))
def test_whole_numbers_are_numbers_too(numbers, dtype):
    np.testing.assert_array_equal(to_array(numbers, dtype, (None,)), np.array(numbers, dtype))


@given(well_formed(), st.data())
def test_one_wrong_element_is_found_wherever_it_is(case, data):
    dtype, array, dims = case
    place = tuple(data.draw(st.integers(0, size - 1)) for size in array.shape)
    value = array.tolist()
    wrong = data.draw(st.sampled_from(["text", None, {}, []]))
    if place:
        inner = value
        for index in place[:-1]:
            inner = inner[index]
        inner[place[-1]] = wrong
    else:
        value = wrong
    assert misfit(value, dtype, dims).path == place


@given(st.lists(st.integers(2, 4), min_size=2, max_size=3), st.data())
def test_one_ragged_list_is_found_wherever_it_is(shape, data):
    depth = data.draw(st.integers(1, len(shape) - 1))
    first = data.draw(st.integers(1, shape[0] - 1))  # the very first list is what the others are compared with
    place = (first, *(data.draw(st.integers(0, size - 1)) for size in shape[1:depth]))
    value = np.zeros(shape).tolist()
    ragged = value
    for index in place:
        ragged = ragged[index]
    ragged.append(ragged[0])
    found = misfit(value, "float32", (None,) * len(shape))
    assert found.path == place
    assert str(found) == f"expected {shape[depth]} elements, got {shape[depth] + 1}"


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
class TestIntegers:
    def test_the_edges_of_the_range_fit(self, dtype):
        limits = np.iinfo(dtype)
        edges = [int(limits.min), int(limits.max)]
        assert to_array(edges, dtype, (2,)).tolist() == edges

    @pytest.mark.parametrize("beyond", [-1, 1, 2**70], ids=["below", "above", "far above"])
    def test_beyond_them_the_culprit_and_the_range_are_named(self, dtype, beyond):
        limits = np.iinfo(dtype)
        number = int(limits.min) - 1 if beyond == -1 else int(limits.max) + beyond
        found = misfit([[0, 1], [2, number]], dtype, (None, None))
        assert found.path == (1, 1)
        assert str(found) == f"expected {dtype.name} from {limits.min} to {limits.max}, got {number}"

    def test_a_fraction_is_never_cut(self, dtype):
        assert str(misfit([1, 2.5], dtype, (2,))) == "expected an integer, got 2.5"

    def test_a_whole_number_may_be_written_as_a_float(self, dtype):
        assert to_array([2.0, 3], dtype, (2,)).tolist() == [2, 3]
        assert to_array([2.0, 3], dtype, (2,)).dtype == dtype

    def test_a_float_that_stands_for_several_integers_is_none(self, dtype):
        assert misfit([1, 2.0**53], dtype, (2,)).path == (1,)

    def test_a_float_out_of_range_is_refused(self, dtype):
        if dtype.itemsize < 8:
            assert misfit([float(np.iinfo(dtype).max) + 1], dtype, (1,)).path == (0,)

    def test_true_is_no_number(self, dtype):
        assert str(misfit([1, True], dtype, (2,))) == "expected an integer, got true"


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
class TestFloats:
    def test_the_largest_fits(self, dtype):
        largest = float(np.finfo(dtype).max)
        assert to_array([largest, -largest], dtype, (2,)).tolist() == [largest, -largest]

    @pytest.mark.parametrize("number", [10**400, -(10**400)], ids=["huge", "negative"])
    def test_an_integer_beyond_every_float_is_named(self, dtype, number):
        found = misfit([1.0, number], dtype, (2,))
        assert found.path == (1,)
        assert str(found).startswith(f"expected {dtype.name} from -")

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
    def test_what_is_not_finite_is_refused(self, dtype, number):
        assert misfit([[1.0], [number]], dtype, (None, 1)).path == (1, 0)

    def test_true_is_no_number(self, dtype):
        assert str(misfit([True], dtype, (1,))) == "expected a number, got true"


def short(number: float) -> str:
    return str(number)[:9]


class TestBrainFloats:
    @pytest.fixture
    def brain(self) -> np.dtype:
        return np.dtype(pytest.importorskip("ml_dtypes").bfloat16)

    def test_they_are_rounded_to_what_they_hold(self, brain):
        found = to_array([[1.00390625, 2**127], [-0.0, 1]], brain, (None, 2))
        assert found.dtype == brain
        assert found.tolist() == [[1, 2.0**127], [0, 1]]

    @pytest.mark.parametrize("number", [3.4e38, 2**128, 10**400, -(10**400), float("inf"), float("nan")], ids=short)
    def test_what_is_beyond_them_is_named(self, brain, number):
        found = misfit([0, number], brain, (2,))
        assert found.path == (1,)
        assert str(found).startswith("expected bfloat16 from -3.38953")

    def test_true_is_no_number(self, brain):
        assert str(misfit([True], brain, (1,))) == "expected a number, got true"


@pytest.mark.parametrize(("dtype", "number"), [("float16", 65520.0), ("float16", 65520), ("float32", 3.5e38)])
def test_a_float_beyond_the_dtype_is_named(dtype, number):
    assert misfit([0, number], dtype, (2,)).path == (1,)


@pytest.mark.parametrize(
    ("value", "dims", "place", "message"),
    [
        pytest.param(1, (None,), (), "expected a list, got 1", id="no list"),
        pytest.param([1, 2], (2, 3), (0,), "expected a list of 3, got 1", id="too shallow"),
        pytest.param([[1], 2], (None, None), (1,), "expected a list, got 2", id="shallow later"),
        pytest.param([[[1]]], (None, None), (0, 0), "expected a number, got a list of 1", id="too deep"),
        pytest.param([], (None,), (), "expected at least 1 elements, got 0", id="empty"),
        pytest.param([[1], []], (None, None), (1,), "expected 1 elements, got 0", id="one empty"),
        pytest.param([[], [1]], (None, None), (0,), "expected at least 1 elements, got 0", id="first empty"),
        pytest.param([[], []], (None, None), (0,), "expected at least 1 elements, got 0", id="all empty"),
        pytest.param([1, 2, 3], (2,), (), "expected 2 elements, got 3", id="too many"),
        pytest.param("text", (None,), (), 'expected a list, got the string "text"', id="string for a list"),
        pytest.param({"0": 1}, (None,), (), "expected a list, got an object", id="object for a list"),
        pytest.param(None, (), (), "expected a number, got null", id="null"),
        pytest.param(False, (), (), "expected a number, got false", id="false"),
        pytest.param("x" * 999, (), (), f'expected a number, got the string "{"x" * 45}…', id="long string"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(value, dims, place, message):
    found = misfit(value, "float32", dims)
    assert found.path == place
    assert message.removesuffix("…") in str(found)
    assert len(str(found)) < 100


@pytest.mark.parametrize("value", [0, 1, "true", 1.0])
def test_only_true_and_false_are_booleans(value):
    assert str(misfit([True, value], "bool", (2,))).startswith("expected true or false, got")


@pytest.mark.parametrize("value", [1, True, None, ["a"]])
def test_only_strings_are_strings(value):
    assert str(misfit(value, "object", ())).startswith("expected a string, got")
