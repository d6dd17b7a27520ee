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


RAGGED = {"x": "x/length", "z": "z/length"}
LONGS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 9)), min_size=1, max_size=8)
"""Rows of a part, steps of its x and of its z."""


def ragged_part(rows: int, x: int, z: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng([rows, x, z])
    return {"x": random.integers(1, 9, (rows, x)), "y": random.random((rows, 2)), "z": random.random((rows, z, 3))}


@given(LONGS)
def test_join_keeps_every_step_and_says_how_many_there_are(longs):
    given_parts = [ragged_part(*long) for long in longs]
    counts = [tensors.rows(part) for part in given_parts]
    joined = tensors.join(given_parts, RAGGED)
    assert joined["z"].shape[2:] == (3,)
    for part, same in zip(given_parts, tensors.split(joined, counts), strict=True):
        np.testing.assert_array_equal(part["y"], same["y"])
        for name, lengths in RAGGED.items():
            steps = part[name].shape[1]
            np.testing.assert_array_equal(part[name], same[name][:, :steps])
            assert not same[name][:, steps:].any()
            assert same[name].dtype == part[name].dtype
            assert same.get(lengths, np.array([steps])).tolist() in ([steps], [steps] * len(same[name]))


@given(LONGS)
def test_lengths_come_only_with_what_is_padded(longs):
    joined = tensors.join([ragged_part(*long) for long in longs], RAGGED)
    for name, place in (("x", 1), ("z", 2)):
        assert (RAGGED[name] in joined) == (len({long[place] for long in longs}) > 1)
        assert joined[name].shape[1] == max(long[place] for long in longs)
    assert all(joined[lengths].dtype == np.int32 for lengths in RAGGED.values() if lengths in joined)


@given(LONGS, st.integers(1, 7))
def test_joining_what_was_joined_is_joining_all(longs, after):
    given_parts = [ragged_part(*long) for long in longs]
    whole = tensors.join(given_parts, RAGGED)
    halves = [tensors.join(half, RAGGED) for half in (given_parts[:after], given_parts[after:]) if half]
    again = tensors.join(halves, RAGGED)
    assert again.keys() == whole.keys()
    for name in whole:
        np.testing.assert_array_equal(again[name], whole[name])


@given(st.tuples(st.integers(1, 300), st.integers(1, 40)), st.tuples(st.integers(1, 300), st.integers(1, 40)))
def test_rows_of_one_ragged_kind_have_less_than_twice_the_steps_of_each_other(one, other):
    kinds = [tensors.kind(ragged_part(1, *steps), RAGGED) for steps in (one, other)]
    if kinds[0] == kinds[1]:
        assert max(sum(one), sum(other)) < 2 * min(sum(one), sum(other))
    else:
        assert sum(one) != sum(other)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"x": np.zeros((1, 5), "float32")}, id="dtype"),
        pytest.param({"x": np.zeros((1, 5, 1), "int64")}, id="rank"),
        pytest.param({"x": np.zeros((1, 0), "int64")}, id="nothing"),
        pytest.param({"y": np.zeros((1, 3))}, id="an input that is not ragged"),
        pytest.param({"z": np.zeros((1, 3, 4))}, id="width"),
    ],
)
def test_in_all_but_length_one_ragged_kind_is_alike(other):
    part = ragged_part(1, 5, 3)
    assert tensors.kind(part, RAGGED) != tensors.kind({**part, **other}, RAGGED)


def test_the_lengths_beside_rows_do_not_change_their_kind():
    part = ragged_part(1, 5, 3)
    assert tensors.kind(part, RAGGED) == tensors.kind({**part, "x/length": np.array([4])}, RAGGED)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.integers(1, 5))
def test_pack_puts_rows_of_different_lengths_together(widths, most):
    rows = [{"x": np.full(width, number + 1)} for number, width in enumerate(widths)]
    packed = tensors.pack(rows, most, {"x": "x/length"})
    assert sorted(position for positions, _ in packed for position in positions) == list(range(len(rows)))
    assert len(tensors.pack(rows, len(rows), {"x": "x/length"})) == len({width.bit_length() for width in widths})
    for positions, group in packed:
        assert len(positions) <= most
        lengths = group.get("x/length", np.full(len(positions), group["x"].shape[1]))
        for position, row, length in zip(positions, group["x"], lengths, strict=True):
            np.testing.assert_array_equal(row[:length], rows[position]["x"])
