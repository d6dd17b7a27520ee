"""Questions about bAbI-style stories, generated: who went where, took what, dropped it or handed it over.

A row is a story of 1 to 12 sentences, a question and a one-word answer in lower case. Kinds of question:

    place    Where is Mary?                           the last of several moves counts; or unknown
    thing    Where is the milk?                       where it was dropped, or where its holder is now; or unknown
    holder   Who has the milk?                        a person, or nobody
    held     What is Mary carrying?                   an object, or nothing
    before   Where was Mary before the kitchen?
    after    Where did Mary go after the kitchen?
    check    Is Mary in the kitchen?                  yes or no, as often; also of objects, and of who has what

Nothing leaks, by construction: each person has one place to which only test stories send them, and one for validation
stories only; the other six are for all. Every validation or test story has such a visit, so no story stands in two
splits, and a model that remembers who goes where instead of reading is found out. The words and wordings are shared:
nothing here measures how well unseen ones are understood.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from training.generators.stories import OBJECTS, PEOPLE, PLACES, Homes, Story, tell
from training.task import Preset, Probabilities, Splits, Table, Task, Tokens

LENGTHS = range(1, 13)
"""Sentences of a story; one of 1 is told twelve times as often as one of 12."""
WEIGHTS = {"place": 2.0, "thing": 4.0, "holder": 2.0, "held": 2.0, "before": 3.0, "after": 3.0, "check": 3.0}
"""How often a kind is asked, relative to the others that a story allows."""

OWN = {"validation": 4, "test": 0}
"""Which places a split has to itself: person `i` and place `j` where `(i + j) % 8` is this."""

WORDINGS = {
    "place": ("Where is {name}?", "Where is {name} now?", "Where can I find {name}?"),
    "thing": ("Where is the {name}?", "Where is the {name} now?", "Where can I find the {name}?"),
    "holder": ("Who has the {name}?", "Who is carrying the {name}?", "Who is holding the {name}?"),
    "held": ("What does {name} have?", "What is {name} carrying?", "What is {name} holding?"),
    "before": ("Where was {name} before the {place}?", "Where was {name} before going to the {place}?"),
    "after": ("Where was {name} after the {place}?", "Where did {name} go after the {place}?"),
    "in": ("Is {name} in the {place}?", "Is {name} now in the {place}?"),
    "lies": ("Is the {name} in the {place}?", "Is the {name} now in the {place}?"),
    "has": ("Does {name} have the {thing}?", "Is {name} carrying the {thing}?"),
}


@dataclass(frozen=True)
class Row:
    """One question about one story, its answer, and the kind of question it is."""

    kind: str
    text: str
    question: str
    answer: str


def rows(rng: Random, count: int, split: str) -> list[Row]:
    """`count` different rows of one split, short stories more often than long ones."""
    found: dict[tuple[str, str], Row] = {}
    allowed = homes(split)
    while len(found) < count:
        length = rng.choices(LENGTHS, LENGTHS[::-1])[0]
        row = _row(rng, length, split, allowed)
        found.setdefault((row.text, row.question), row)
    return list(found.values())


def homes(split: str) -> Homes:
    """Where each person may go in a split: the places shared by all, and the split's own as often as five of them."""
    allowed: dict[str, Sequence[str]] = {}
    for number, person in enumerate(PEOPLE):
        own = {name: PLACES[(rest - number) % len(PLACES)] for name, rest in OWN.items()}
        shared = [place for place in PLACES if place not in own.values()]
        allowed[person] = shared + [own[split]] * 5 if split in own else shared
    return allowed


def _row(rng: Random, length: int, split: str, allowed: Homes) -> Row:
    while True:
        story = tell(rng, length, allowed)
        if split in OWN and not any(allowed[person][-1] in trail for person, trail in story.trails.items()):
            continue
        asked = {kind: list(ask(rng, story, allowed)) for kind, ask in KINDS.items()}
        kinds = [kind for kind, found in asked.items() if found]
        if kinds:
            kind = rng.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
            wording, names, answer = rng.choice(asked[kind])
            return Row(kind, story.text, rng.choice(WORDINGS[wording]).format(**names), answer.lower())


Asked = Iterator[tuple[str, dict[str, str], str]]
"""Every question of a kind that a story answers: its wordings, the names in it, the answer."""


def _place(rng: Random, story: Story, allowed: Homes) -> Asked:
    for person in [*story.cast, *_seldom(rng, PEOPLE)]:
        yield "place", {"name": person}, story.place(person) or "unknown"


def _thing(rng: Random, story: Story, allowed: Homes) -> Asked:
    for thing in [*story.holders, *_seldom(rng, OBJECTS)]:
        yield "thing", {"name": thing}, story.place(thing) or "unknown"


def _holder(rng: Random, story: Story, allowed: Homes) -> Asked:
    for thing, holder in story.holders.items():
        yield "holder", {"name": thing}, holder or "nobody"


def _held(rng: Random, story: Story, allowed: Homes) -> Asked:
    for person in story.cast:
        held = story.held(person)
        if len(held) == 1 or (not held and story.holders and rng.random() < 0.3):
            yield "held", {"name": person}, held[0] if held else "nothing"


def _before(rng: Random, story: Story, allowed: Homes) -> Asked:
    for person, trail in story.trails.items():
        for earlier, place in pairwise(trail):
            if trail.count(place) == 1:
                yield "before", {"name": person, "place": place}, earlier


def _after(rng: Random, story: Story, allowed: Homes) -> Asked:
    for person, trail in story.trails.items():
        for place, later in pairwise(trail):
            if trail.count(place) == 1:
                yield "after", {"name": person, "place": place}, later


def _check(rng: Random, story: Story, allowed: Homes) -> Asked:
    truth = rng.random() < 0.5
    answer = "yes" if truth else "no"
    told = {place for trail in story.trails.values() for place in trail}
    for name in [*story.trails, *story.holders]:
        place = story.place(name)
        others = sorted(told.intersection(allowed.get(name, told)) - {place}) or [rng.choice(allowed.get(name, PLACES))]
        if place and (truth or others != [place]):
            wording = "in" if name in PEOPLE else "lies"
            yield wording, {"name": name, "place": place if truth else rng.choice(others)}, answer
    for thing, holder in story.holders.items():
        others = [person for person in story.cast if person != holder]
        asked = holder if truth else rng.choice(others) if others else None
        if asked:
            yield "has", {"name": asked, "thing": thing}, answer


def _seldom(rng: Random, names: Sequence[str]) -> list[str]:
    return [rng.choice(names)] if rng.random() < 0.2 else []


KINDS = {
    "place": _place,
    "thing": _thing,
    "holder": _holder,
    "held": _held,
    "before": _before,
    "after": _after,
    "check": _check,
}

SHARES = {"train": 0.9, "validation": 0.04, "test": 0.06}


def generate(count: int, seed: int) -> Splits:
    """`count` rows in all, the splits as `SHARES` says; the same rows for the same seed."""
    return Splits(
        **{split: _table(Random(f"{split} {seed}"), round(count * share), split) for split, share in SHARES.items()}
    )


def _table(rng: Random, count: int, split: str) -> Table:
    made = rows(rng, count, split)
    return {name: [getattr(row, name) for row in made] for name in ("text", "question", "answer")}


TASK = Task(
    title="Question answering",
    description="One word that answers a question about a short story of people, places and things.",
    inputs={
        "text": Tokens("The story", words=10_000, max_length=1_000),
        "question": Tokens("A question about it", words=10_000, max_length=100),
    },
    outputs={"answer": Probabilities("The answer")},
    example={
        "text": "Sandra went to the kitchen. Sandra took the milk. Daniel ran to the garden. Later Sandra journeyed "
        "to the office.",
        "question": "Where is the milk?",
    },
    generate=generate,
    data="generated bAbI-style stories (training/generators/stories.py)",
    presets={
        "quick": Preset(rows=50_000, epochs=4, batch=128, learning_rate=3e-3, decay=True),
        "full": Preset(rows=200_000, epochs=8, batch=128, learning_rate=3e-3, decay=True),
    },
    baselines={"answer": "majority"},
)
