"""Where the boxes and arrows of a graph stand in a picture, in inches, y upwards.

Graph, sizes ─ rows ─ order in each row ─ spread along it ─ ends of the arrows ─▶ Layout
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import igraph
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import lil_array

from training.reports.wiring import Graph

GAP, RISE, WIRE = 0.25, 0.36, 0.16  # Between boxes of a row, between rows; the room of an arrow that passes a row.
PORT = 0.4  # Between the ends of two arrows at a box, at most.
TIE = 1e-4  # Next to nothing: it decides between equals.

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """The middle of each box, and the points of each arrow from the edge of one box to the edge of another."""

    middles: tuple[Point, ...]
    lines: tuple[tuple[Point, ...], ...]


def arrange(whole: Graph, sizes: Sequence[Point]) -> Layout:
    """Place boxes of these widths and heights so that none overlap.

    The method of Sugiyama, Tagawa and Toda (1981) puts the boxes of a row, and the arrows that pass it, in an order
    with few crossings.
    """
    row = rows(whole)
    level, width, chains = list(row), [size[0] for size in sizes], []
    for arrow in whole.arrows:
        above, below = sorted((arrow.source, arrow.target), key=lambda place: (row[place], place))
        passed = range(row[above] + 1, row[below])
        chains.append([above, *range(len(level), len(level) + len(passed)), below])
        level += passed
        width += [WIRE] * len(passed)
    links = [(one, other) for chain in chains for one, other in pairwise(chain) if level[one] < level[other]]
    order = igraph.Graph(len(level), links, directed=True).layout_sugiyama(layers=level)
    # Straight above all where an arrow only passes.
    weights = [(1, 2, 8)[(one >= len(row)) + (other >= len(row))] for one, other in links]
    x = _spread(level, [point[0] for point in order], width, links, weights)

    tall = [max(sizes[at][1] for at in range(len(row)) if row[at] == own) for own in range(max(row) + 1)]
    top = [-sum(tall[:own]) - RISE * own for own in range(len(tall))]
    middles = [(float(x[at]), top[own] - tall[own] / 2) for at, own in enumerate(row)]
    ways = []
    for arrow, chain in zip(whole.arrows, chains, strict=True):
        way = [(float(x[at]), top[level[at]] - share * tall[level[at]]) for at in chain[1:-1] for share in (0.0, 1.0)]
        ways.append([middles[arrow.source], *(way if chain[0] == arrow.source else way[::-1]), middles[arrow.target]])
    return Layout(tuple(middles), _lines(whole, middles, sizes, ways))


def rows(whole: Graph) -> list[int]:
    """The row of each box, 0 on top: inputs first, what is taken above what takes it, outputs last.

    A shared layer stands where its first call puts it; what it takes in a later one may come from below.
    """
    row = [0] * len(whole.boxes)
    for arrow in sorted(whole.arrows, key=lambda arrow: arrow.target):
        if arrow.source < arrow.target:
            row[arrow.target] = max(row[arrow.target], row[arrow.source] + 1)
    ends = set(range(len(row))) - {arrow.source for arrow in whole.arrows}
    return [max(row) if place in ends else own for place, own in enumerate(row)]


def _spread(
    level: Sequence[int],
    order: Sequence[float],
    width: Sequence[float],
    links: Sequence[tuple[int, int]],
    weights: Sequence[int],
) -> NDArray[np.float64]:
    """Where on its row each thing stands: in `order`, a gap apart, and links as little aslant as that allows.

    The linear programme of Gansner et al. (1993, A technique for drawing directed graphs): least Σ weight · |x − x'|.
    Where several places are best, it is the middle between the leftmost and the rightmost of them.
    """
    count = len(level)
    beside = sorted(range(count), key=lambda at: (level[at], order[at], at))
    pairs = [(one, other) for one, other in pairwise(beside) if level[one] == level[other]]
    rules = lil_array((len(pairs) + 2 * len(links), count + len(links)))
    bounds = np.zeros(rules.shape[0])
    for number, (one, other) in enumerate(pairs):
        rules[number, one], rules[number, other] = 1, -1
        bounds[number] = -(width[one] + width[other]) / 2 - GAP
    for number, (one, other) in enumerate(links):
        for sign, rule in ((1, len(pairs) + 2 * number), (-1, len(pairs) + 2 * number + 1)):
            rules[rule, one], rules[rule, other], rules[rule, count + number] = sign, -sign, -1
    room = (0, sum(width) + GAP * count)
    leftmost, rightmost = (
        linprog([lean] * count + list(weights), rules.tocsr(), bounds, bounds=room, method="highs-ds").x[:count]
        for lean in (TIE, -TIE)
    )
    middle: NDArray[np.float64] = (leftmost - leftmost.min() + rightmost - rightmost.min()) / 2
    return middle


def _lines(
    whole: Graph, middles: Sequence[Point], sizes: Sequence[Point], ways: Sequence[Sequence[Point]]
) -> tuple[tuple[Point, ...], ...]:
    """Ways between middles, cut at the upper and lower edges of the boxes.

    A tensor leaves its box at one point, calls from left to right; each arrow that comes has a point of its own.
    """
    lines = [list(way) for way in ways]
    ports: dict[tuple[int, int], dict[tuple[float, int, int], list[tuple[int, int]]]] = {}
    for number, (arrow, way) in enumerate(zip(whole.arrows, ways, strict=True)):
        if arrow.source == arrow.target:
            lines[number] = _loop(middles[arrow.source], sizes[arrow.source])
            continue
        up = 1 if way[0][1] <= way[-1][1] else -1
        leaves, comes = (middles[arrow.source][0], arrow.made, -1), (way[-2][0], arrow.made, number)
        ports.setdefault((arrow.source, up), {}).setdefault(leaves, []).append((number, 0))
        ports.setdefault((arrow.target, -up), {})[comes] = [(number, -1)]
    for (place, side), found in ports.items():
        (x, y), (width, height) = middles[place], sizes[place]
        step = min(0.8 * width / len(found), PORT)
        for rank, port in enumerate(sorted(found)):
            for number, end in found[port]:
                lines[number][end] = (x + step * (rank - (len(found) - 1) / 2), y + side * height / 2)
    return tuple(tuple(line) for line in lines)


def _loop(middle: Point, size: Point) -> list[Point]:
    """At the right, for a layer that takes its own answer."""
    (x, y), (width, height) = middle, size
    return [(x + width / 2, y - height / 4), (x + width / 2 + GAP / 2, y), (x + width / 2, y + height / 4)]
