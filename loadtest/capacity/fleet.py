"""Every request of a few workers, simulated (simpy): a balancer, batches of what waits, refusals, clients that retry.

Exact in its rules and slow, some 10 µs of processor for an event: for seconds of thousands of requests a second. A day
of a fleet is day.py's.
"""

import random
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

from loadtest.capacity.costs import Costs

MAX_WAIT = 0.5
"""Seconds that what waits may take: MANIFOLD_MAX_WAIT."""
REFUSAL, REFUSING = 200e-6, 0.1
"""Processor seconds of a refusal, and the share of a core that all take at most: who was refused is not read for 2 ms
for each that rests (service/server/door.py), so some 500 a second are. 0.88 of a peak was held (docs/reliability.md).
"""
TRIES = 3
AGAIN = (0.5, 2.0)
"""Seconds until a refused client tries again: Retry-After, and jitter."""

Process = Generator[simpy.Event, Any, None]


@dataclass
class Request:
    """Since when it is asked, the last time, how often, and what to call when it is over."""

    asked: float
    over: Callable[[], object] = lambda: None
    tries: int = 0


@dataclass
class Tally:
    """What became of the requests: seconds of the answers, since the try that was answered, and how many were given up,
    of those that came."""

    came: int = 0
    latencies: list[float] = field(default_factory=list)
    given_up: int = 0
    refusals: int = 0
    away: int = 0
    """Those that were refused, and will come again."""


class Worker:
    """One core: takes what waits, as much as a batch holds, and answers it at once."""

    def __init__(self, env: simpy.Environment, costs: Costs, tally: Tally, rows: int = 1) -> None:
        self.env, self.tally = env, tally
        self.turns = costs.turns(rows)
        self.room = int(MAX_WAIT * costs.peak(rows))
        self.waiting: deque[Request] = deque()
        self.running = 0
        self._refused = 0
        self._came = env.event()
        env.process(self._work())

    @property
    def outstanding(self) -> int:
        """Requests that it has not answered."""
        return len(self.waiting) + self.running

    def take(self, request: Request) -> bool:
        """Whether it is let in."""
        if len(self.waiting) > self.room:
            self._refused += 1
            return False
        self.waiting.append(request)
        if not self._came.triggered:
            self._came.succeed()
        return True

    def _work(self) -> Process:
        while True:
            if not self.waiting:
                self._came = self.env.event()
                yield self._came
            batch = [self.waiting.popleft() for _ in range(min(len(self.waiting), len(self.turns) - 1))]
            self.running, turn = len(batch), self.turns[len(batch)]
            refusing, self._refused = min(self._refused * REFUSAL, REFUSING * turn / (1 - REFUSING)), 0
            yield self.env.timeout(turn + refusing)
            self.running = 0
            for request in batch:
                self.tally.latencies.append(self.env.now - request.asked)
                request.over()


Choose = Callable[[Sequence[Worker], random.Random], Worker]
"""A balancer: which worker is asked."""


def at_random(workers: Sequence[Worker], rng: random.Random) -> Worker:
    """Any, as a balancer of connections does that knows nothing of requests."""
    return rng.choice(workers)


def least(workers: Sequence[Worker], rng: random.Random) -> Worker:
    """Who has the fewest outstanding; of several, any."""
    fewest = min(worker.outstanding for worker in workers)
    return rng.choice([worker for worker in workers if worker.outstanding == fewest])


def of_two(workers: Sequence[Worker], rng: random.Random) -> Worker:
    """The better of two drawn at random (Mitzenmacher, The power of two choices, 2001)."""
    one, other = rng.choice(workers), rng.choice(workers)
    return one if one.outstanding <= other.outstanding else other


BALANCERS: dict[str, Choose] = {"random": at_random, "power of two": of_two, "least outstanding": least}


class Fleet:
    """Workers behind a balancer, and clients that come again when they are refused."""

    def __init__(self, costs: Costs, workers: int, choose: Choose = at_random, seed: int = 0, rows: int = 1) -> None:
        self.env = simpy.Environment()
        self.tally = Tally()
        self.workers = [Worker(self.env, costs, self.tally, rows) for _ in range(workers)]
        self.rng = random.Random(seed)
        self._choose = choose

    def ask(self, request: Request, among: Sequence[Worker] | None = None) -> None:
        """Its next try."""
        request.tries += 1
        if self._choose(among or self.workers, self.rng).take(request):
            return
        self.tally.refusals += 1
        if request.tries < TRIES:
            self.tally.away += 1
            self.env.process(self._again(request))
        else:
            self.tally.given_up += 1
            request.over()

    def _again(self, request: Request) -> Process:
        yield self.env.timeout(self.rng.uniform(*AGAIN))
        request.asked = self.env.now
        self.tally.away -= 1
        self.ask(request)

    def open(self, rate: float, seconds: float) -> Tally:
        """Poisson arrivals for so long; what is in flight then stays so."""
        self.env.process(self._arrive(rate))
        self.env.run(self.env.now + seconds)
        return self.tally

    def _arrive(self, rate: float) -> Process:
        while True:
            yield self.env.timeout(self.rng.expovariate(rate))
            self.tally.came += 1
            self.ask(Request(self.env.now))

    def closed(self, connections: int, seconds: float) -> Tally:
        """Connections, shared out evenly, that ask again as soon as they are answered."""
        for number in range(connections):
            self.env.process(self._connection([self.workers[number % len(self.workers)]]))
        self.env.run(self.env.now + seconds)
        return self.tally

    def _connection(self, to: Sequence[Worker]) -> Process:
        while True:
            answered = self.env.event()
            self.tally.came += 1
            self.ask(Request(self.env.now, answered.succeed), to)
            yield answered
