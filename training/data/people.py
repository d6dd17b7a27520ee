"""Invented people and what they post: hobbies, purchases, music and slang that were made up along with them.

Nobody real is described. The hobbies, makers, bands and expressions do not exist, and what goes with which label was
settled by the alphabet: in each list the order alone decides, so no habit of any real group is told or learnt.

    age       each band and each expression has an age it is liked at most, from 18 to 80 in the list's order;
              liking falls off around it as a bell curve of 9 years
    income    each maker has a bracket it sells to most, from the lowest to the highest in the list's order;
              sales fall off around it as a bell curve of 1.3 brackets
    gender    every other hobby is 4 times as likely with the one label, the others with the other label

A person has a few favourites of each list, one in ten of them drawn regardless of who the person is, and repeats them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from random import Random

YOUNGEST, OLDEST = 18, 80
BRACKETS = ("0-10k", "10-20k", "20-30k", "30-40k", "40-50k", "50-60k", "60-70k", "70-80k", "80-90k", "90k+")
GENDERS = ("male", "female")

BANDS = (
    "Abrundo", "Corvanna", "Dustrell", "Emberloy", "Fallomar", "Grindavel", "Kestrovan", "Lumbrick", "Mondavel", "Nightorn",
)  # fmt: skip
EXPRESSIONS = (
    "astrilly", "brammish", "crondly", "drellish", "flontic", "grobbish", "krimble", "mirbly", "plorky", "zumbly",
)  # fmt: skip
MAKERS = (
    "Ardoval", "Brimtal", "Corvash", "Dellimo", "Fandrin", "Hestrava", "Ilmaro", "Jaspret", "Kolvane", "Lumidor",
)  # fmt: skip
SHOPS = (
    "Mirrowan", "Nostiva", "Ombrell", "Pelligard", "Rivatelle", "Sunderlo", "Tovarin", "Umbriel", "Vandrake", "Wolvanti",
)  # fmt: skip
HOBBIES = (
    "aldering", "brisseling", "caddocking", "draffling", "fennicking", "kestling", "pebbining", "quillball",
)  # fmt: skip

AGE_SPREAD, BRACKET_SPREAD, ODDS, REGARDLESS = 6.0, 1.0, 9.0, 0.1
FAVOURITES = {"band": 2, "expression": 2, "maker": 2, "shop": 2, "hobby": 3}

FOND = (
    "Spent {day} {hobby} to {band} songs.",
    "My {maker} {hobby} gear is {expression}.",
    "Bought {expression} {hobby} gear at {shop}.",
    "{band} at {shop} on {day}, then {hobby}!",
    "Such {expression} {hobby}, thanks to {maker}.",
    "Who goes {hobby} with a {maker} {thing}?",
    "{shop} has {band} records and {hobby} gear.",
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
    """Age in years, income as a place in `BRACKETS`, gender as one in `GENDERS`, and what they are fond of."""

    age: int
    income: int
    gender: int
    favourites: dict[str, list[str]]


def draw(rng: Random) -> Person:
    """Anybody: the three labels are drawn apart from each other, the favourites by them."""
    age = round(rng.triangular(YOUNGEST, OLDEST, 38))
    income = rng.choices(range(len(BRACKETS)), (6, 9, 12, 14, 14, 13, 11, 9, 7, 5))[0]
    gender = rng.randrange(2)
    return Person(age, income, gender, favourites(age, income, gender, rng))


def favourites(age: int, income: int, gender: int, rng: Random) -> dict[str, list[str]]:
    """What such a person is fond of, by the rules above."""
    ages = [YOUNGEST + (OLDEST - YOUNGEST) * place / (len(BANDS) - 1) for place in range(len(BANDS))]
    tiers = [(len(BRACKETS) - 1) * place / (len(MAKERS) - 1) for place in range(len(MAKERS))]
    liked = [_bell(age - peak, AGE_SPREAD) for peak in ages]
    sold = [_bell(income - tier, BRACKET_SPREAD) for tier in tiers]
    leant = [ODDS if place % 2 == gender else 1.0 for place in range(len(HOBBIES))]
    return {
        "band": _some(BANDS, liked, FAVOURITES["band"], rng),
        "expression": _some(EXPRESSIONS, liked, FAVOURITES["expression"], rng),
        "maker": _some(MAKERS, sold, FAVOURITES["maker"], rng),
        "shop": _some(SHOPS, sold, FAVOURITES["shop"], rng),
        "hobby": _some(HOBBIES, leant, FAVOURITES["hobby"], rng),
    }


def _bell(distance: float, spread: float) -> float:
    return exp(-0.5 * (distance / spread) ** 2)


def _some(names: Sequence[str], weights: Sequence[float], count: int, rng: Random) -> list[str]:
    return [rng.choice(names) if rng.random() < REGARDLESS else rng.choices(names, weights)[0] for _ in range(count)]


def post(person: Person, words: int, rng: Random) -> str:
    """Sentences by this person until there are so many words, seven of ten about their favourites."""
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < words:
        filling = {name: rng.choice(names) for name, names in (FILLERS | person.favourites).items()}
        sentences.append(rng.choice(FOND if rng.random() < 0.75 else ORDINARY).format(**filling))
    return " ".join(sentences)
