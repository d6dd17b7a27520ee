"""Kubernetes' horizontal pod autoscaler (autoscaling/v2) with its defaults, as a pure step every 15 seconds.

desired = ceil(current · metric / target), no change within a tenth of the target, pods without a metric counted as idle
when it would grow and as at the target when it would shrink, neither of which turns growth into shrinking: "Algorithm
details" at kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale. How fast it may go is its `behavior`.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil

SYNC = 15.0
"""Seconds between two steps."""
TOLERANCE = 0.1
DOUBLE = 2


@dataclass(frozen=True)
class Behavior:
    """How fast pods may come and go: a doubling or `more` in so many seconds, a share of them away in so many; seconds
    of which the largest wish counts before any goes. The defaults are Kubernetes'."""

    more: int = 4
    every: float = SYNC
    share: float = 1.0
    away_every: float = SYNC
    stable: float = 300.0


@dataclass
class Autoscaler:
    """Holds a metric's mean over the pods at its target, between the least and the most pods."""

    target: float
    least: int
    most: int
    behavior: Behavior = field(default_factory=Behavior)
    wishes: deque[tuple[float, int]] = field(default_factory=deque)
    changes: list[tuple[float, int]] = field(default_factory=list)

    def step(self, now: float, current: int, ready: int, metric: float) -> int:
        """Pods there should be: there are `current`, of which `ready` ones have a metric, `metric` on average."""
        wish = min(max(self.wish(current, ready, metric), self.least), self.most)
        self.wishes.append((now, wish))
        while self.wishes[0][0] <= now - self.behavior.stable:
            self.wishes.popleft()
        after = self._grown(now, current, wish) if wish > current else self._shrunk(now, current)
        self.changes.append((now, after - current))
        return after

    def _grown(self, now: float, current: int, wish: int) -> int:
        """As many as wished, or as may come since the period began."""
        begin = current - sum(change for at, change in self.changes if at > now - self.behavior.every and change > 0)
        return max(current, min(wish, max(DOUBLE * begin, begin + self.behavior.more)))

    def _shrunk(self, now: float, current: int) -> int:
        """The largest wish of a while, or as few as may be left since the period began."""
        begin = current - sum(
            change for at, change in self.changes if at > now - self.behavior.away_every and change < 0
        )
        return min(current, max(*(wish for _, wish in self.wishes), int(begin * (1 - self.behavior.share))))

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
