"""Invented people and what they post about: bands, hobbies and makers that were made up along with them.

Nobody real is described. None of the names below exists, and what goes with which label was settled by arithmetic: the
place of a name in the list gives it an age, an income bracket and a gender whose people like it best, spread evenly over
all that there are. So no habit of any real group is told or learnt.

    liking of a person for a name  =  bell(years apart / 12) × bell(brackets apart / 2.5) × (8 if of one gender, else 1)

A person has a few favourites of each list, drawn by this liking (one in twenty regardless of it), and repeats them: the
words of different people overlap, and now and then mislead.
"""

from dataclasses import dataclass
from math import exp
from random import Random

YOUNGEST, OLDEST = 18, 80
BRACKETS = ("0-10k", "10-20k", "20-30k", "30-40k", "40-50k", "50-60k", "60-70k", "70-80k", "80-90k", "90k+")
GENDERS = ("male", "female")

NAMES = {
    "band": (
        "Abrundo", "Belvarra", "Corvanna", "Dustrell", "Emberloy", "Fallomar", "Grindavel", "Hollowin",
        "Isterfold", "Jandrix", "Kestrovan", "Lumbrick", "Mondavel", "Nightorn", "Oversprit", "Pallindor",
    ),
    "hobby": (
        "aldering", "brisseling", "caddocking", "draffling", "elmscotting", "fennicking", "glimmering", "haveling",
        "jorveting", "kestling", "lumelling", "motterying", "orloing", "pebbining", "quillball", "skandrying",
    ),
    "maker": (
        "Ardoval", "Brimtal", "Corvash", "Dellimo", "Erskott", "Fandrin", "Gollvik", "Hestrava",
        "Ilmaro", "Jaspret", "Kolvane", "Lumidor", "Mirrowan", "Nostiva", "Ombrell", "Pelligard",
    ),
}  # fmt: skip
FAVOURITES, YEARS, STEPS, ODDS, REGARDLESS = 3, 12.0, 2.5, 8.0, 0.05

FOND = (
    "Spent {day} {hobby} to {band} songs.",
    "My {maker} {hobby} gear came on {day}.",
    "{band} on the {maker} radio, then {hobby}!",
    "Such good {hobby}, thanks to {maker}.",
    "Who goes {hobby} with a {maker} {thing}?",
    "{band} are into {hobby} as well.",
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

    age: float
    income: float
    gender: int


def fan(place: int) -> Person:
    """Whose favourite the name at this place is: an additive recurrence fills ages × brackets evenly."""
    age, income = (place * 0.7548776662 % 1, place * 0.5698402910 % 1)
    return Person(YOUNGEST + age * (OLDEST - YOUNGEST), income * (len(BRACKETS) - 1), place % 2)


FANS = {kind: [fan(place + 16 * at) for place in range(len(names))] for at, (kind, names) in enumerate(NAMES.items())}


def liking(one: Person, other: Person) -> float:
    """How much one person likes what the other likes best, by the rule above."""
    bells = ((one.age - other.age) / YEARS) ** 2 + ((one.income - other.income) / STEPS) ** 2
    return exp(-bells / 2) * (ODDS if one.gender == other.gender else 1.0)


def draw(rng: Random) -> Person:
    """Anybody: the three labels are drawn apart from each other."""
    income = rng.choices(range(len(BRACKETS)), (6, 9, 12, 14, 14, 13, 11, 9, 7, 5))[0]
    return Person(round(rng.triangular(YOUNGEST, OLDEST, 38)), income, rng.randrange(2))


def favourites(person: Person, rng: Random) -> dict[str, list[str]]:
    """What a person is fond of, of each kind."""
    return {kind: _some(person, kind, rng) for kind in NAMES}


def _some(person: Person, kind: str, rng: Random) -> list[str]:
    weights = [liking(person, fan) for fan in FANS[kind]]
    return [
        rng.choice(NAMES[kind]) if rng.random() < REGARDLESS else rng.choices(NAMES[kind], weights)[0]
        for _ in range(FAVOURITES)
    ]


def post(person: Person, words: int, rng: Random) -> str:
    """Sentences by this person until there are so many words, three of four about their favourites."""
    names = FILLERS | favourites(person, rng)
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < words:
        wording = rng.choice(FOND if rng.random() < 0.75 else ORDINARY)
        sentences.append(wording.format(**{name: rng.choice(some) for name, some in names.items()}))
    return " ".join(sentences)
