"""Coloured pictures of nine shapes, drawn (training/generators/shapes.py): 64 × 64 pixels."""

from training.generators import shapes
from training.task import Image, Preset, Probabilities, Splits, Task

SIDE = 64
SHAPES = (
    "circle",
    "square",
    "triangle",
    "star",
    "cross",
    "ring",
    "crescent",
    "stripes",
    "checkerboard",
)


def generate(rows: int, seed: int) -> Splits:
    """`rows` pictures in all, each split with every shape equally often; the same pictures for the same seed."""
    return shapes.splits(rows, seed, SHAPES, SIDE)


TASK = Task(
    title="Shape, by Inception blocks",
    description="Which of nine shapes a coloured picture shows, wherever it is and however large, turned or noisy.",
    inputs={"image": Image("The picture", SIDE, SIDE)},
    outputs={"shape": Probabilities("The shape")},
    example={"image": shapes.example("star", SIDE, seed=1)},
    generate=generate,
    data="pictures drawn at random (training/generators/shapes.py)",
    presets={
        "quick": Preset(rows=12_000, epochs=3, batch=32, decay=True),
        "full": Preset(rows=50_000, epochs=10, batch=32, decay=True),
    },
    baselines={"shape": "majority"},
)
