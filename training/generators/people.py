"""Invented people and what they post about: bands, slang, hobbies and makers that were made up along with them.

Nobody real is described. None of the names below exists, and what goes with which label was settled by the alphabet: in
each list the place alone decides, so no habit of any real group is told or learnt.

    age       each band and expression has an age it is liked at most, spread evenly in the list's order; liking falls
              off around it as a bell curve of `YEARS` years
    income    grows with age by rule, a bracket for every 4.2 years, give or take `LUCK` brackets; each maker sells most
              to one bracket, as a bell curve of `STEPS` brackets
    gender    every other hobby is `ODDS` times as likely with the one label, the others with the other label

A person has a few favourites of each list, one in twenty of them drawn regardless of who the person is, and repeats
them: the words of different people overlap, and now and then mislead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from random import Random

YOUNGEST, OLDEST, USUAL = 18, 60, 30
BRACKETS = ("0-10k", "10-20k", "20-30k", "30-40k", "40-50k", "50-60k", "60-70k", "70-80k", "80-90k", "90k+")
GENDERS = ("male", "female")

NAMES = {
    "band": (
        "Abrundo", "Corvanna", "Dustrell", "Emberloy", "Fallomar",
        "Grindavel", "Kestrovan", "Lumbrick", "Mondavel", "Nightorn",
    ),
    "expression": (
        "astrilly", "brammish", "crondly", "drellish", "flontic",
        "grobbish", "krimble", "mirbly", "plorky", "zumbly",
    ),
    "maker": (
        "Ardoval", "Brimtal", "Corvash", "Dellimo", "Fandrin",
        "Hestrava", "Ilmaro", "Jaspret", "Kolvane", "Lumidor",
    ),
    "hobby": ("aldering", "brisseling", "caddocking", "draffling", "fennicking", "kestling", "pebbining", "quillball"),
}  # fmt: skip
YEARS, LUCK, STEPS, ODDS, REGARDLESS = 3.0, 1.0, 0.6, 9.0, 0.05
FAVOURITES = 3

FOND = (
    "Spent {day} {hobby} to {band} songs.",
    "My {maker} {hobby} gear is {expression}.",
    "{band} on the {maker} radio, then {hobby}!",
    "Such {expression} {hobby}, thanks to {maker}.",
    "Who goes {hobby} with a {maker} {thing}?",
    "{band} are {expression} and into {hobby} as well.",
)
ORDINARY = (
    "We had {meal} with the family on {day}.",
    "My sister came over on {day} and we talked until late.",
    "The {thing} in the kitchen has to be mended.",
    "Work was long on {day}, and the train was late again.",
    "I learnt at school how to draw a {thing}, and I still can.",
    "It rained on {day}, so we stayed at home and made {meal}.",
    "Our neighbours asked us for {meal} on {day}.",
    "I have been looking for my {thing} since {day}.",
)
FILLERS = {
    "thing": ("lamp", "kettle", "chair", "bag", "clock", "coat", "bicycle", "table", "radio", "umbrella"),
    "meal": ("soup", "noodles", "pancakes", "a stew", "salad", "dumplings", "pie"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


@dataclass(frozen=True)
class Person:
    """Age in years, income as a place in `BRACKETS`, gender as one in `GENDERS`."""

    age: int
    income: int
    gender: int


def draw(rng: Random) -> Person:
    """Anybody: gender is drawn apart from the rest, income follows age."""
    age = round(rng.triangular(YOUNGEST, OLDEST, USUAL))
    top = len(BRACKETS) - 1
    income = round(top * (age - YOUNGEST) / (OLDEST - YOUNGEST) + rng.gauss(0, LUCK))
    return Person(age, min(max(income, 0), top), rng.randrange(2))


def liking(person: Person, kind: str, place: int) -> float:
    """How likely a person is to like the name at this place of a list, beside the others."""
    if kind == "hobby":
        return ODDS if place % 2 == person.gender else 1.0
    along = place / (len(NAMES[kind]) - 1)
    if kind == "maker":
        return _bell((person.income - along * (len(BRACKETS) - 1)) / STEPS)
    return _bell((person.age - YOUNGEST - along * (OLDEST - YOUNGEST)) / YEARS)


def favourites(person: Person, rng: Random) -> dict[str, Sequence[str]]:
    """What a person is fond of, of each kind."""
    return {kind: [_favourite(person, kind, rng) for _ in range(FAVOURITES)] for kind in NAMES}


def post(person: Person, words: int, rng: Random) -> str:
    """Sentences by this person until there are so many words, four of five about their favourites."""
    names = FILLERS | favourites(person, rng)
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < words:
        wording = rng.choice(FOND if rng.random() < 0.8 else ORDINARY)
        sentences.append(wording.format(**{name: rng.choice(some) for name, some in names.items()}))
    return " ".join(sentences)


def _favourite(person: Person, kind: str, rng: Random) -> str:
    names = NAMES[kind]
    if rng.random() < REGARDLESS:
        return rng.choice(names)
    return rng.choices(names, [liking(person, kind, place) for place in range(len(names))])[0]


def _bell(distance: float) -> float:
    return exp(-0.5 * distance**2)
