"""Splits of rows that are drawn independently of each other: every part from a stream of chance of its own."""

from collections.abc import Callable

import numpy as np

from training.task import Splits, Table

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def parts(draw: Callable[[np.random.Generator, int], Table], rows: int, seed: int) -> Splits:
    """`rows` rows in all, shared out as `SHARES` says; the same ones for the same seed."""
    streams = np.random.SeedSequence(seed).spawn(len(SHARES))
    shared = zip(SHARES.items(), streams, strict=True)
    return Splits(**{part: draw(np.random.default_rng(own), round(rows * share)) for (part, share), own in shared})
