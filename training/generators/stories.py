"""A small world told in English: people move between places, take, drop and hand over objects, and a story says so.

    Mary went to the kitchen. Mary took the milk. John was tired. Then Mary moved to the garden.

`Story` holds both the sentences and what is true after them, so that questions can be answered from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

PEOPLE = ("Mary", "Sandra", "Julie", "Emma", "John", "Daniel", "Bill", "Fred")
PLACES = ("kitchen", "garden", "office", "bathroom", "bedroom", "hallway", "school", "park")
OBJECTS = ("milk", "football", "apple", "book", "key", "lamp")

MOVES = (
    "went to the {place}",
    "moved to the {place}",
    "travelled to the {place}",
    "journeyed to the {place}",
    "walked into the {place}",
    "ran to the {place}",
    "entered the {place}",
    "is now in the {place}",
)
RETURN = "went back to the {place}"
DEPARTURE = "left the {old} for the {place}"
TAKES = ("took the {thing}", "picked up the {thing}", "grabbed the {thing}", "got the {thing}")
DROPS = ("dropped the {thing}", "put down the {thing}", "discarded the {thing}", "left the {thing} there")
GIVES = ("gave the {thing} to {other}", "handed the {thing} to {other}", "passed the {thing} to {other}")
ASIDES = ("was tired", "was hungry", "laughed", "looked around", "sat down", "yawned")
OPENERS = ("Then", "Later", "After that", "Afterwards")

Homes = dict[str, Sequence[str]]
"""Where each person may go; a place named twice is gone to twice as often."""


@dataclass
class Story:
    """What was told, sentence by sentence, and how the world stands: the last of several moves counts.

    `trails` are the places each person was said to be at, in order. `holders` names who has an object, or `None` once
    it was dropped; `lying` is where it was dropped. Who was taken note of before their first move is nowhere yet.
    """

    cast: list[str]
    sentences: list[str] = field(default_factory=list)
    trails: dict[str, list[str]] = field(default_factory=dict)
    holders: dict[str, str | None] = field(default_factory=dict)
    lying: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole story, as one string."""
        return " ".join(self.sentences)

    def place(self, name: str) -> str | None:
        """Where a person or an object is, or `None` if the story does not say."""
        if name not in self.holders:
            return self.trails[name][-1] if name in self.trails else None
        holder = self.holders[name]
        return self.lying[name] if holder is None else self.place(holder)

    def held(self, person: str) -> list[str]:
        """What a person has."""
        return [thing for thing, holder in self.holders.items() if holder == person]


def tell(rng: Random, length: int, homes: Homes) -> Story:
    """A story of `length` sentences, in which everybody only goes where `homes` lets them."""
    story = Story(cast=rng.sample(PEOPLE, rng.randint(min(2, length), 3)))
    things = rng.sample(OBJECTS, rng.randint(1, 2))
    actor = rng.choice(story.cast)
    for _ in range(length):
        if rng.random() < 0.6:
            actor = rng.choice(story.cast)
        story.sentences.append(_sentence(rng, actor, _act(rng, story, actor, things, homes)))
    return story


def _sentence(rng: Random, actor: str, doing: str) -> str:
    if rng.random() < 0.2:
        return f"{rng.choice(OPENERS)} {actor} {doing}."
    return f"{actor} {doing}."


def _act(rng: Random, story: Story, actor: str, things: list[str], homes: Homes) -> str:
    """Let `actor` do something; what is said of it."""
    here, held = story.place(actor), story.held(actor)
    free = [thing for thing in things if thing not in story.holders or (here and story.lying.get(thing) == here)]
    near = [person for person in story.cast if person != actor and here and story.place(person) == here]
    chance = rng.random()
    if held and near and chance < 0.5:
        return _give(rng, story, rng.choice(held), rng.choice(near))
    if held and here and chance < 0.2:
        return _drop(rng, story, rng.choice(held), here)
    if free and chance < (0.4 if here else 0.1):
        return _take(rng, story, actor, rng.choice(free))
    if chance > 0.94:
        return rng.choice(ASIDES)
    return _move(rng, story, actor, here, homes)


def _move(rng: Random, story: Story, actor: str, here: str | None, homes: Homes) -> str:
    place = rng.choice([place for place in homes[actor] if place != here])
    trail = story.trails.setdefault(actor, [])
    wording = rng.choice(MOVES)
    if here and rng.random() < 0.1:
        wording = DEPARTURE
    elif place in trail and rng.random() < 0.5:
        wording = RETURN
    trail.append(place)
    return wording.format(place=place, old=here)


def _take(rng: Random, story: Story, actor: str, thing: str) -> str:
    story.holders[thing] = actor
    story.lying.pop(thing, None)
    return rng.choice(TAKES).format(thing=thing)


def _drop(rng: Random, story: Story, thing: str, here: str) -> str:
    story.holders[thing], story.lying[thing] = None, here
    return rng.choice(DROPS).format(thing=thing)


def _give(rng: Random, story: Story, thing: str, other: str) -> str:
    story.holders[thing] = other
    return rng.choice(GIVES).format(thing=thing, other=other)
