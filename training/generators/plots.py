"""Invented film descriptions, whose words tell genre and year by rule and now and then mislead.

No such film exists. What goes with which genre or year was settled here, not counted anywhere:

    genre     drawn evenly; each of the four phrases of a plot (hero, mood, deed, place) is one of the genre's own
              `OWN` times in ten, else of any genre
    year      a bell curve of `HEYDAY` years about the year in which the genre was most made, from `FIRST` to `LAST`
    things    two or three in each plot; each is mentioned most about its own year, as a bell curve of `IN_USE` years,
              one in ten of them whatever the year
"""

from dataclasses import dataclass
from math import exp
from random import Random

FIRST, LAST = 1930, 2020
OWN, HEYDAY, IN_USE, WHATEVER = 0.6, 20.0, 8.0, 0.1


@dataclass(frozen=True)
class Genre:
    """The year in which it was most made, and its phrases, one of each kind in every plot."""

    year: int
    hero: tuple[str, ...]
    mood: tuple[str, ...]
    deed: tuple[str, ...]
    place: tuple[str, ...]


GENRES = {
    "Adventure": Genre(
        1965,
        ("sailor", "diver", "treasure hunter", "mountain guide", "map maker"),
        ("daring", "restless", "fearless"),
        ("crosses the wild river", "follows a secret map", "climbs the highest peak", "saves a lost crew"),
        ("in the jungle", "on a forgotten island", "in the desert", "on the high seas", "beneath a volcano"),
    ),
    "Comedy": Genre(
        1990,
        ("waiter", "wedding planner", "clumsy clerk", "dog walker", "landlady"),
        ("hapless", "cheerful", "bashful"),
        ("swaps places with a twin", "ruins a wedding", "pretends to be a chef", "wins a silly bet"),
        ("in a crowded flat", "at a family dinner", "in a holiday camp", "at the office party", "in a pet shop"),
    ),
    "Crime": Genre(
        1975,
        ("detective", "burglar", "lawyer", "police officer", "witness"),
        ("ruthless", "corrupt", "cynical"),
        ("hunts a murderer", "plans a last robbery", "hides the evidence", "betrays the gang"),
        ("in the harbour", "in a dark alley", "at the court", "in a gambling den", "in the bank vault"),
    ),
    "Documentary": Genre(
        2005,
        ("biologist", "reporter", "team of surgeons", "historian", "beekeeper"),
        ("real", "tireless", "celebrated"),
        ("looks back on a life", "studies the wolves", "explains the climate", "talks about the hardest year"),
        ("in the archive", "at a hospital", "on a coral reef", "in the rainforest", "behind the scenes"),
    ),
    "Horror": Genre(
        1985,
        ("babysitter", "priest", "gravedigger", "medium", "caretaker"),
        ("haunted", "sleepless", "cursed"),
        ("wakes an old curse", "hears whispers at night", "flees from a demon", "opens the sealed grave"),
        ("in a haunted manor", "at the graveyard", "in the cellar", "in a foggy village", "in the madhouse"),
    ),
    "Romance": Genre(
        1955,
        ("pianist", "widow", "florist", "young poet", "dancer"),
        ("lonely", "tender", "lovesick"),
        ("falls for a stranger", "writes love letters", "waits for a first love", "breaks off an engagement"),
        ("in spring", "at the opera", "in a small bookshop", "by the lake", "under the cherry trees"),
    ),
    "Science Fiction": Genre(
        2000,
        ("space pilot", "robot", "cyborg", "clone", "moon miner"),
        ("brilliant", "synthetic", "far-sighted"),
        ("travels through time", "repairs the reactor", "meets an alien", "wakes from cold sleep"),
        ("on a distant moon", "in the laboratory", "aboard a space station", "in a domed city", "on Mars"),
    ),
    "Western": Genre(
        1945,
        ("cowboy", "sheriff", "rancher", "bandit", "stagecoach driver"),
        ("rugged", "silent", "proud"),
        ("rides into town", "wins the last duel", "drives the cattle home", "avenges a brother"),
        ("on the prairie", "in the saloon", "at the frontier", "at the gold mine", "in a dusty canyon"),
    ),
}

THINGS = {
    "gramophone": 1930, "telegram": 1932, "steam train": 1934, "propeller plane": 1937, "wireless": 1940,
    "ration book": 1944, "typewriter": 1947, "jukebox": 1953, "black-and-white set": 1956, "transistor radio": 1961,
    "beehive hairdo": 1963, "vinyl album": 1967, "moon landing": 1970, "disco": 1976, "pocket calculator": 1978,
    "cassette": 1982, "home computer": 1984, "video recorder": 1987, "car phone": 1990, "fax": 1992,
    "pager": 1995, "modem": 1998, "text message": 2002, "web forum": 2004, "blog": 2007, "smartphone": 2012,
    "drone": 2015, "podcast": 2017, "streaming show": 2019,
}  # fmt: skip

PLOTS = (
    "A {mood} {hero} {deed} {place}.",
    "{place}, a {mood} {hero} {deed}.",
    "This is the story of a {mood} {hero} who {deed} {place}.",
    "Nobody believes it when a {mood} {hero} {deed} {place}.",
)
USES = (
    "It begins with a {one} and a {two}.",
    "Only a {one} and an old friend's {two} can help.",
    "Somewhere between a {one} and a {two} everything changes.",
    "Then a {one} comes up, and so does a {two}.",
)
ENDS = (
    "Nothing will be as it was.",
    "A {three} is all that is left.",
    "In the end a {three} turns out to matter.",
    "But time is running out.",
)


def draw(rng: Random) -> tuple[str, int]:
    """A genre and a year for a film."""
    genre = rng.choice(list(GENRES))
    while True:
        year = round(rng.gauss(GENRES[genre].year, HEYDAY))
        if FIRST <= year <= LAST:
            return genre, year


def phrases(genre: str, rng: Random) -> dict[str, str]:
    """A hero, mood, deed and place, mostly the genre's own."""
    kinds = ("hero", "mood", "deed", "place")
    told = {kind: genre if rng.random() < OWN else rng.choice(list(GENRES)) for kind in kinds}
    return {kind: rng.choice(getattr(GENRES[whose], kind)) for kind, whose in told.items()}


def things(year: int, count: int, rng: Random) -> list[str]:
    """Things mentioned in a film of that year; one may come up twice."""
    in_use = [exp(-0.5 * ((year - its) / IN_USE) ** 2) for its in THINGS.values()]
    names = list(THINGS)
    return [rng.choice(names) if rng.random() < WHATEVER else rng.choices(names, in_use)[0] for _ in range(count)]


def describe(plot: dict[str, str], year: int, rng: Random) -> str:
    """Three sentences: the plot, two things of its time, an end that may mention a third."""
    frames = (rng.choice(PLOTS), rng.choice(USES), rng.choice(ENDS))
    one, two, three = things(year, 3, rng)
    told = [frame.format(**plot, one=one, two=two, three=three) for frame in frames]
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in told)
