"""Kubernetes' horizontal pod autoscaler (autoscaling/v2) with its defaults, as a pure step every 15 seconds.

desired = ceil(current · metric / target), no change within a tenth of the target, pods without a metric counted as idle
when it would grow and as at the target when it would shrink, neither of which turns growth into shrinking: "Algorithm
details" at kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale. Growth is at most a doubling or four pods
in 15 seconds; shrinking goes to the largest wish of the last 300.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil

SYNC = 15.0
"""Seconds between two steps."""
TOLERANCE = 0.1
STABLE = 300.0
"""Seconds of which the largest wish counts before pods are taken away."""
DOUBLE, MORE = 2, 4


@dataclass
class Autoscaler:
    """Holds a metric's mean over the pods at its target, between the least and the most pods."""

    target: float
    least: int
    most: int
    wishes: deque[tuple[float, int]] = field(default_factory=deque)

    def step(self, now: float, current: int, ready: int, metric: float) -> int:
        """Pods there should be: there are `current`, of which `ready` ones have a metric, `metric` on average."""
        wish = min(max(self.wish(current, ready, metric), self.least), self.most)
        self.wishes.append((now, wish))
        while self.wishes[0][0] <= now - STABLE:
            self.wishes.popleft()
        if wish > current:
            return min(wish, max(DOUBLE * current, current + MORE))
        return min(max(wish for _, wish in self.wishes), current)

    def wish(self, current: int, ready: int, metric: float) -> int:
        """What the formula says.

        >>> scaler = Autoscaler(target=0.5, least=1, most=99)
        >>> scaler.wish(10, 10, 0.8), scaler.wish(10, 10, 0.54), scaler.wish(10, 10, 0.2)
        (16, 10, 4)
        >>> scaler.wish(12, 8, 0.75)  # a third is lost, the others carry its load: nothing is to be done, it finds
        12
        """
        if not ready:
            return current
        ratio = metric / self.target
        missing = current - ready
        if not missing:
            return current if abs(ratio - 1) <= TOLERANCE else ceil(ratio * current)
        filled = (ratio * ready + (missing if ratio < 1 else 0)) / current
        if abs(filled - 1) <= TOLERANCE or (filled > 1) != (ratio > 1):
            return current
        return ceil(filled * current)
