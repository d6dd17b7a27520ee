"""One worker's queue, request by request: a turn takes what waits, as much as a batch holds, and never waits for more.

Poisson arrivals, one server, turns whose length follows from how many they answer. Inoue bounds the mean (Queueing
analysis of GPU-based inference servers with dynamic batching, Performance Evaluation 147, 2021); percentiles have no
closed form, so they are simulated. tests/loadtest/test_capacity.py holds both to the theory where there is one.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadtest.capacity.costs import Costs

Floats = NDArray[np.float64]
REQUESTS = 30_000
"""Simulated for one figure: of these 300 are beyond the 99th percentile."""
WARM = 0.1
"""The share at the start that does not count."""


@dataclass(frozen=True)
class Steady:
    """A worker at a constant load: seconds of each answer, the share of time it is busy, seconds before a turn."""

    latencies: Floats
    busy: float
    waits: float

    def percentile(self, percent: float) -> float:
        """Seconds within which so many percent are answered."""
        return float(np.percentile(self.latencies, percent))


def serve(arrivals: Sequence[float], turns: Sequence[float]) -> tuple[list[float], float]:
    """When each request is answered, and the seconds that all turns took; `turns` by the requests in it.

    >>> serve([0.0, 1.0, 2.0, 9.0], [0.0, 5.0, 6.0])
    ([5.0, 11.0, 11.0, 16.0], 16.0)
    """
    answered: list[float] = []
    free = busy = 0.0
    most, at, count = len(turns) - 1, 0, len(arrivals)
    while at < count:
        start = max(free, arrivals[at])
        end = bisect_right(arrivals, start, at, min(at + most, count))
        free = start + turns[end - at]
        busy += turns[end - at]
        answered += [free] * (end - at)
        at = end
    return answered, busy


def steady(costs: Costs, rate: float, rows: int = 1, requests: int = REQUESTS, seed: int = 0) -> Steady:
    """A worker asked at random for `rate` requests a second."""
    gaps = np.random.default_rng(seed).exponential(1 / rate, requests)
    arrivals = np.cumsum(gaps)
    turns = costs.turns(rows)
    answered, busy = serve(arrivals.tolist(), turns)
    latencies = np.asarray(answered) - arrivals
    waits = float(np.mean(latencies)) - busy_mean(answered, turns)
    return Steady(latencies[int(WARM * requests) :], busy / answered[-1], waits)


def busy_mean(answered: Sequence[float], turns: Sequence[float]) -> float:
    """Seconds of its own turn, for a request on average.

    >>> busy_mean([5.0, 11.0, 11.0], [0.0, 5.0, 6.0])
    5.666666666666667
    """
    _, sizes = np.unique(np.asarray(answered), return_counts=True)
    return float(np.sum(sizes * np.asarray(turns)[sizes]) / np.sum(sizes))


def rate_within(costs: Costs, p99: float, rows: int = 1, most_busy: float = 1.0) -> float:
    """The requests a second of a worker whose 99th percentile is `p99` seconds at most, within `most_busy` of its peak.

    0 if even an idle worker takes longer. Halving finds it to a hundredth of the peak.
    """
    low, high = 0.0, most_busy
    while high - low > 0.01:
        share = (low + high) / 2
        if steady(costs, share * costs.peak(rows), rows).percentile(99) <= p99:
            low = share
        else:
            high = share
    return (high if low and high == most_busy else low) * costs.peak(rows)
