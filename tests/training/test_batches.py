"""Batches hold every row once and pad little."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.batches import dataset, order, pad
from training.encode import Rows

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=300).map(np.asarray)


@given(lengths=LENGTHS, size=st.integers(1, 40), seed=st.none() | st.integers(0, 9))
def test_every_row_is_in_one_batch(lengths, size, seed):
    batches = order(lengths, size, None if seed is None else np.random.default_rng(seed))

    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert max(len(batch) for batch in batches) <= size


def test_rows_of_like_length_are_together():
    lengths = np.random.default_rng(0).integers(1, 100, 2_000)
    spread = [np.ptp(lengths[batch]) for batch in order(lengths, 20, np.random.default_rng(1))]

    assert np.mean(spread) < 10


def test_two_epochs_have_different_orders():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(order(np.ones(100), 10, rng)).tolist() for _ in range(2))

    assert first != second


def test_shorter_rows_end_in_zeros():
    assert pad([np.array([5, 6, 7], "int32"), np.array([8], "int32")]).tolist() == [[5, 6, 7], [8, 0, 0]]


def test_only_the_first_axis_is_padded():
    series = [np.ones((2, 3), "float32"), np.ones((1, 3), "float32")]

    assert pad(series).tolist() == [[[1, 1, 1], [1, 1, 1]], [[1, 1, 1], [0, 0, 0]]]


def test_a_text_without_words_is_one_pad():
    assert pad([np.array([], "int32")]).tolist() == [[0]]


def test_rows_of_one_shape_are_stacked_as_they_are():
    pictures = [np.full((2, 2), shade, "uint8") for shade in (0, 255)]

    assert (pad(pictures).shape, pad(pictures).dtype) == ((2, 2, 2), np.dtype("uint8"))
    assert pad([np.float32(1), np.float32(2)]).tolist() == [1, 2]


def test_a_data_set_leaves_open_what_varies_and_nothing_else():
    series = [np.zeros((length, 4), "float32") for length in (3, 1)]
    rows = Rows({"a": series, "b": list(np.zeros((2, 5, 6), "uint8")), "c": list(np.zeros(2, "int32"))}, {})

    inputs, _ = dataset(rows, 2).element_spec

    assert {name: tuple(spec.shape) for name, spec in inputs.items()} == {
        "a": (None, None, 4),
        "b": (None, 5, 6),
        "c": (None,),
    }


def test_a_data_set_gives_inputs_and_targets_by_name_and_knows_how_many_batches_it_has():
    ids = [np.arange(2, 2 + length, dtype="int32") for length in (3, 1, 2)]
    made = dataset(Rows({"a": ids}, {"y": np.asarray([[1.0], [2.0], [3.0]], "float32")}), 2)
    (inputs, targets), (rest, _) = list(made.as_numpy_iterator())

    assert (inputs["a"].tolist(), targets["y"].tolist()) == ([[2, 0], [2, 3]], [[2.0], [3.0]])
    assert rest["a"].tolist() == [[2, 3, 4]]
    assert len(made) == 2
