"""One kind of input at a time, from its JSON value to its array, or to a fault and its place."""

import base64
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.card import CategoryInput, ImageInput, Input, NumbersInput, TextInput
from service.errors import Fault, InvalidInput
from service.fields import build
from service.schemas import MOST_FAULTS, Rows
from service.signature import Signature, TensorSpec
from tests.service.artifacts import png


def only(spec: Input | None, dtype: str, *dims: int | None) -> Rows:
    """Rows of one input, `x`."""
    signature = Signature({"x": TensorSpec("x", np.dtype(dtype), (None, *dims))}, {})
    return Rows(build(signature, {} if spec is None else {"x": spec}, {}.__getitem__), {})


def numbers(*dims: int | None, dtype: str = "float32", **more) -> Rows:
    return only(NumbersInput(dims, **{"max_length": 4} | more), dtype, *dims)


def image(*dims: int) -> Rows:
    return only(ImageInput(dims[0], dims[1], len(dims[2:]) * 2 + 1), "uint8", *dims)


def category(*labels: str, dtype: str = "int32") -> Rows:
    return only(CategoryInput(labels), dtype)


def loaded(rows: Rows, value) -> np.ndarray:
    [row] = rows.load([{"x": value}])
    return row["x"]


def fault(rows: Rows, value) -> tuple[str, str]:
    """Pointer, from the value on, and message of the only fault."""
    with pytest.raises(InvalidInput) as caught:
        rows.load([{"x": value}])
    [only] = caught.value.faults
    return only.pointer.removeprefix("/0/x"), only.detail


class TestNumbers:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_they_have_the_signatures_dtype_and_shape(self, dtype):
        assert loaded(numbers(2, 2, dtype=dtype), [[1, 2], [3, 4.5]]).dtype == np.dtype(dtype)
        assert loaded(numbers(2, 2), [[1, 2], [3, 4.5]]).tolist() == [[1, 2], [3, 4.5]]
        assert loaded(numbers(), 7).shape == ()

    @pytest.mark.parametrize(
        ("minimum", "maximum", "expected"),
        [(0, 1, "from 0 to 1"), (0, None, "of at least 0"), (None, 1.0, "of at most 1"), (-1e6, 0.25, None)],
    )
    def test_the_first_beyond_a_bound_is_named_with_its_place(self, minimum, maximum, expected):
        rows = numbers(None, 2, minimum=minimum, maximum=maximum)
        beyond = 3 if maximum is not None else -2
        pointer, detail = fault(rows, [[0.25, 0], [0, beyond], [beyond, 0]])
        assert pointer == "/1/1"
        assert detail == f"expected a number {expected or 'from -1000000 to 0.25'}, got {beyond}"

    def test_a_single_number_has_no_place_of_its_own(self):
        assert fault(numbers(minimum=0, maximum=1), 3) == ("", "expected a number from 0 to 1, got 3")

    @given(
        value=arrays.arrays(np.float32, (3, 2), elements=st.floats(-2, 2, width=32)),
        minimum=st.none() | st.floats(-2, 0),
        maximum=st.none() | st.floats(0, 2),
    )
    def test_what_is_within_the_bounds_is_taken_and_nothing_else(self, value, minimum, maximum):
        rows = numbers(None, 2, minimum=minimum, maximum=maximum)
        low, high = (np.float32(side if bound is None else bound) for side, bound in ((-9, minimum), (9, maximum)))
        if ((value >= low) & (value <= high)).all():
            assert np.array_equal(loaded(rows, value.tolist()), value)
        else:
            wrong = np.argwhere((value < low) | (value > high))[0]
            assert fault(rows, value.tolist())[0] == f"/{wrong[0]}/{wrong[1]}"

    @pytest.mark.parametrize("bound", [0.1, 1e-50, 16777217.0, -0.3])
    def test_a_bound_itself_is_within_though_float32_has_no_such_number(self, bound):
        assert loaded(numbers(minimum=bound), bound) == loaded(numbers(maximum=bound), bound) == np.float32(bound)

    def test_a_bound_beyond_the_dtype_is_none(self):
        assert loaded(numbers(minimum=-1e300, maximum=1e300), 3e38) == np.float32(3e38)

    def test_whole_numbers_have_bounds_as_well(self):
        rows = numbers(None, dtype="int32", minimum=0)
        assert loaded(rows, [2**31 - 1, 0]).tolist() == [2**31 - 1, 0]
        assert fault(rows, [1, -1]) == ("/1", "expected a number of at least 0, got -1")

    def test_an_open_axis_has_so_many_steps_at_most(self):
        assert loaded(numbers(None, 2), [[1, 2]] * 4).shape == (4, 2)
        assert fault(numbers(None, 2), [[1, 2]] * 5) == ("", "expected at most 4 steps, got 5")

    def test_a_closed_axis_has_its_size_and_no_other_limit(self):
        assert loaded(numbers(6), [0] * 6).shape == (6,)
        assert fault(numbers(6), [0] * 7) == ("", "expected 6 elements, got 7")

    def test_a_size_that_only_the_card_knows_counts(self):
        rows = only(NumbersInput((None, 2), max_length=4), "float32", None, None)
        assert fault(rows, [[1, 2, 3]]) == ("/0", "expected 2 elements, got 3")

    @pytest.mark.parametrize(
        ("value", "pointer", "detail"),
        [
            (None, "", "expected a list of lists of 2, got null"),
            ([], "", "expected at least 1 elements, got 0"),
            ([[1, True]], "/0/1", "expected a number, got true"),
            ([[1, "2"]], "/0/1", 'expected a number, got the string "2"'),
            ([[1, 1e39]], "/0/1", "expected float32 from -3.4028234663852886e+38 to 3.4028234663852886e+38, got 1e+39"),
        ],
        ids=["null", "empty", "true", "string", "huge"],
    )
    def test_they_are_strict_like_any_tensor(self, value, pointer, detail):
        assert fault(numbers(None, 2, minimum=0), value) == (pointer, detail)

    def test_arrays_are_taken_as_they_are_within_the_same_limits(self):
        rows = numbers(None, 2, minimum=0)
        assert loaded(rows, np.ones((3, 2), np.float32)).shape == (3, 2)
        assert fault(rows, np.ones((5, 2), np.float32)) == ("", "expected at most 4 steps, got 5")
        assert fault(rows, np.float32([[1, -1]])) == ("/0/1", "expected a number of at least 0, got -1.0")
        assert fault(rows, np.float32([[1, np.nan]])) == ("/0/1", "expected a number of at least 0, got nan")


PIXELS = st.sampled_from([(2, 3), (2, 3, 3), (5, 4), (5, 4, 3), (1, 1)]).flatmap(
    lambda shape: arrays.arrays(np.uint8, shape)
)


class TestImages:
    @given(pixels=PIXELS)
    def test_the_same_pixels_in_any_form_are_the_same_picture(self, pixels):
        rows, text = image(*pixels.shape), png(pixels)
        wrapped = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
        forms = [pixels.tolist(), text, f"data:image/png;base64,{text}", wrapped, {"b64": text}]
        for value in [*forms, base64.b64decode(text), pixels]:
            assert np.array_equal(loaded(rows, value), pixels)
            assert loaded(rows, value).dtype == np.uint8

    @given(pixels=PIXELS, dtype=st.sampled_from(["float16", "float32", "float64"]))
    def test_to_a_model_of_floats_a_picture_is_what_its_pixels_were_scaled_to(self, pixels, dtype):
        """As Keras scales: by a division of floats; grey may have an axis of its own."""
        dims = pixels.shape if pixels.ndim == 3 else (*pixels.shape, 1)
        rows = only(ImageInput(*dims, range=(0, 1)), dtype, *dims)
        scaled = (pixels.astype("float64") / 255).astype(dtype).reshape(dims)
        for value in (png(pixels), scaled.tolist()):
            assert np.array_equal(loaded(rows, value), scaled)
            assert loaded(rows, value).dtype == scaled.dtype

    @pytest.mark.parametrize("ends", [(0, 255), (-1, 1), (1, 0), (-123.5, 131.5)])
    def test_black_and_white_are_as_the_card_has_them(self, ends):
        rows = only(ImageInput(2, 3, 1, range=ends), "float32", 2, 3)
        found = loaded(rows, png(np.array([[0, 255, 0], [51, 0, 0]], np.uint8)))
        assert (found[0, 0], found[0, 1]) == ends
        assert found[1, 0] == pytest.approx(ends[0] + (ends[1] - ends[0]) / 5)

    @pytest.mark.parametrize(
        ("value", "pointer", "detail"),
        [
            ([[1, 2], [3, 4]], "/0", "expected 3 elements, got 2"),
            ([[1, 2, 3]], "", "expected 2 elements, got 1"),
            ([[1, 2, 3], [4, 256, 6]], "/1/1", "expected uint8 from 0 to 255, got 256"),
            ([[1, 2, 3], [4, 5, -1]], "/1/2", "expected uint8 from 0 to 255, got -1"),
            ([[1, 2, 3], [4, 5, 0.5]], "/1/2", "expected a pixel, a whole number from 0 to 255, got 0.5"),
            ([[1, 2, 3], [4, 5, True]], "/1/2", "expected a pixel, a whole number from 0 to 255, got true"),
            ([[1, 2, 3], [4, 5, [6]]], "/1/2", "expected a pixel, a whole number from 0 to 255, got a list of 1"),
        ],
        ids=["width", "height", "too light", "too dark", "fraction", "true", "too deep"],
    )
    def test_nested_numbers_have_exactly_its_shape_and_are_bytes(self, value, pointer, detail):
        assert fault(image(2, 3), value) == (pointer, detail)

    FORMS = "a PNG or JPEG picture in base64 or a list of 2 lists of 3"

    @pytest.mark.parametrize(
        ("value", "got"),
        [
            (None, "null"),
            (7, "7"),
            (True, "true"),
            ({}, "an object"),
            ({"b64": 7}, "an object"),
            ({"b64": "AAAA", "x": 1}, "an object"),
            ("no base64!", "a string that is no base64"),
            ("AAA", "a string that is no base64"),
            ("Ⓐ", "a string that is no base64"),
            ({"b64": "%"}, "a string that is no base64"),
        ],
    )
    def test_all_else_is_refused_with_what_would_do(self, value, got):
        assert fault(image(2, 3), value) == ("", f"expected {self.FORMS}, got {got}")

    @pytest.mark.parametrize("value", ["", {"b64": ""}, "data:image/png;base64,"])
    def test_an_empty_picture_is_none(self, value):
        assert fault(image(2, 3), value) == ("", "expected a PNG or JPEG picture, got no bytes")

    @pytest.mark.parametrize("value", ["data:image/png,AAAA", "data:AAAA", "data:"])
    def test_a_data_url_must_be_in_base64(self, value):
        assert fault(image(2, 3), value)[1] == "expected a data URL in base64, such as data:image/png;base64,…"

    def test_what_is_wrong_with_a_picture_is_told(self):
        wide = png(np.zeros((10, 40), np.uint8))
        assert fault(image(2, 3), wide)[1].endswith("3 × 2, or of that aspect ratio, got 40 × 10; crop it first")


class TestCategories:
    @given(labels=st.lists(st.text(min_size=1), min_size=2, unique=True), data=st.data())
    def test_a_label_and_its_number_are_the_same(self, labels, data):
        number = data.draw(st.integers(0, len(labels) - 1))
        by_label, by_number = (loaded(category(*labels), value) for value in (labels[number], number))
        assert by_label.shape == by_number.shape == ()
        assert by_label == by_number == number

    @pytest.mark.parametrize("dtype", ["int32", "int64"])
    def test_the_number_has_the_signatures_dtype(self, dtype):
        assert loaded(category("a", "b", dtype=dtype), "b").dtype == np.dtype(dtype)

    def test_a_model_of_strings_gets_the_label(self):
        rows = category("b", "a", dtype="object")
        assert (loaded(rows, "a"), loaded(rows, 0)) == ("a", "b")
        assert fault(rows, "c") == ("", "unknown label 'c'; the labels are b, a")

    def test_numbers_of_numpy_are_numbers(self):
        assert loaded(category("a", "b"), np.int32(1)) == loaded(category("a", "b"), np.array(1)) == 1

    @pytest.mark.parametrize(
        ("value", "detail"),
        [
            ("shirts", "unknown label 'shirts', did you mean 'shirt'?"),
            ("SHIRT", "unknown label 'SHIRT', did you mean 'shirt'?"),
            ("hat", "unknown label 'hat'; the labels are dress, shirt, coat"),
            ("", "unknown label ''; the labels are dress, shirt, coat"),
            (3, "expected a label or its number from 0 to 2, got 3"),
            (-1, "expected a label or its number from 0 to 2, got -1"),
            (1.0, "expected a label or its number from 0 to 2, got 1.0"),
            (True, "expected a label or its number from 0 to 2, got true"),
            (None, "expected a label or its number from 0 to 2, got null"),
            ([0], "expected a label or its number from 0 to 2, got a list of 1"),
            (2**70, "expected a label or its number from 0 to 2, got 1180591620717411303424"),
        ],
    )
    def test_what_is_no_label_is_told_what_would_be(self, value, detail):
        assert fault(category("dress", "shirt", "coat"), value) == ("", detail)

    def test_a_label_that_reads_like_a_number_is_a_label(self):
        assert loaded(category("2", "1", "0"), "2") == 0

    def test_many_labels_are_not_all_listed_nor_a_long_word_repeated(self):
        _, detail = fault(category(*map(str, range(1000))), "x" * 10_000)
        assert detail.startswith("unknown label 'xxx")
        assert "; the labels are 0, 1, 2, 3" in detail
        assert len(detail) < 300
        assert detail.endswith("…")


ELEMENTS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dictionaries(st.text(), st.none())


class TestSingles:
    ROWS: ClassVar = {
        "text": only(TextInput((1,)), "object", 1),
        "label": only(CategoryInput(("a", "b")), "object", 1),
        "number of a label": only(CategoryInput(("a", "b")), "int32", 1),
        "bounded": numbers(1, minimum=0, maximum=9),
        "a size that only the card knows": only(NumbersInput((1,), max_length=1), "float32", None),
        **{dtype: only(None, dtype, 1) for dtype in ("bool", "int8", "float64", "object")},
    }

    @pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
    @given(value=ELEMENTS | st.sampled_from(["a", "b", 0, 1, 0.5]))
    def test_an_element_is_read_as_in_its_list_and_only_the_strict_want_that(self, rows: Rows, value):
        assert outcome(rows, value) == outcome(rows, [value], "/0") == outcome(rows.strict, [value], "/0")
        assert outcome(rows.strict, value)[1].startswith("expected a ")

    @pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
    def test_a_list_has_one_element(self, rows: Rows):
        for value in ([], ["a", "a"]):
            assert fault(rows, value) == ("", f"expected 1 elements, got {len(value)}")

    def test_only_what_becomes_the_same_array_is_read_alike(self):
        same = {(one, other) for one in self.ROWS for other in self.ROWS if not self.ROWS[one].unlike(self.ROWS[other])}
        pairs = {("text", "object"), ("bounded", "a size that only the card knows")}
        assert same == {(one, one) for one in self.ROWS} | pairs | {(other, one) for one, other in pairs}

    def test_arrays_may_have_the_axis_or_not(self):
        for value in (np.array(7, np.int8), np.array([7], np.int8)):
            assert outcome(numbers(1), value) == ([7], (1,), "float32")
            assert fault(category("a", "b", dtype="int64"), np.array(2))[1].endswith("from 0 to 1, got 2")


def outcome(rows: Rows, value, below: str = "") -> tuple:
    """The array that a value becomes; or what is wrong with it, and where, from `below` on."""
    try:
        array = loaded(rows, value)
    except InvalidInput as error:
        [only] = error.faults
        return only.pointer.removeprefix(f"/0/x{below}"), only.detail
    return array.tolist(), array.shape, array.dtype.name


def test_after_the_first_wrong_row_the_faults_of_all_are_named():
    with pytest.raises(InvalidInput) as caught:
        category("a", "b").load([{"x": "a"}, {"x": 2}, {"x": "b"}, {}])
    assert [fault.pointer for fault in caught.value.faults] == ["/1/x", "/3/x"]


def test_but_no_more_than_anyone_reads():
    with pytest.raises(InvalidInput) as caught:
        category("a", "b").load([{"x": number} for number in range(1000)])
    assert caught.value.faults[0] == Fault("/2/x", "expected a label or its number from 0 to 1, got 2")
    assert len(caught.value.faults) == MOST_FAULTS
