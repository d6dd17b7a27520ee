"""Second-hand clothes on offer: a picture, a description, a brand and an age, and the price in EUR.

Garments, brands and the rule of their prices are invented (wardrobe.py), and so are the pictures (silhouettes.py).
Every row is a garment of its own and stands in one split only.
"""

from random import Random

import numpy as np

from training.generators import wardrobe
from training.generators.encoded import png
from training.generators.silhouettes import SIDE, picture
from training.generators.wardrobe import Garment, describe, draw
from training.task import Category, Image, Number, Numbers, Preset, Splits, Table, Task, Tokens

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def generate(rows: int, seed: int) -> Splits:
    """`rows` garments in all, the splits as `SHARES` says; the same garments for the same seed."""
    return Splits(**{part: _table(Random(f"{part} {seed}"), round(rows * share)) for part, share in SHARES.items()})


def _table(rng: Random, rows: int) -> Table:
    columns: Table = {"picture": [], "description": [], "brand": [], "age": [], "price": []}
    for _ in range(rows):
        garment = draw(rng)
        columns["picture"].append(picture(garment.kind, garment.long, garment.pattern, rng))
        columns["description"].append(describe(garment, rng))
        columns["brand"].append(garment.brand)
        columns["age"].append(np.asarray(garment.age, np.float32))
        columns["price"].append(wardrobe.price(garment, rng))
    return columns


EXAMPLE = Garment("coat", long=True, pattern="checks", material="wool", condition="kept", brand="Fjellmark", age=3.0)

TASK = Task(
    title="Price of clothing",
    description="What a second-hand garment is offered for, from a picture, a description, its brand and its age.",
    inputs={
        "picture": Image("The garment, light on black", SIDE, SIDE, channels=1),
        "description": Tokens("What the seller writes", words=5_000, max_length=200),
        "brand": Category("Brand"),
        "age": Numbers("Age", unit="years", minimum=0),
    },
    outputs={"price": Number("Price", unit="EUR", minimum=0)},
    example={
        "picture": png(picture(EXAMPLE.kind, EXAMPLE.long, EXAMPLE.pattern, Random(0))),
        "description": "Wool with a silk lining. Worn twice. Sadly it does not fit me any more.",
        "brand": EXAMPLE.brand,
        "age": EXAMPLE.age,
    },
    generate=generate,
    data="generated garments with a price rule (training/generators/wardrobe.py); brands and prices are invented",
    presets={
        "quick": Preset(rows=8_000, epochs=8, batch=64, learning_rate=2e-3, decay=True),
        "full": Preset(rows=30_000, epochs=15, batch=64, learning_rate=2e-3, decay=True),
    },
    baselines={"price": "median"},
)
