"""Pairs of pictures by two cameras and the depths of what the left one shows, generated (stereo.py).

Every pair is a scene of its own, so nothing leaks.
"""

import numpy as np

from training.generators.encoded import jpeg
from training.generators.stereo import CELLS, PIXELS, depth_map, scene
from training.task import Image, Numbers, Preset, Splits, Table, Task

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def generate(rows: int, seed: int) -> Splits:
    """`rows` pairs in all, 375 kB each, the splits as `SHARES` says; the same rows for the same seed."""
    return Splits(
        **{
            part: _table(np.random.default_rng([seed, place]), round(rows * share))
            for place, (part, share) in enumerate(SHARES.items())
        }
    )


def _table(rng: np.random.Generator, rows: int) -> Table:
    columns: Table = {"left": [], "right": [], "depth": []}
    for _ in range(rows):
        made = scene(rng)
        columns["left"].append(made.left)
        columns["right"].append(made.right)
        columns["depth"].append(depth_map(made.depth))
    return columns


EXAMPLE = scene(np.random.default_rng(5))
"""Three ellipses, 0.8, 1.1 and 1.9 m away, before a background at 2.5 m."""

TASK = Task(
    title="Depth from two cameras",
    description="How far away things are, in each of 8 × 8 parts of the left of two pictures from side by side.",
    inputs={
        "left": Image("What the left camera sees", PIXELS, PIXELS),
        "right": Image("What the right camera sees", PIXELS, PIXELS),
    },
    outputs={"depth": Numbers("Mean depth of each part", dims=(CELLS, CELLS), unit="m")},
    example={"left": jpeg(EXAMPLE.left), "right": jpeg(EXAMPLE.right)},
    generate=generate,
    data="generated pairs of pictures of textured ellipses before a textured background, with known disparities",
    presets={
        "quick": Preset(rows=900, epochs=10, batch=8, learning_rate=3e-3, patience=10, decay=True),
        "full": Preset(rows=4_000, epochs=20, batch=8, learning_rate=2e-3, patience=20, decay=True),
    },
    baselines={"depth": "mean"},
)
