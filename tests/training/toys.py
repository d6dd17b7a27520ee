"""The smallest task with every kind of output, and a siamese LSTM for it.

left  (n, t) ─┐                 ┌─ overlap (n, 1) in [0, 1]
              ├─ embed ─ lstm ──┼─ colour  (n, 3) probabilities, labels learnt
right (n, t) ─┘                 └─ long    (n, 1) probability
"""

from collections.abc import Mapping
from functools import partial
from random import Random

import keras
from keras import layers

from models.architecture import Architecture, Head
from training.card import Provenance
from training.distribution import distribution
from training.encode import Encoder
from training.evaluate import evaluate
from training.export import Held
from training.task import Number, Preset, Probabilities, Probability, Splits, Table, Task, Tokens
from training.train import Trained, predict
from training.twin.reduce import Trial

WORDS = 60
COLOURS = ("blue", "green", "red")
NOUNS = [f"noun{number}" for number in range(20)]
PROVENANCE = Provenance("toys", {"train": 1, "validation": 1, "test": 1}, 1, "quick", 1, 0.5)


def build(colour: int = 3, *, masked: bool = True) -> keras.Model:
    return connect(layers.LSTM(8), colour, masked=masked)


def build_light(colour: int = 3, *, masked: bool = True) -> keras.Model:
    return connect(layers.GlobalAveragePooling1D(), colour, masked=masked)


def connect(encode: layers.Layer, colour: int, *, masked: bool) -> keras.Model:
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("left", "right")}
    embed = layers.Embedding(WORDS, 8, mask_zero=masked)
    left, right = (encode(embed(inputs[name])) for name in inputs)
    merged = layers.concatenate([left, right, left * right])
    outputs = {
        "overlap": layers.Dense(1, "sigmoid", name="overlap")(merged),
        "colour": layers.Dense(colour, "softmax", name="colour")(merged),
        "long": layers.Dense(1, "sigmoid", name="long")(merged),
    }
    return keras.Model(inputs, outputs, name="toy")


HEADS = {
    "overlap": Head("mse", weight=2.0, metric="mae"),
    "colour": Head("sparse_categorical_crossentropy", metric="accuracy"),
    "long": Head("binary_crossentropy"),
}
ARCHITECTURE = Architecture(build, HEADS)
LIGHT = Architecture(build_light, HEADS)
"""The same without the LSTM, which takes seconds to trace."""


def word_overlap(inputs: Table) -> list[float]:
    pairs = zip(inputs["left"], inputs["right"], strict=True)
    return [len({*a.split()} & {*b.split()}) / len({*a.split()} | {*b.split()}) for a, b in pairs]


def generate(rows: int, seed: int) -> Splits:
    rng = Random(seed)
    return Splits(*(table(rng, share) for share in (rows * 64 // 100, rows * 16 // 100, rows * 20 // 100)))


def table(rng: Random, rows: int) -> Table:
    made: Table = {name: [] for name in ("left", "right", "overlap", "colour", "long")}
    for _ in range(rows):
        colour = rng.choice(COLOURS)
        left = [colour, *rng.sample(NOUNS, rng.randint(1, 6))]
        right = [colour, *rng.sample(NOUNS, rng.randint(1, 6))]
        made["left"].append(" ".join(left))
        made["right"].append(" ".join(right).title() + ".")
        made["overlap"].append(1 / len({*left, *right}))
        made["colour"].append(colour)
        made["long"].append("yes" if len(left) > 4 else "no")
    return made


TASK = Task(
    title="Toys",
    description="Two lists of words.",
    inputs={"left": Tokens("One list", WORDS), "right": Tokens("Another list", WORDS)},
    outputs={
        "overlap": Number("Overlap", minimum=0, maximum=1),
        "colour": Probabilities("Colour"),
        "long": Probability("Left is long", ("no", "yes")),
    },
    example={"left": "red noun1", "right": "Red noun2."},
    generate=generate,
    data="made up",
    presets={"quick": Preset(rows=600, epochs=3, batch=32, learning_rate=1e-2)},
    baselines={"overlap": word_overlap, "colour": "majority", "long": "majority"},
)


def encoder(labels: tuple[str, ...] = COLOURS, words: Mapping[str, list[str]] | None = None) -> Encoder:
    known = ["", "[UNK]", *COLOURS, *NOUNS]
    return Encoder(TASK, words or {"left": known, "right": known}, {"colour": labels, "long": ("no", "yes")})


def held(trained: Trained, splits: Splits) -> Held:
    rows = trained.encoder.rows(splits.test)
    said = predict(trained.model, rows, list(TASK.outputs))
    judge = partial(evaluate, trained.encoder, splits.train, splits.test)
    seen = distribution(trained.encoder, splits.train, said)
    return Held(splits.test, rows, judge(said), trial=Trial(rows, rows, judge), distribution=seen)
