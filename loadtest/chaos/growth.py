"""Whether what processes hold grew over a run, told from samples taken while the same was served."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BOUND = 0.05
"""Growth of a process's memory, from the second quarter of what it is asked once warm to the last, at most.

Of both the median, as memory goes down with every reload and up again with the requests. In the first quarter it still
rises, by a tenth in half a million requests, as every batch of another shape leaves its size in some buffer.
"""
MORE = {"files": 4, "threads": 2}
"""How many more there may be at the end."""

Sample = Mapping[str, Any]
"""How much was "answered", whether all had been visited once ("warm"), and by process what it "held"."""


def of(samples: Sequence[Sample]) -> dict[str, float]:
    """The most that any process grew once warm: its memory as a share, its files and threads in number.

    >>> held = lambda size: {"7": {"resident_mb": size, "files": 9, "threads": 3}}
    >>> sizes = [(0, 50), (10, 80), (40, 100), (60, 110), (100, 125)]
    >>> of([{"answered": count, "warm": count > 0, "held": held(size)} for count, size in sizes])
    {'resident_mb': 0.25, 'files': 0, 'threads': 0}

    What never became warm cannot be told:

    >>> of([{"answered": 9, "warm": False, "held": held(50)}])["resident_mb"]
    inf
    """
    warm = [one for one in samples if one["warm"]]
    first, last = quarter(warm, 2), quarter(warm, 4)
    if not first:
        return dict.fromkeys(("resident_mb", *MORE), math.inf)
    there = warm[-1]["held"]
    return {
        "resident_mb": max(middle(last, pid, "resident_mb") / middle(first, pid, "resident_mb") - 1 for pid in there),
        **{name: max(middle(last, pid, name) - middle(first, pid, name) for pid in there) for name in MORE},
    }


def quarter(samples: Sequence[Sample], number: int) -> Sequence[Sample]:
    """Those of a quarter, 1 to 4, of what is answered from the first to the last."""
    if not samples:
        return []
    begin, end = samples[0]["answered"], samples[-1]["answered"]
    first, last = (begin + part / 4 * (end - begin) for part in (number - 1, number))
    return [one for one in samples if first <= one["answered"] <= last]


def middle(samples: Sequence[Sample], pid: str, name: str) -> float:
    """The median of what a process held; infinite growth would follow from one that was not there."""
    return statistics.median(one["held"].get(pid, {name: 1e-9})[name] for one in samples)


def beyond(growth: Mapping[str, float]) -> Iterator[dict[str, str]]:
    """What grew more than it may."""
    for name, bound in {"resident_mb": BOUND, **MORE}.items():
        if not growth[name] <= bound:
            yield {"what": f"{name} grew by {growth[name]:.2f}, {bound} at most", "during": "the whole soak"}


def summary(document: Mapping[str, Any]) -> str:
    """What came of it."""
    growth, rate = document["growth"], document["requests"] / document["seconds"]
    reloads = ", ".join(f"{count} × {name}" for name, count in document["reloads"].items())
    return (
        f"{document['requests']:,} requests over HTTP and {document['calls']:,} over gRPC to {document['models']}"
        f" models, {document['different']:,} different ones, {rate:,.0f}/s, {document['refused']:,} more refused;"
        f" {reloads}; right answers at most"
        f" {document['worst']:.1e} off, {len(document['violations'])} violations; memory grew by"
        f" {growth['resident_mb']:.1%} at most (bound {BOUND:.0%}), files by {growth['files']:.0f}, threads by"
        f" {growth['threads']:.0f}"
    )
