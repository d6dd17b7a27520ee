"""What a run of faults came to, as a table."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loadtest.chaos.schedule import Event

HEAD = """| fault | times | well again after, median | at most | asked meanwhile | right | refused | broke | retried |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
"""
BROKE = ("refused", "closed", "cut", "silent")


def table(events: Sequence[Mapping[str, Any]]) -> str:
    """A row for each fault."""
    by_fault: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_fault[event["fault"]].append(Event(**event))
    return HEAD + "".join(row(fault, by_fault[fault]) for fault in by_fault)


def row(fault: str, events: Sequence[Event]) -> str:
    """How often it came, how long it took to recover, and what clients got meanwhile."""
    took = [event.recovery for event in events]
    counts = total(event.counts for event in events)
    refused = " ".join(f"{count} × {status}" for status, count in counts.items() if status.isdigit()) or "0"
    broke = sum(counts[kind] for kind in BROKE)
    return (
        f"| {fault} | {len(events)} | {statistics.median(took):.2f} s | {max(took):.2f} s | {counts['asked']:,} |"
        f" {counts['right']:,} | {refused} | {broke} | {counts['retried']} |\n"
    )


def total(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Their sum.

    >>> total([{"right": 1}, {"right": 2}])["right"]
    3
    """
    found: Counter[str] = Counter()
    for one in counts:
        found.update(one)
    return found


def summary(document: Mapping[str, Any]) -> str:
    """The run in a sentence."""
    counts = document["counts"]
    return (
        f"{len(document['events'])} faults in {document['seconds']:.0f} s; {counts['asked']:,} requests,"
        f" {counts['right']:,} answered rightly, at most {document['worst']:.1e} off;"
        f" {len(document['violations'])} violations"
    )


def told(violation: Mapping[str, Any]) -> str:
    """A violation in a few lines; the raw figures have all of it."""
    parts = [f"VIOLATION during {violation['during']}: {violation['what']}"]
    parts += [f"  {name}: {violation[name][:200]}" for name in ("asked", "answered") if name in violation]
    return "\n".join(parts)
