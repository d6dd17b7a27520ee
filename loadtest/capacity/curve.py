"""What a worker's load means: its latencies, how busy it is; and the figures of seconds at several loads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from loadtest.capacity.costs import Costs
from loadtest.capacity.traffic import HOUR
from loadtest.capacity.worker import Steady, steady

LOADS = np.append(np.arange(0.05, 0.96, 0.05), [0.98, 1.0])
"""Shares of a worker's peak of which the latencies are known; at 1 it is never idle, and waits are counted apart."""
QUANTILES = 500
STEPS = 50
"""Of a second, to which waits are rounded."""


@dataclass
class Second:
    """What one second came to."""

    came: int = 0
    answered: int = 0
    refused: int = 0
    broken: int = 0
    given_up: int = 0
    pods: int = 0
    paid: int = 0
    waits: float = 0.0
    load: float = 0.0


class Curve:
    """A worker's latencies by its load."""

    def __init__(self, costs: Costs, rows: int = 1) -> None:
        peak = costs.peak(rows)
        found: list[Steady] = [steady(costs, load * peak, rows) for load in LOADS[:-1]]
        found.append(Steady(np.array([costs.turn(costs.most(rows), rows)]), 1.0, costs.turn(costs.most(rows), rows)))
        at = (np.arange(QUANTILES) + 0.5) / QUANTILES
        self.seconds = np.array([np.quantile(one.latencies, at) for one in found])
        self.busy = np.array([one.busy for one in found])
        self.waits = np.array([one.waits for one in found])
        self.late = np.array([one.percentile(95) - np.mean(one.latencies) + one.waits for one in found])
        """Seconds that 95 of 100 wait for their turn, which takes all of them as long as the mean."""

    def level(self, load: float) -> int:
        """The nearest load that is known."""
        return int(np.argmin(np.abs(LOADS - load)))


Metric = Callable[[Curve, Second], float]
"""What a scaler holds: a pod's figure of a second."""


def cpu(curve: Curve, second: Second) -> float:
    """The share of its cores that a pod uses."""
    return float(np.interp(second.load, LOADS, curve.busy))


def queue_seconds(curve: Curve, second: Second) -> float:
    """Seconds that a request waits for its turn."""
    return second.waits + float(np.interp(second.load, LOADS, curve.waits))


def as_deployed(curve: Curve, second: Second) -> float:
    """The larger ratio to the targets of deploy/kubernetes: 25 ms that 95 of 100 wait, 70 % of the processors."""
    late = second.waits + float(np.interp(second.load, LOADS, curve.late))
    return max(late / 0.025, cpu(curve, second) / 0.7)


def percentiles(curve: Curve, seconds: Sequence[Second], percents: Sequence[float]) -> list[float]:
    """Of all that was answered in these seconds; nan where nothing was."""
    found: dict[tuple[int, int], int] = {}
    for one in seconds:
        key = curve.level(one.load), round(one.waits * STEPS)
        found[key] = found.get(key, 0) + one.answered
    if not sum(found.values()):
        return [float("nan")] * len(percents)
    values = np.concatenate([curve.seconds[level] + wait / STEPS for level, wait in found])
    weights = np.repeat(np.array(list(found.values())) / QUANTILES, QUANTILES)
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return [float(values[order][np.searchsorted(reached, percent / 100)]) for percent in percents]


def hours(seconds: Sequence[Second]) -> list[Sequence[Second]]:
    """The seconds of each hour."""
    return [seconds[at : at + HOUR] for at in range(0, len(seconds), HOUR)]
