"""What the counts say of a version, feature by feature: as JSON for who asks, as figures for the metrics.

The recent rows of a feature are those of the latest hours that are enough for a verdict: of this hour, mostly.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from service.drift import psi
from service.drift.counts import HOUR
from service.drift.features import Array
from service.drift.psi import Verdict
from service.drift.reference import SIDES, Feature, NotWatched, read
from service.drift.watched import Watched


@dataclass(frozen=True)
class Drift:
    """How far one feature has moved: over the recent rows, (bins,), counted since that hour."""

    feature: Feature
    recent: Array
    since: int
    psi: float
    noise: float

    @property
    def verdict(self) -> Verdict:
        """What the recent rows say."""
        return psi.verdict(self.psi, self.noise)

    @property
    def told(self) -> bool:
        """Whether there are enough of them to say anything."""
        return self.verdict is not Verdict.FEW


def drift(feature: Feature, rows: Array, now: int) -> Drift:
    """Of one feature, from its rows (24, bins), the last those of the hour `now`."""
    back = recent(feature.training, rows)
    latest = rows[back:].sum(axis=0)
    moved = float(psi.index(feature.training, latest)) if latest.any() else 0.0
    return Drift(feature, latest, now - len(rows) + 1 + back, moved, float(psi.chance(feature.training, latest)))


def recent(training: Array, rows: Array) -> int:
    """The place of the latest hour from which on there are enough rows, (hours, bins); 0 if there never are."""
    from_then_on = rows[::-1].cumsum(axis=0)[::-1]
    enough = np.flatnonzero(psi.chance(training, from_then_on) <= psi.SHIFTED)
    return int(enough[-1]) if len(enough) else 0


def drifts(watched: Watched) -> Iterator[Drift]:
    """Of every feature."""
    now, rows = watched.counts.by_hour()
    return (drift(feature, rows[:, feature.at], now) for feature in watched.reference.features)


def document(card: Mapping[str, Any], watched: Watched | None) -> dict[str, Any]:
    """All of a version, as JSON; why it is not watched, if it is not."""
    if watched is None:
        return {"verdict": UNKNOWN, "reason": unwatched(card)} | {side: {} for side in SIDES}
    sides: dict[str, dict[str, list[dict[str, Any]]]] = {side: {} for side in SIDES}
    verdicts = [Verdict.FEW]
    now, rows = watched.counts.by_hour()
    for feature in watched.reference.features:
        one = drift(feature, rows[:, feature.at], now)
        sides[feature.side].setdefault(feature.name, []).append(shown(one, rows[:, feature.at], now))
        verdicts.append(one.verdict)
    return {"verdict": max(verdicts, key=ORDER.index).value, **sides}


def unwatched(card: Mapping[str, Any]) -> str:
    """Why nobody looks."""
    try:
        read(card)
    except NotWatched as error:
        return str(error)
    return "MANIFOLD_DRIFT is 0"


UNKNOWN = "not watched"
ORDER = list(Verdict)


def shown(one: Drift, rows: Array, now: int) -> dict[str, Any]:
    """One feature: shares of the rows in every bin, of the training and of late; and hour by hour."""
    past = history(one.feature, rows, now)
    began = moved_since(one, past)
    return {
        "feature": one.feature.feature,
        "verdict": one.verdict.value,
        "psi": round(one.psi, 4) if one.told else None,
        "noise": round(one.noise, 4) if math.isfinite(one.noise) else None,
        "rows": round(float(one.recent.sum())),
        "since": time(one.since),
        "moved_since": None if began is None else time(began),
        "bins": list(one.feature.bins.names),
        "training": short(one.feature.training),
        "recent": short(one.recent),
        "hours": [{"from": time(hour), "psi": round(moved, 4)} for hour, moved, _ in past],
    }


def history(feature: Feature, rows: Array, now: int) -> list[tuple[int, float, Verdict]]:
    """The hours that have rows enough, oldest first: when, the PSI of its rows alone, and what that says."""
    moved, noise = psi.index(feature.training, rows), psi.chance(feature.training, rows)
    first = now - len(rows) + 1
    enough = np.flatnonzero(noise <= psi.SHIFTED).tolist()
    return [(first + hour, float(moved[hour]), psi.verdict(moved[hour], noise[hour])) for hour in enough]


def moved_since(one: Drift, past: Sequence[tuple[int, float, Verdict]]) -> int | None:
    """The hour from which on no hour says that it is stable; None if it has not moved."""
    if one.verdict in (Verdict.FEW, Verdict.STABLE):
        return None
    moved = itertools.takewhile(lambda hour: hour[2] is not Verdict.STABLE, reversed(past))
    return min([one.since, *(hour for hour, _, _ in moved)])


def short(counts: Array) -> list[float]:
    """Shares to four places."""
    return [round(share, 4) for share in psi.shares(counts).tolist()]


def time(hour: int) -> str:
    """When an hour since 1970 began.

    >>> time(490896)
    '2026-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(hour * HOUR, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
