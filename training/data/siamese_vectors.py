"""Pairs of series of vectors, half of them about one theme, half about two (themes.py).

Every pair draws its own themes, so none stands in two splits; what the splits share is how themes become vectors.
"""

import numpy as np

from training.generators.themes import WIDTH, other, series, theme
from training.task import Numbers, Preset, Probability, Splits, Table, Task

FEWEST, MOST = 2, 12
"""Steps of a series."""
LABELS = ("different", "similar")
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def generate(rows: int, seed: int) -> Splits:
    """`rows` pairs in all, the splits as `SHARES` says; the same rows for the same seed."""
    return Splits(
        **{
            part: _table(np.random.default_rng([seed, place]), round(rows * share))
            for place, (part, share) in enumerate(SHARES.items())
        }
    )


def _table(rng: np.random.Generator, rows: int) -> Table:
    columns: Table = {"left": [], "right": [], "similar": []}
    for label in rng.permutation(np.resize(LABELS, rows)):
        one = theme(rng)
        both = (one, one if label == LABELS[1] else other(one, rng))
        for side, about in zip(("left", "right"), both, strict=True):
            columns[side].append(series(about, int(rng.integers(FEWEST, MOST + 1)), rng))
        columns["similar"].append(str(label))
    return columns


def _example() -> dict[str, list[list[float]]]:
    """Two and three steps about one theme."""
    rng = np.random.default_rng(10)
    about = theme(rng)
    sides = {"left": series(about, 2, rng), "right": series(about, 3, rng)}
    return {side: [[round(float(number), 1) for number in step] for step in steps] for side, steps in sides.items()}


TASK = Task(
    title="Similarity of two series",
    description="Whether two series of vectors, such as the embedded sentences of two conversations, have one theme.",
    inputs={
        "left": Numbers("One series of vectors", dims=(None, WIDTH)),
        "right": Numbers("Another series of vectors", dims=(None, WIDTH)),
    },
    outputs={"similar": Probability("Theme", labels=LABELS)},
    example=_example(),
    generate=generate,
    data="generated series of vectors, each about a theme of its own; half of the pairs share theirs",
    presets={
        "quick": Preset(rows=12_000, epochs=8, batch=64, learning_rate=3e-3, patience=8, decay=True),
        "full": Preset(rows=40_000, epochs=40, batch=64, learning_rate=2e-3, patience=40, decay=True),
    },
    baselines={"similar": "majority"},
)
