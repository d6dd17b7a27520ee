"""What a batch costs on this engine, and how many rows are worth computing at once. Measures; decides nothing else."""

import time
from collections.abc import Callable

import numpy as np

from service.engines.base import Engine
from service.tensors import Tensors

CHEAP_SECONDS = 0.005
"""A batch this quick may always grow: nobody notices having waited for it."""
WORTHWHILE = 1.1
"""Beyond that, a batch twice as large must answer at least so many times the rows per second."""
TRIES = 3


def seconds(engine: Engine, row: Tensors, rows: int) -> float:
    """Seconds of one batch that repeats a row, the best of a few tries. `row` has a batch axis of 1."""
    batch = {name: np.repeat(array, rows, axis=0) for name, array in row.items()}
    engine.run(batch)
    return min(timed(engine, batch) for _ in range(TRIES))


def timed(engine: Engine, batch: Tensors) -> float:
    """Seconds of one engine call."""
    started = time.perf_counter()
    engine.run(batch)
    return time.perf_counter() - started


def grow(measure: Callable[[int], float], most: int) -> tuple[int, float]:
    """Rows of a full batch, doubled from 1 while it pays, at most `most`; and its seconds.

    >>> grow(lambda rows: 0.001 + 0.0001 * rows, 64)[0]  # overhead, then little per row: as many as allowed
    64
    >>> grow(lambda rows: 0.003 * rows, 64)[0]  # nothing is shared between rows: small batches, soon done
    1
    """
    rows, taken = 1, measure(1)
    while rows < most:
        larger = min(2 * rows, most)
        then = measure(larger)
        pays = larger / then >= WORTHWHILE * rows / taken
        if then > CHEAP_SECONDS and not pays:
            break
        rows, taken = larger, then
    return rows, taken
