"""Two samples of five numbers: each is drawn from N(−10, 1) or from N(10, 1), either as likely.

So half of the pairs come from the same distribution. Every pair is drawn afresh.
"""

import numpy as np

from training.generators.parts import parts
from training.task import Numbers, Preset, Probability, Splits, Table, Task

NUMBERS = 5
MEANS = (-10.0, 10.0)
SAME = Probability("Drawn from the same distribution?", labels=("different", "same"))


def generate(rows: int, seed: int) -> Splits:
    """`rows` pairs of samples in all; the same ones for the same seed."""
    return parts(_table, rows, seed)


def _table(rng: np.random.Generator, rows: int) -> Table:
    means = rng.choice(MEANS, (2, rows))
    first, second = rng.normal(means[..., None], 1, (2, rows, NUMBERS)).astype(np.float32)
    same = (means[0] == means[1]).astype(int)
    return {"first": list(first), "second": list(second), "same": [SAME.labels[number] for number in same]}


TASK = Task(
    title="Same distribution?",
    description="Whether two samples of five numbers were drawn from the same normal distribution, mean −10 or 10.",
    inputs={
        "first": Numbers("A sample", dims=(NUMBERS,)),
        "second": Numbers("Another sample", dims=(NUMBERS,)),
    },
    outputs={"same": SAME},
    example={"first": [9.3, 10.8, 11.1, 8.7, 10.2], "second": [-10.4, -9.1, -11.6, -9.8, -10.3]},
    generate=generate,
    data="generated pairs of samples from N(−10, 1) or N(10, 1); synthetic",
    presets={
        "quick": Preset(rows=3_000, epochs=20, batch=32, learning_rate=0.05, patience=20),
        "full": Preset(rows=10_000, epochs=40, batch=32, learning_rate=0.05, patience=40),
    },
    baselines={"same": "majority"},
)
