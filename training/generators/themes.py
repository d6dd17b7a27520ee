"""Series of vectors that keep to a theme, such as the sentences of one conversation, embedded.

    theme   a direction in a hidden space of 6 dimensions, drawn evenly
    step    theme + wandering (a normal deviation of 0.4 in each hidden dimension, new in each step)
    aside   one step in five, but never more than half of a series, follows a direction drawn anew; one hidden number
            of its own, the seventh, says so
    vector  those 7 numbers through a fixed 7 × 128 matrix, plus normal noise of 0.3 in each of the 128 numbers,
            rounded to one decimal

A reader must find the hidden space, leave out the asides and collect the rest over the steps.
"""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

WIDTH, HIDDEN = 128, 6
WANDERING, NOISE, ASIDES = 0.4, 0.3, 0.2

SPREAD = np.random.default_rng(128).normal(0, 0.7, (HIDDEN + 1, WIDTH))
"""The matrix from hidden numbers to vectors: the same in every row of every split."""


def theme(rng: np.random.Generator) -> NDArray[np.float64]:
    """A direction (6,) of length 1."""
    drawn = rng.normal(size=HIDDEN)
    return np.asarray(drawn / np.linalg.norm(drawn))


def other(known: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A theme at 60° or more from a known one."""
    while True:
        drawn = theme(rng)
        if drawn @ known <= 0.5:
            return drawn


def series(about: NDArray[np.float64], steps: int, rng: np.random.Generator) -> Vectors:
    """So many vectors about a theme, (steps, 128)."""
    aside = rng.random(steps) < ASIDES
    aside[rng.permutation(steps)[: (steps + 1) // 2]] = False
    hidden = np.column_stack([np.tile(about, (steps, 1)), aside])
    for step in np.flatnonzero(aside):
        hidden[step, :HIDDEN] = theme(rng)
    hidden[:, :HIDDEN] += rng.normal(0, WANDERING, (steps, HIDDEN))
    vectors = np.round(hidden @ SPREAD + rng.normal(0, NOISE, (steps, WIDTH)), 1)
    return np.asarray(vectors + 0.0, dtype=np.float32)  # + 0.0 makes 0.0 of −0.0
