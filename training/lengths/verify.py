"""Whether rows of different lengths, in one batch, are answered as each is alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import golden
from training.lengths.rewrite import length_input
from training.lengths.session import Run

TOLERANCE = 1e-6  # Of `golden.difference`: what rounding does.
TRIALS, CROWD = 12, 24

Row = Mapping[str, NDArray[Any]]


def difference(plain: Run, ragged: Run, rows: Sequence[Row], names: Sequence[str]) -> float:
    """The largest, over batches of rows whose inputs `names` are cut anywhere and padded with others' values."""
    random = np.random.default_rng(0)
    pools = {name: np.concatenate([row[name] for row in rows]) for name in names}
    nothing = {name: np.zeros_like(pool[:1]) for name, pool in pools.items()}  # As the service pads.
    worst = 0.0
    for trial in range(TRIALS):
        picked = [rows[place] for place in random.integers(len(rows), size=random.integers(1, CROWD + 1))]
        batch = [cut(row, names, random) for row in picked]
        together = ragged(padded(batch, pools if trial % 2 else nothing, random))
        for place, row in enumerate(batch):
            alone = plain({name: array[np.newaxis] for name, array in row.items()})
            own = {name: array[place : place + 1] for name, array in together.items()}
            worst = max(worst, golden.difference(alone, own))
    return worst


def cut(row: Row, names: Sequence[str], random: np.random.Generator) -> Row:
    """The row, or the first few steps of it."""
    steps = {name: random.integers(1, len(row[name]) + 1) if random.random() < 0.7 else None for name in names}
    return {name: array[: steps[name]] if name in steps else array for name, array in row.items()}


def padded(
    batch: Sequence[Row], pools: Mapping[str, NDArray[Any]], random: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """One batch of rows of any lengths, and those lengths; beyond them is whatever the pool gives."""
    inputs: dict[str, NDArray[Any]] = {}
    for name in batch[0]:
        arrays = [row[name] for row in batch]
        if name in pools:
            lengths = np.array([len(array) for array in arrays], np.int32)
            shape = (len(arrays), lengths.max() + random.integers(3))
            whole = pools[name][random.integers(len(pools[name]), size=shape)]
            for line, array in zip(whole, arrays, strict=True):
                line[: len(array)] = array
            inputs |= {name: whole, length_input(name): lengths}
        else:
            inputs[name] = np.stack(arrays)
    return inputs
