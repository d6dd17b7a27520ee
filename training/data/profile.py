"""Posts of invented people with their age, income bracket and gender: synthetic through and through (people.py).

No lawful public data set of posts labelled with all three exists, and guessing such things about real people is
sensitive: a model trained on these rows knows invented words only. Do not use it on anybody real.

Every person writes one row of posts and is in one split only.
"""

from random import Random

from training.data.people import BRACKETS, GENDERS, draw, post
from training.task import Number, Preset, Probabilities, Probability, Splits, Table, Task, Tokens

FEWEST_WORDS, MOST_WORDS = 60, 390
"""How long posts are; the last sentence may go a few words beyond."""

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
    inputs={"posts": Tokens("What one person posted", words=50_000, length=500)},
    outputs={
        "age": Number("Age", unit="years"),
        "income": Probabilities("Yearly income", labels=BRACKETS),
        "gender": Probability("Gender", labels=GENDERS),
    },
    example={"posts": "x"},
    generate=generate,
    data="s",
    presets={
        "quick": Preset(rows=2_000, epochs=5, batch=64, learning_rate=1e-3),
        "full": Preset(rows=20_000, epochs=20, batch=128, learning_rate=1e-3),
    },
    baselines={"age": "median", "income": "majority", "gender": "majority"},
)
