"""Bins that hold every value there is: ranges between edges, or labels; and how they read.

edges [18, 24, 31]   below 18 │ 18–24 │ 24–31 │ above 31 │ not a number        an upper edge belongs to its range
labels [wool, silk]  wool │ silk │ other
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from service.drift.features import Array, Seen, Spec

WHOLE = ("words", "characters", "steps", "vocabulary")
"""The features that are whole numbers."""


class Bins(Protocol):
    """The bins of one feature."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called, one each."""

    def place(self, values: Array) -> Array:
        """The number of every value's bin."""


@dataclass(frozen=True)
class Ranges:
    """Between edges that rise, of which the first two may be equal: a range of one value. At least two edges."""

    edges: tuple[float, ...]
    names: tuple[str, ...]

    def place(self, values: Array) -> Array:
        at = np.searchsorted(self.edges, values, side="left") + (values == self.edges[0])
        return np.where(np.isnan(values), len(self.edges) + 1, at)


@dataclass(frozen=True)
class Labels:
    """Some of a model's labels by their numbers, counted from 0, of which there are `count`; and all others."""

    numbers: tuple[int, ...]
    count: int
    names: tuple[str, ...]

    def place(self, values: Array) -> Array:
        bins = np.full(self.count + 1, len(self.numbers))
        bins[list(self.numbers)] = range(len(self.numbers))
        known = (values >= 0) & (values < self.count)
        placed: Array = bins[np.where(known, values, self.count).astype(np.intp)]
        return placed


def build(spec: Spec, feature: Mapping[str, Any]) -> Bins:
    """The bins of a feature from the card; KeyError, TypeError or ValueError where it makes no sense."""
    if "labels" in feature:
        known = list(spec["labels"])
        numbers = tuple(known.index(label) for label in feature["labels"])
        return Labels(numbers, len(known), (*feature["labels"], "other"))
    edges = [float(edge) for edge in feature["edges"]]
    if len(edges) < 2 or not np.isfinite(edges).all() or edges[1:] != sorted(set(edges[1:])) or edges[0] > edges[1]:
        raise ValueError(f"edges {edges} do not rise")
    return Ranges(tuple(edges), names(edges, feature["feature"], spec.get("unit") or ""))


def names(edges: Sequence[float], feature: str, unit: str = "") -> tuple[str, ...]:
    """How ranges read.

    >>> names([18, 24, 31.5], "value", "years")
    ('below 18 years', '18–24 years', '24–31.5 years', 'above 31.5 years', 'not a number')
    >>> names([1, 1, 2, 8, 20], "vocabulary")
    ('below 1', 'unknown', 'rank 1', 'ranks 2–7', 'ranks 8–19', 'above rank 19', 'not a number')
    """
    if feature == "vocabulary":  # ids follow frequency: 0 is padding, 1 is unknown, 2 is the most frequent word
        ranks = [edge - 1 for edge in edges]
        ends = [(low + 1, high) for low, high in pairwise(ranks)][1:]
        inner = [f"rank {high:g}" if low == high else f"ranks {low:g}–{high:g}" for low, high in ends]
        return ("below 1", "unknown", *inner, f"above rank {ranks[-1]:g}", "not a number")
    after = f" {unit}" if unit else ""
    step = 1 if feature in WHOLE else 0
    lows = [edges[0], *(edge + step for edge in edges[1:-1])]
    inner = [
        f"{low:g}{after}" if low == high else f"{low:g}–{high:g}{after}"
        for low, high in zip(lows, edges[1:], strict=True)
    ]
    return (f"below {edges[0]:g}{after}", *inner, f"above {edges[-1]:g}{after}", "not a number")


def count(bins: Bins, seen: Seen) -> Array:
    """The rows in every bin, (bins,) float: a row may lie in several, with a part of it in each."""
    return np.bincount(bins.place(seen.values), seen.weights, minlength=len(bins.names))
