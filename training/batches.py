"""Which rows are computed together: rows of like length, so that little is padded.

    rows ─ shuffle ─▶ pools of 32 batches ─ sort by length ─▶ batches ─ shuffle ─▶ pad with 0 to the batch's longest

Padding is masked by the model, so it costs time and teaches nothing.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.encode import Ids, Rows
from training.words import PAD_ID

POOL = 32
Batch = tuple[dict[str, Ids], dict[str, NDArray[Any]]]


def order(lengths: NDArray[Any], size: int, rng: np.random.Generator | None) -> list[NDArray[np.int64]]:
    """Row numbers of each batch: every row once. Without `rng`, simply the shortest rows first."""
    if rng is None:
        return _cut(np.argsort(lengths, kind="stable"), size)
    pools = _cut(rng.permutation(len(lengths)), size * POOL)
    batches = [part for pool in pools for part in _cut(pool[np.argsort(lengths[pool], kind="stable")], size)]
    return [batches[place] for place in rng.permutation(len(batches))]


def pad(rows: list[Ids]) -> Ids:
    """One `(n, longest)` tensor of ids, zeros at the end of the shorter rows."""
    padded = np.full((len(rows), max(1, *(len(row) for row in rows)) if rows else 1), PAD_ID, dtype=np.int32)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def lengths(rows: Rows) -> NDArray[np.int64]:
    """Words per row, all inputs together."""
    columns = zip(*rows.inputs.values(), strict=True)
    return np.asarray([sum(len(ids) for ids in row) for row in columns], dtype=np.int64)


def batch(rows: Rows, places: NDArray[np.int64]) -> Batch:
    """The rows at these places as padded tensors, inputs and targets by name."""
    inputs = {name: pad([column[place] for place in places]) for name, column in rows.inputs.items()}
    return inputs, {name: column[places] for name, column in rows.targets.items()}


def dataset(rows: Rows, size: int, rng: np.random.Generator | None = None) -> Any:
    """A `tf.data.Dataset` that gives every row once an epoch, in a new order each time if there is an `rng`.

    Its shapes stay open (None, None): Keras compiles one graph and not one per length.
    """
    import tensorflow as tf

    words = lengths(rows)

    def epoch() -> Iterator[Batch]:
        for places in order(words, size, rng):
            yield batch(rows, places)

    signature = (
        {name: tf.TensorSpec((None, None), tf.int32) for name in rows.inputs},
        {name: tf.TensorSpec((None, *column.shape[1:]), column.dtype) for name, column in rows.targets.items()},
    )
    count = -(-len(rows) // size)
    made = tf.data.Dataset.from_generator(epoch, output_signature=signature)
    return made.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)


def _cut(places: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [places[start : start + size] for start in range(0, len(places), size)]
