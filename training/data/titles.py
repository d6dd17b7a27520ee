"""Descriptions of invented films with their genre and year (plots.py): synthetic, by a rule that is written there.

Nothing leaks: which hero appears in which place belongs to one split, every fifth pair to the test and every fifth to
validation. The words are shared, so that nothing here measures how well unseen ones are understood.
"""

from collections.abc import Mapping
from random import Random

from training.generators.plots import GENRES, describe, draw, phrases
from training.task import Number, Preset, Probabilities, Splits, Table, Task, Tokens

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
TURN = ("test", "validation", "train", "train", "train")
"""Whose a hero in a place is, by the sum of their numbers: of each genre's own five times five, each split has some."""

HEROES = {hero: place for place, hero in enumerate(hero for genre in GENRES.values() for hero in genre.hero)}
PLACES = {where: place for place, where in enumerate(where for genre in GENRES.values() for where in genre.place)}


def generate(rows: int, seed: int) -> Splits:
    """`rows` films in all, the splits as `SHARES` says; the same films for the same seed."""
    return Splits(**{part: _table(Random(f"{part} {seed}"), round(rows * share), part)
                     for part, share in SHARES.items()})  # fmt: skip


def owner(plot: Mapping[str, str]) -> str:
    """The split that films with this hero in this place belong to."""
    return TURN[(HEROES[plot["hero"]] + PLACES[plot["place"]]) % len(TURN)]


def _table(rng: Random, rows: int, part: str) -> Table:
    columns: Table = {"description": [], "genre": [], "year": []}
    while len(columns["year"]) < rows:
        genre, year = draw(rng)
        plot = phrases(genre, rng)
        if owner(plot) == part:
            columns["description"].append(describe(plot, year, rng))
            columns["genre"].append(genre)
            columns["year"].append(float(year))
    return columns


TASK = Task(
    title="Genre and year of a title",
    description="The genre of a film and the year it was made, from its description. The default rows tell of invented "
    "films by rule: a model of these knows their words only and says nothing of real films.",
    inputs={"description": Tokens("What the film is about", words=10_000)},
    outputs={"genre": Probabilities("Genre", at_most=100), "year": Number("Year")},
    example={
        "description": "A daring detective hunts a murderer in the harbour. Only a cassette and an old friend's home "
        "computer can help. But time is running out."
    },
    generate=generate,
    data="generated descriptions of invented films (training/generators/plots.py); they say nothing of real films",
    presets={
        "quick": Preset(rows=5_000, epochs=16, batch=32, learning_rate=2e-3),
        "full": Preset(rows=20_000, epochs=40, batch=64, learning_rate=1e-3, patience=5),
    },
    baselines={"genre": "majority", "year": "median"},
)
