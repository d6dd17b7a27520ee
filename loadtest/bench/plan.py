"""What is asked: scenarios as data, suites of them, and the order of the rounds."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROWS = 64
"""Different rows of one scenario, asked in turn."""

CONNECTIONS = (1, 8, 32, 128)

OURS, EMPTY = "manifold", "empty"
BASIC = "qa"
"""The scenario of which idle latency and efficiency are asked."""

Span = tuple[int, int]
"""The least and the largest of a length, both included."""


@dataclass(frozen=True)
class Scenario:
    """Rows of one model. `lengths` fills each input's unknown sizes; with `values`, all numbers are whole and within
    them. `targets` are ratios by what they are held to: the fastest peer that answers rightly ("right"), the fastest
    of all ("any"), or one by its name."""

    name: str
    title: str
    model: str
    version: int
    lengths: Mapping[str, Span]
    targets: Mapping[str, float]
    values: Span | None = None
    masked: bool = True
    """Whether the SavedModel leaves padding out, as it was trained; else it takes padding for words (unmasked.py)."""


@dataclass(frozen=True)
class Rounds:
    """How much is measured: so many rounds, each of so many seconds at each number of connections."""

    rounds: int = 5
    seconds: int = 2
    connections: Sequence[int] = CONNECTIONS


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("qa", "qa, 100 + 20 ids", "qa", 1, {"text": (100, 100), "question": (20, 20)}, {"right": 3}),
        Scenario(
            "similarity",
            "similarity, 20 + 20 ids",
            "similarity",
            1,
            {"left": (20, 20), "right": (20, 20)},
            {"right": 3},
        ),
        Scenario(
            "vectors",
            "vectors, 2 × 20 × 128 floats, 43 kB",
            "siamese_vectors",
            2,
            {"left": (20, 20), "right": (20, 20)},
            {"right": 2},
        ),
        Scenario("profile", "profile, 300 ids", "profile", 1, {}, {"right": 2}),
        Scenario("majority", "majority, 9 votes", "majority", 2, {}, {"mosec": 1}, (0, 1)),
        Scenario(
            "mixed", "qa, 20–200 + 5–30 ids", "qa", 1, {"text": (20, 200), "question": (5, 30)}, {"right": 15, "any": 5}
        ),
        Scenario(
            "unmasked",
            "qa without masks, 20–200 + 5–30 ids",
            "qa",
            1,
            {"text": (20, 200), "question": (5, 30)},
            {"right": 15, "any": 5},
            masked=False,
        ),
    )
}

SUITES = {
    "quick": (("qa", "majority", "mixed"), Rounds(rounds=3, connections=(1, 32))),
    "whole": (tuple(SCENARIOS), Rounds()),
}


def folder(store: Path, scenario: Scenario) -> Path:
    """Where the scenario's model lies; FileNotFoundError says how to train it."""
    found = store / scenario.model / str(scenario.version)
    if not (found / "saved_model.pb").is_file():
        command = f"python -m training {scenario.model} --version {scenario.version} --out {store}"
        raise FileNotFoundError(f"{found} is missing: {command}")
    return found


def servers(scenario: str, peers: Sequence[str]) -> list[str]:
    """Who is measured: this service, the empty view where efficiency is asked, the peers."""
    return [OURS, *([EMPTY] if scenario == BASIC else []), *peers]


def turns(rounds: int, servers: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Round by round, every server once; each round begins with the next server, so that none is always first.

    >>> list(turns(2, ["ours", "theirs"]))
    [(0, 'ours'), (0, 'theirs'), (1, 'theirs'), (1, 'ours')]
    """
    for number in range(rounds):
        first = number % len(servers)
        yield from itertools.product([number], [*servers[first:], *servers[:first]])


def seconds(plan: Rounds, scenarios: int, servers: int, start: float = 30.0, warm: float = 1.0) -> float:
    """How long a run takes, about: a start a scenario, and every turn warms its server up.

    >>> round(seconds(Rounds(), scenarios=5, servers=3) / 60)
    14
    """
    turn = warm + len(plan.connections) * plan.seconds
    return scenarios * (start + plan.rounds * servers * turn)
