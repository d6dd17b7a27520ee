"""Pairs of 2 × 2 matrices and their sum; every entry is uniform from −10 to 10."""

import numpy as np

from training.generators.parts import parts
from training.task import Numbers, Preset, Splits, Table, Task

DIMS = (2, 2)
LARGEST = 10


def generate(rows: int, seed: int) -> Splits:
    """`rows` sums in all; the same ones for the same seed."""
    return parts(_table, rows, seed)


def _table(rng: np.random.Generator, rows: int) -> Table:
    x, y = rng.uniform(-LARGEST, LARGEST, (2, rows, *DIMS)).astype(np.float32)
    return {"x": list(x), "y": list(y), "sum": list(x + y)}


TASK = Task(
    title="Sum of two matrices",
    description="x + y of two 2 × 2 matrices: a computation graph with nothing to learn.",
    inputs={"x": Numbers("A matrix", dims=DIMS), "y": Numbers("Another matrix", dims=DIMS)},
    outputs={"sum": Numbers("x + y", dims=DIMS)},
    example={"x": [[1, 2], [3, 4]], "y": [[10, 20], [30, 40]]},
    generate=generate,
    data="generated matrices; synthetic",
    presets={"quick": Preset(rows=200, epochs=0), "full": Preset(rows=2_000, epochs=0)},
    baselines={"sum": "mean"},
)
