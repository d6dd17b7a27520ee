"""Coloured pictures of six shapes, drawn (training/generators/shapes.py): 32 × 32 pixels."""

from training.generators import shapes
from training.task import Image, Preset, Probabilities, Splits, Task

SIDE = 32
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")


def generate(rows: int, seed: int) -> Splits:
    """`rows` pictures in all, each split with every shape equally often; the same pictures for the same seed."""
    return shapes.splits(rows, seed, SHAPES, SIDE)


TASK = Task(
    title="Shape, by residual blocks",
    description="Which of six shapes a small coloured picture shows, by a net so deep that it learns only with skips.",
    inputs={"image": Image("The picture", SIDE, SIDE)},
    outputs={"shape": Probabilities("The shape")},
    example={"image": shapes.example("ring", SIDE, seed=9)},
    generate=generate,
    data="pictures drawn at random (training/generators/shapes.py)",
    presets={
        "quick": Preset(rows=13_000, epochs=4, learning_rate=2e-3, decay=True),
        "full": Preset(rows=60_000, epochs=12, learning_rate=2e-3, decay=True),
    },
    baselines={"shape": "majority"},
)
