"""Posts of invented people with their age, income bracket and gender: synthetic through and through (people.py).

No lawful public data set of posts labelled with all three exists, and guessing such things about real people is
sensitive: a model trained on these rows knows invented words only. Do not use it on anybody real.

Every person writes one row of posts and is in one split only.
"""

from random import Random

from training.generators.people import BRACKETS, GENDERS, draw, post
from training.task import Number, Preset, Probabilities, Probability, Splits, Table, Task, Tokens

FEWEST_WORDS, MOST_WORDS = 60, 280
"""How long posts are; the last sentence may go a few words beyond."""
LENGTH = 300
"""The words the model reads, padded or cut: the convolutions need 269, and time grows with it."""

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def generate(rows: int, seed: int) -> Splits:
    """`rows` people in all, the splits as `SHARES` says; the same people for the same seed."""
    return Splits(**{part: _table(Random(f"{part} {seed}"), round(rows * share)) for part, share in SHARES.items()})


def _table(rng: Random, rows: int) -> Table:
    columns: Table = {"posts": [], "age": [], "income": [], "gender": []}
    for _ in range(rows):
        person = draw(rng)
        columns["posts"].append(post(person, rng.randint(FEWEST_WORDS, MOST_WORDS), rng))
        columns["age"].append(float(person.age))
        columns["income"].append(BRACKETS[person.income])
        columns["gender"].append(GENDERS[person.gender])
    return columns


TASK = Task(
    title="Profile of a writer",
    description="Age, income bracket and gender of an invented person, from their posts. Not for real people.",
    inputs={"posts": Tokens("What one person posted", words=50_000, length=LENGTH)},
    outputs={
        "age": Number("Age", unit="years"),
        "income": Probabilities("Yearly income", labels=BRACKETS),
        "gender": Probability("Gender", labels=GENDERS),
    },
    example={
        "posts": "Spent Sunday caddocking to Emberloy songs. My Dellimo caddocking gear is drellish. It rained on "
        "Monday, so we stayed at home and made soup. Such drellish fennicking, thanks to Dellimo. Emberloy on the "
        "Fandrin radio, then caddocking! Who goes aldering with a Dellimo clock? Emberloy are drellish and into "
        "fennicking as well. My sister came over on Friday and we talked until late. My Dellimo fennicking gear is "
        "flontic.",
    },
    generate=generate,
    data="generated posts of invented people (training/generators/people.py); synthetic, says nothing of real people",
    presets={
        "quick": Preset(rows=3_500, epochs=6, batch=32, patience=6),
        "full": Preset(rows=20_000, epochs=12, batch=32, patience=4),
    },
    baselines={"age": "median", "income": "majority", "gender": "majority"},
)
