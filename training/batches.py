"""Which rows are computed together: rows of like size, so that little is padded.

    rows ─ shuffle ─▶ pools of 32 batches ─ sort by size ─▶ batches ─ shuffle ─▶ pad with 0 to the batch's longest

Only an open first axis is padded: words, steps of a series. Padding is masked by the model, so it costs time and
teaches nothing.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.encode import Array, Rows

POOL = 32
Batch = tuple[dict[str, Array], dict[str, Array]]


def order(sizes: NDArray[Any], size: int, rng: np.random.Generator | None) -> list[NDArray[np.int64]]:
    """Row numbers of each batch: every row once. Without `rng`, simply the smallest rows first."""
    if rng is None:
        return _cut(np.argsort(sizes, kind="stable"), size)
    pools = _cut(rng.permutation(len(sizes)), size * POOL)
    batches = [part for pool in pools for part in _cut(pool[np.argsort(sizes[pool], kind="stable")], size)]
    return [batches[place] for place in rng.permutation(len(batches))]


def pad(rows: list[Array]) -> Array:
    """One tensor `(n, longest, …)`, zeros at the end of the shorter rows."""
    longest = max((len(row) for row in rows if row.ndim), default=0) or 1
    if all(not row.ndim or len(row) == longest for row in rows):
        return np.stack(rows)
    padded = np.zeros((len(rows), longest, *rows[0].shape[1:]), dtype=rows[0].dtype)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def sizes(rows: Rows) -> NDArray[np.int64]:
    """Words and numbers per row, all inputs together."""
    columns = zip(*rows.inputs.values(), strict=True)
    return np.asarray([sum(array.size for array in row) for row in columns], dtype=np.int64)


def batch(rows: Rows, places: NDArray[np.int64]) -> Batch:
    """The rows at these places as padded tensors, inputs and targets by name."""
    inputs = {name: pad([column[place] for place in places]) for name, column in rows.inputs.items()}
    return inputs, {name: column[places] for name, column in rows.targets.items()}


def dataset(rows: Rows, size: int, rng: np.random.Generator | None = None) -> Any:
    """A `tf.data.Dataset` that gives every row once an epoch, in a new order each time if there is an `rng`.

    Where rows differ in length that axis stays open: Keras compiles one graph and not one per length.
    """
    import tensorflow as tf

    weights = sizes(rows)

    def epoch() -> Iterator[Batch]:
        for places in order(weights, size, rng):
            yield batch(rows, places)

    signature = (
        {name: tf.TensorSpec(_shape(column), column[0].dtype) for name, column in rows.inputs.items()},
        {name: tf.TensorSpec((None, *column.shape[1:]), column.dtype) for name, column in rows.targets.items()},
    )
    count = -(-len(rows) // size)
    made = tf.data.Dataset.from_generator(epoch, output_signature=signature)
    return made.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)


def _shape(column: list[Array]) -> tuple[int | None, ...]:
    """The shape of a batch of these rows, None where it varies."""
    first = column[0].shape
    return (None, *first) if all(row.shape == first for row in column) else (None, None, *first[1:])


def _cut(places: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [places[start : start + size] for start in range(0, len(places), size)]
