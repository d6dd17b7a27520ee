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


def test_a_data_set_gives_inputs_and_targets_by_name_and_knows_how_many_batches_it_has():
    ids = [np.arange(2, 2 + length, dtype="int32") for length in (3, 1, 2)]
    made = dataset(Rows({"a": ids}, {"y": np.asarray([[1.0], [2.0], [3.0]], "float32")}), 2)
    (inputs, targets), (rest, _) = list(made.as_numpy_iterator())

    assert (inputs["a"].tolist(), targets["y"].tolist()) == ([[2, 0], [2, 3]], [[2.0], [3.0]])
    assert rest["a"].tolist() == [[2, 3, 4]]
    assert len(made) == 2
