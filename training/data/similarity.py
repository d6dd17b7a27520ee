"""Pairs of sentences and how alike they are, generated: paraphrases, near misses, partly related and unrelated pairs.

Each sentence tells a scene (scenes.py), and the score compares the two scenes, never their words:

    similarity = sum over the parts of weight × agreement, halved if the one says that it happens and the other that not

    part       count   who   does   quality   what   where        agreement   1    the same concept, or unsaid in both
    weight     0.10   0.25   0.25      0.10   0.20    0.10                    1/2  one of the same family (man, woman),
                                                                                   or unsaid in one of the two
                                                                              0    otherwise

So a paraphrase without a word in common scores 1, and "The dog is chasing the cat" scores 0.775 beside "The cat is
chasing the dog", although all of their words agree.

Nothing leaks: who does what (a pair of concepts, such as man and washing) belongs to one split, and so does every
sentence. The words and wordings are shared: nothing here measures how well unseen ones are understood.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from math import fsum
from random import Random

from training.generators.scenes import DEEDS, FAMILY, SUBJECTS, Scene, draw, tell
from training.task import Number, Preset, Splits, Table, Task, Tokens
from training.words import split

WEIGHTS = {"count": 0.10, "who": 0.25, "does": 0.25, "quality": 0.10, "what": 0.20, "where": 0.10}
DENIAL = 0.5
"""What is left of the score when one sentence denies what the other says."""

KINDS = {"paraphrase": 0.2, "near miss": 0.35, "related": 0.25, "unrelated": 0.2}
"""How often each kind of pair is made: nothing changed, one thing, two to four parts, or everything drawn anew."""

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}

Deed = tuple[str, str]
"""Who does what: the concepts `who` and `does` of a scene."""


@dataclass(frozen=True)
class Pair:
    """Two told scenes."""

    kind: str
    scenes: tuple[Scene, Scene]
    left: str
    right: str


def similarity(left: Scene, right: Scene) -> float:
    """The score of two scenes, in [0, 1]; see above."""
    alike = fsum(weight * agreement(getattr(left, part), getattr(right, part)) for part, weight in WEIGHTS.items())
    return alike if left.happens == right.happens else DENIAL * alike


def agreement(left: str, right: str) -> float:
    """How far two concepts agree: 1, 0.5 or 0.

    >>> agreement("man", "man"), agreement("man", "woman"), agreement("man", ""), agreement("man", "dog")
    (1.0, 0.5, 0.5, 0.0)
    """
    if left == right:
        return 1.0
    return 0.5 if not left or not right or FAMILY[left] == FAMILY[right] else 0.0


def pairs(rng: Random, count: int, deeds: Collection[Deed]) -> Iterator[Pair]:
    """`count` pairs whose scenes show only these deeds."""
    for kind in rng.choices(list(KINDS), list(KINDS.values()), k=count):
        left = _scene(rng, deeds)
        right = _other(left, kind, rng, deeds)
        yield Pair(kind, (left, right), tell(left, rng), tell(right, rng))


def _scene(rng: Random, deeds: Collection[Deed]) -> Scene:
    while True:
        scene = draw(rng)
        if (scene.who, scene.does) in deeds:
            return scene


def _other(left: Scene, kind: str, rng: Random, deeds: Collection[Deed]) -> Scene:
    """A scene that differs from `left` as the kind of pair says."""
    while True:
        scene = _scene(rng, deeds)
        if kind == "unrelated":
            return scene
        changed = {"paraphrase": 0, "near miss": 1, "related": rng.randint(2, 4)}[kind]
        right = _swapped(left) if kind == "near miss" and rng.random() < 0.3 else _mixed(left, scene, changed, rng)
        if right.possible and (right.who, right.does) in deeds and (kind == "paraphrase" or right != left):
            return right


def _mixed(left: Scene, other: Scene, changed: int, rng: Random) -> Scene:
    """`left` with so many of its parts taken from the other scene, or denied."""
    parts = rng.sample([field.name for field in fields(Scene)], changed)
    values = {part: getattr(other, part) for part in parts if part != "happens"}
    return replace(left, happens=left.happens != ("happens" in parts), **values)


def _swapped(left: Scene) -> Scene:
    """The roles changed over: whom it is done to does it."""
    return replace(left, who=left.what, what=left.who)


def deeds(seed: int) -> dict[str, frozenset[Deed]]:
    """Which deeds belong to which split."""
    every = [(who, does) for does in DEEDS for who in SUBJECTS[does]]
    Random(seed).shuffle(every)
    first, second = (round(share * len(every)) for share in (SHARES["train"], 1 - SHARES["test"]))
    return {
        "train": frozenset(every[:first]),
        "validation": frozenset(every[first:second]),
        "test": frozenset(every[second:]),
    }


def generate(rows: int, seed: int) -> Splits:
    """`rows` pairs in all, the splits as `SHARES` says; the same rows for the same seed."""
    allowed = deeds(seed)
    return Splits(
        **{
            part: _table(pairs(Random(f"{part} {seed}"), round(rows * share), allowed[part]))
            for part, share in SHARES.items()
        }
    )


def _table(made: Iterator[Pair]) -> Table:
    columns: Table = {"left": [], "right": [], "similarity": []}
    for pair in made:
        columns["left"].append(pair.left)
        columns["right"].append(pair.right)
        columns["similarity"].append(similarity(*pair.scenes))
    return columns


def word_overlap(inputs: Table) -> list[float]:
    """The baseline: words that both sentences have, of the words that either has (Jaccard's index)."""
    return [_overlap(left, right) for left, right in zip(inputs["left"], inputs["right"], strict=True)]


def _overlap(left: str, right: str) -> float:
    one, other = set(split(left)), set(split(right))
    return len(one & other) / len(one | other) if one | other else 1.0


TASK = Task(
    title="Sentence similarity",
    description="How alike two English sentences are, from 0 (unrelated) to 1 (they say the same).",
    inputs={
        "left": Tokens("One sentence", words=10_000),
        "right": Tokens("Another sentence", words=10_000),
    },
    outputs={"similarity": Number("Similarity", minimum=0, maximum=1)},
    example={
        "left": "Two men are washing a red car in the street.",
        "right": "On the road a crimson automobile is being cleaned by a pair of gentlemen.",
    },
    generate=generate,
    data="generated sentence pairs: paraphrases, near misses, related and unrelated ones, scored by what they say",
    presets={
        "quick": Preset(rows=6_000, epochs=12, batch=64, learning_rate=2e-3),
        "full": Preset(rows=20_000, epochs=60, batch=64, learning_rate=1e-3, patience=6),
    },
    baselines={"similarity": word_overlap},
)
