"""A fleet's day, second by second (simpy): traffic, an autoscaler, pods that start, a zone that is lost, clients that
retry.

At a hundred thousand requests a second a day has some thousand million of them: too many to follow one by one, and
slower machines cannot stand for them, for an autoscaler's 15 seconds do not slow down with the requests. So requests
are counted by the second: so many come, so many are answered, the rest waits or is refused. Within a second a worker's
queue has long settled (its turns take milliseconds): latencies are those of one worker at that load, from worker.py,
and what waits longer waits for what is before it. tests/loadtest/test_capacity.py holds this to fleet.py, which follows
every request.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from loadtest.capacity.autoscaler import SYNC, Autoscaler
from loadtest.capacity.costs import Costs
from loadtest.capacity.curve import Curve, Metric, Second
from loadtest.capacity.fleet import MAX_WAIT, REFUSAL, REFUSING, TRIES
from loadtest.capacity.worker import Floats

Counts = NDArray[np.int64]
"""Of requests, by the try that it is."""

ZONES = 3
Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Place:
    """Where it runs; seconds. What is not measured is Kubernetes' default, or an assumption that says so."""

    cores: int = 4
    """Of a pod; a worker each."""
    start: float = 10.0
    """Until a new pod answers: the service's own part was measured; the rest is assumed, for scheduling and an image
    that is there already."""
    detect: float = 10.0
    """Until a balancer asks nobody in a lost zone: by its own health checks (assumed); Kubernetes' takes `unready`."""
    unready: float = 50.0
    """node-monitor-grace-period, since 1.32."""
    evict: float = 300.0
    """tolerationSeconds of an unreachable node: until a lost pod is replaced elsewhere."""


class Loss(NamedTuple):
    """A zone that is lost at a second, for the rest of the day: what is replaced is elsewhere."""

    at: float


@dataclass
class Pods:
    """How many of them: answering, starting, lost and not yet replaced; and how many lost ones are still asked."""

    ready: int
    starting: int = 0
    lost: int = 0
    asked: int = 0

    @property
    def spec(self) -> int:
        """As many as there should be."""
        return self.ready + self.starting + self.lost


@dataclass
class Day:
    """A fleet under `rates`, requests in every second; `scaler` is asked with `metric` of the last seconds."""

    costs: Costs
    rates: Floats
    pods: Pods
    place: Place = field(default_factory=Place)
    scaler: Autoscaler | None = None
    metric: Metric | None = None
    loss: Loss | None = None
    seed: int = 0

    def run(self, curve: Curve) -> list[Second]:
        """Every second of it."""
        self.env = simpy.Environment()
        self.rng = np.random.default_rng(self.seed)
        self.curve = curve
        self.peak = self.place.cores * self.costs.peak()
        self.waiting = 0
        self.back: dict[int, list[int]] = {}
        self.seconds: list[Second] = []
        self.env.process(self._tick())
        if self.scaler:
            self.env.process(self._scale(self.scaler))
        if self.loss:
            self.env.process(self._lose(self.loss))
        self.env.run(len(self.rates) + 0.5)
        return self.seconds

    @property
    def in_flight(self) -> int:
        """Requests that wait, or will be tried again."""
        return self.waiting + sum(map(sum, self.back.values()))

    def _tick(self) -> Process:
        for rate in self.rates:
            self.seconds.append(self._second(int(self.env.now), float(rate)))
            yield self.env.timeout(1)

    def _second(self, now: int, rate: float) -> Second:
        """Who comes, who is answered, who is refused: those that wait already are never refused."""
        pods = self.pods
        told = Second(came=int(self.rng.poisson(rate)), pods=pods.ready, paid=pods.spec - pods.lost)
        tries = np.array(self.back.pop(now, [0] * TRIES))
        tries[0] += told.came
        broken = self.rng.binomial(tries, pods.asked / max(pods.ready + pods.asked, 1))
        told.broken = int(broken.sum())
        asking = tries - broken
        room = int(MAX_WAIT * self.peak * pods.ready)
        able = int(self.peak * pods.ready)
        work, most = self.waiting + int(asking.sum()), able + room
        told.refused = max(work - most, 0)
        able -= int(min(told.refused * REFUSAL * self.costs.peak(), REFUSING * able))
        told.answered = min(work - told.refused, able)
        refused = self.rng.multivariate_hypergeometric(asking, told.refused, method="marginals")
        left = work - told.refused - told.answered
        told.waits = (self.waiting + left) / 2 / able if able else MAX_WAIT
        told.load = (work - told.refused) / able if able else 1.0
        self.waiting = left
        told.given_up = self._retry(now, broken, at_once=True) + self._retry(now, refused, at_once=False)
        return told

    def _retry(self, now: int, tries: Counts, *, at_once: bool) -> int:
        """Those come again in the next second, half of the refused in the one after; the others have given up."""
        again = [0, *(int(count) for count in tries[:-1])]
        later = [0 if at_once else count // 2 for count in again]
        for due, counts in ((now + 1, [a - b for a, b in zip(again, later, strict=True)]), (now + 2, later)):
            known = self.back.setdefault(due, [0] * TRIES)
            self.back[due] = [a + b for a, b in zip(known, counts, strict=True)]
        return int(tries[-1])

    def _scale(self, scaler: Autoscaler) -> Process:
        """The metric is of the 15 seconds before."""
        assert self.metric
        while True:
            yield self.env.timeout(SYNC)
            seen = self.seconds[-int(SYNC) :]
            mean = sum(self.metric(self.curve, one) for one in seen) / len(seen)
            wish = scaler.step(self.env.now, self.pods.spec, self.pods.ready, mean)
            self._become(wish)

    def _become(self, wish: int) -> None:
        """Start pods, or take away such as answer nobody first."""
        more = wish - self.pods.spec
        if more > 0:
            self.pods.starting += more
            self.env.process(self._start(more))
        for _ in range(-more):
            if self.pods.lost:
                self.pods.lost -= 1
            elif self.pods.ready > 1:
                self.pods.ready -= 1

    def _start(self, count: int) -> Process:
        yield self.env.timeout(self.place.start)
        self.pods.starting -= count
        self.pods.ready += count

    def _lose(self, loss: Loss) -> Process:
        """A third of the pods is gone; nobody knows for a while, and they are replaced later still."""
        yield self.env.timeout(loss.at)
        gone = self.pods.ready // ZONES
        broken = self.waiting // ZONES
        self.waiting -= broken
        self._retry(int(self.env.now), np.array([broken] + [0] * (TRIES - 1)), at_once=True)
        self.pods.ready -= gone
        self.pods.lost = self.pods.asked = gone
        yield self.env.timeout(self.place.detect)
        self.pods.asked = 0
        yield self.env.timeout(self.place.unready + self.place.evict - self.place.detect)
        count, self.pods.lost = self.pods.lost, 0
        self.pods.starting += count
        self.env.process(self._start(count))
