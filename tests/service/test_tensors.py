"""Rows in and out of batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service import tensors

WIDTHS = st.integers(1, 4)
DTYPES = st.sampled_from(["float32", "int64", "int8", "bool"])


@st.composite
def parts(draw):
    """Tensors of one kind, several rows each."""
    inputs = {name: (draw(DTYPES), draw(WIDTHS)) for name in draw(st.sets(st.sampled_from("abc"), min_size=1))}
    counts = draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    return [
        {name: draw(arrays.arrays(dtype, (rows, width))) for name, (dtype, width) in inputs.items()} for rows in counts
    ]


@given(parts())
def test_split_undoes_join(given_parts):
    counts = [tensors.rows(part) for part in given_parts]
    joined = tensors.join(given_parts)
    assert tensors.rows(joined) == sum(counts)
    again = tensors.split(joined, counts)
    for part, same in zip(given_parts, again, strict=True):
        assert part.keys() == same.keys()
        for name in part:
            np.testing.assert_array_equal(part[name], same[name])
            assert part[name].dtype == same[name].dtype


@pytest.mark.parametrize("counts", [[1, 1], [2, 2], []], ids=["too few", "too many", "none"])
def test_split_refuses_counts_that_do_not_add_up(counts):
    with pytest.raises(ValueError, match="3 rows cannot be split"):
        tensors.split({"x": np.zeros((3, 1))}, counts)


def test_rows_refuses_tensors_that_disagree():
    with pytest.raises(ValueError, match=r"disagree on the number of rows: \[1, 2\]"):
        tensors.rows({"x": np.zeros((1, 1)), "y": np.zeros((2, 1))})


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param({"x": np.zeros((5, 3), "float32")}, True, id="other number of rows"),
        pytest.param({"x": np.zeros((1, 4), "float32")}, False, id="other width"),
        pytest.param({"x": np.zeros((1, 3, 1), "float32")}, False, id="other rank"),
        pytest.param({"x": np.zeros((1, 3), "float64")}, False, id="other dtype"),
        pytest.param({"y": np.zeros((1, 3), "float32")}, False, id="other name"),
        pytest.param({"x": np.zeros((1, 3), "float32"), "y": np.zeros(1)}, False, id="one input more"),
    ],
)
def test_only_equal_names_dtypes_and_shapes_are_one_kind(other, same):
    assert (tensors.kind({"x": np.zeros((1, 3), "float32")}) == tensors.kind(other)) is same


@given(st.lists(WIDTHS, min_size=1, max_size=20), st.integers(1, 5))
def test_pack_puts_every_row_once_into_groups_of_its_own_shape(widths, most):
    rows = [{"x": np.full(width, number)} for number, width in enumerate(widths)]
    packed = tensors.pack(rows, most)
    assert sorted(position for positions, _ in packed for position in positions) == list(range(len(rows)))
    for positions, group in packed:
        assert len(positions) <= most
        for position, row in zip(positions, group["x"], strict=True):
            np.testing.assert_array_equal(row, rows[position]["x"])


@given(st.lists(WIDTHS, min_size=1, max_size=20))
def test_pack_makes_no_more_groups_than_there_are_shapes(widths):
    packed = tensors.pack([{"x": np.zeros(width)} for width in widths], len(widths))
    assert len(packed) == len(set(widths))
