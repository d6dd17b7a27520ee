"""64 numbers, uniform from 0 to 1, and their sum: 32 on average, with a standard deviation of √(64 / 12) ≈ 2.31.

Every row is drawn afresh.
"""

from collections.abc import Sequence

import numpy as np

from training.generators.parts import parts
from training.task import Number, Numbers, Preset, Splits, Table, Task

NUMBERS = 64


def generate(rows: int, seed: int) -> Splits:
    """`rows` rows in all; the same ones for the same seed."""
    return parts(_table, rows, seed)


def always_32(inputs: Table) -> Sequence[float]:
    """The mean of all possible sums."""
    return [NUMBERS / 2] * len(inputs["numbers"])


def _table(rng: np.random.Generator, rows: int) -> Table:
    numbers = rng.random((rows, NUMBERS), dtype=np.float32)
    return {"numbers": list(numbers), "sum": numbers.sum(axis=1, dtype=float).tolist()}


TASK = Task(
    title="Sum of 64 numbers",
    description="The sum of 64 numbers from 0 to 1, learnt from examples alone.",
    inputs={"numbers": Numbers("64 numbers", dims=(NUMBERS,), minimum=0, maximum=1)},
    outputs={"sum": Number("Their sum")},
    example={"numbers": [37 * place % 100 / 100 for place in range(NUMBERS)]},
    generate=generate,
    data="generated numbers, uniform from 0 to 1; synthetic",
    presets={
        "quick": Preset(rows=20_000, epochs=30, batch=64, learning_rate=5e-3, decay=True, patience=30),
        "full": Preset(rows=70_000, epochs=40, batch=64, learning_rate=3e-3, decay=True, patience=40),
    },
    baselines={"sum": always_32},
)
