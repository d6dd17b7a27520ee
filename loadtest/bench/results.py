"""What follows from the raw figures: medians, ratios, and whether the targets were met. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.bench.plan import BASIC, EMPTY, OURS

SATURATED = 32
"""Connections at which the targets of throughput are set."""

LATENCY = {"median": 8.0, "p99": 4.0}
"""On one connection, so many times quicker than the fastest peer: asked of the basic scenario."""
EFFICIENCY = 0.6
"""Of the rate of an empty view at saturation, likewise."""

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """A server at a number of connections: medians over the rounds, and all rounds' answers."""

    server: str
    connections: int
    rate: float
    median: float
    p99: float
    cpu_us: float
    slowest: float
    fastest: float
    answers: int
    wrong: int
    worst: float
    broken: int


@dataclass(frozen=True)
class Ratio:
    """A figure of ours over a peer's (or the other way round, where less is better), and what was asked of it."""

    what: str
    against: str
    ratio: float
    target: float

    @property
    def met(self) -> bool:
        return self.ratio >= self.target


def rows(document: Document) -> list[Row]:
    """By connections, then by rate, the fastest first."""
    cells: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for cell in document["cells"]:
        cells.setdefault((cell["server"], cell["connections"]), []).append(cell)
    return sorted((row(*key, seen) for key, seen in cells.items()), key=lambda row: (row.connections, -row.rate))


def row(server: str, connections: int, cells: Sequence[Mapping[str, Any]]) -> Row:
    """One line from its rounds."""
    rates = [cell["rate"] for cell in cells]
    middle = {of: statistics.median(cell[of] for cell in cells) for of in ("rate", "median", "p99", "cpu_us")}
    return Row(
        server=server,
        connections=connections,
        **middle,
        slowest=min(rates),
        fastest=max(rates),
        answers=sum(cell["answers"] for cell in cells),
        wrong=sum(cell["wrong"] for cell in cells),
        worst=max(math.inf if cell["worst"] is None else cell["worst"] for cell in cells),
        broken=sum(cell["broken"] for cell in cells),
    )


def wrong(document: Document) -> set[str]:
    """Servers that gave a wrong answer, warming up or at whatever number of connections, or broke a connection."""
    cells = [*document["warm"], *document["cells"]]
    return {cell["server"] for cell in cells if cell["wrong"] or cell["broken"]}


def held_to(document: Document, what: str, connections: int) -> list[Row]:
    """The peers' rows that a target compares with: "right", "any", or a server's name."""
    out = {OURS, EMPTY} | (wrong(document) if what == "right" else set())
    return [
        row
        for row in rows(document)
        if row.connections == connections and row.server not in out and what in ("right", "any", row.server)
    ]


def ratios(document: Document) -> list[Ratio]:
    """Every target of a scenario for which there is something to compare with."""
    found = [
        ratio for what, target in document["scenario"]["targets"].items() for ratio in rate(document, what, target)
    ]
    if document["scenario"]["name"] == BASIC:
        found += [ratio for of, target in LATENCY.items() for ratio in quickness(document, of, target)]
        found += efficiency(document)
    return found


def rate(document: Document, what: str, target: float) -> list[Ratio]:
    """Our rate over the fastest peer's at saturation."""
    mine, theirs = ours(document, SATURATED), held_to(document, what, SATURATED)
    if mine is None or not theirs:
        return []
    best = max(theirs, key=lambda row: row.rate)
    title = {"right": "throughput", "any": "throughput, wrong answers allowed"}.get(what, "throughput")
    return [Ratio(title, best.server, mine.rate / best.rate, target)]


def quickness(document: Document, of: str, target: float) -> list[Ratio]:
    """The quickest peer's latency over ours, on one connection."""
    mine, theirs = ours(document, 1), held_to(document, "right", 1)
    if mine is None or not theirs:
        return []
    best = min(theirs, key=lambda row: getattr(row, of))
    return [Ratio(f"idle {of}", best.server, getattr(best, of) / getattr(mine, of), target)]


def efficiency(document: Document) -> list[Ratio]:
    """Our rate over that of an empty view under the same worker."""
    mine, bare = ours(document, SATURATED), one(document, EMPTY, SATURATED)
    return [Ratio("efficiency", EMPTY, mine.rate / bare.rate, EFFICIENCY)] if mine and bare else []


def ours(document: Document, connections: int) -> Row | None:
    """Our row."""
    return one(document, OURS, connections)


def one(document: Document, server: str, connections: int) -> Row | None:
    """A server's row, if it was measured."""
    return next((row for row in rows(document) if (row.server, row.connections) == (server, connections)), None)
