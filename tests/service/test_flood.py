"""More asked than can be answered, simulated: a queue and a door on one core, which a shared machine takes away at
times, and clients who ask again at once whatever they are told. An answer within a second of being asked is good.
"""

import heapq
import itertools
import random
from collections import deque
from types import SimpleNamespace

import pytest

from service.batching.admission import Room
from service.batching.overload import Refusal
from service.batching.queueing import Allowed, Job, Queue, Terms
from service.errors import QueueFull
from service.server.door import Door
from service.server.drivers import REST
from tests.service.fakes import FAR

LIMIT = 1.0
REQUEST = SimpleNamespace(method="POST", path="/", query="")
REFUSAL = Refusal("429 Too Many Requests", [], b"", lambda: None)
TERMS = Terms(8, 0.0005, 0.0006)
HEAR, TURN_AWAY, KNOCK = 0.0001, 0.0002, 0.00006
"""Seconds to read and answer a request, to refuse it, and to refuse it unheard."""
CAPACITY = TERMS.rows / (TERMS.call + TERMS.rows * (TERMS.row + HEAR))


class Line:
    """A connection: since when its request waits, and whether it is not read for a while."""

    def __init__(self) -> None:
        self.asked = self.came = 0.0
        self.knocks = 0
        self.rests = False


class Flood:
    """Clients ask at a rate, over so many connections; stalls are those of the core, each when and for how long."""

    def __init__(self, rate: float, stalls: list[tuple[float, float]], lines: int = 1000) -> None:
        self.queue = Queue(64, 1024, lambda _: TERMS, Room(4096), Allowed(wait=0.5))
        self.door = Door()
        self.rng = random.Random(0)
        self.now = self.due = 0.0
        self.every = 1 / rate
        self.stalls = deque(stalls)
        self.idle = deque(Line() for _ in range(lines))
        self.readable: deque[Line] = deque()
        self.resting: list[tuple[float, int, Line]] = []
        self.number = itertools.count()
        self.asked: dict[Job, Line] = {}
        self.good: list[float] = []
        self.late: list[float] = []

    def until(self, end: float) -> None:
        """What the loop of a worker does: it reads what came, and every few turns it answers a batch."""
        for turn in itertools.count():
            if self.now >= end:
                return
            self.ask()
            self.wake()
            waiting = len(self.readable)
            for _ in range(waiting):
                self.read(self.readable.popleft())
            if turn % (REST + 1) == 0:
                self.answer()
            if not waiting and not self.queue.rows:
                self.now = max(self.now, min(self.due, self.resting[0][0] if self.resting else end, end))

    def spend(self, seconds: float) -> None:
        """Compute, while nothing takes the core away."""
        self.now += seconds
        while self.stalls and self.stalls[0][0] <= self.now:
            self.now += self.stalls.popleft()[1]

    def ask(self) -> None:
        """What is due, over the connections that are idle longest; what finds none is never asked."""
        while self.due <= self.now:
            if self.idle:
                line = self.idle.popleft()
                line.asked = line.came = self.due
                if not line.rests:
                    self.readable.append(line)
            self.due += self.every

    def wake(self) -> None:
        """Read those again that have rested."""
        while self.resting and self.resting[0][0] <= self.now:
            line = heapq.heappop(self.resting)[2]
            line.rests = False
            self.door.resting -= 1
            line.knocks = line.knocks + 1 if line.came else 0
            if line.came:
                self.readable.append(line)

    def read(self, line: Line) -> None:
        """Let a request in, or refuse it, heard or unheard."""
        if self.door.kept and self.door.refusal(REQUEST, line.came if line.knocks else self.now):
            self.spend(KNOCK)
            self.refused(line)
            return
        self.spend(HEAR)
        job = Job({}, "a", 1, self.now, FAR)
        try:
            self.queue.put([job])
        except QueueFull as error:
            self.spend(TURN_AWAY)
            self.door.keep(REQUEST, self.now + error.shut, REFUSAL)
            self.refused(line)
        else:
            self.asked[job] = line

    def answer(self) -> None:
        """One batch, which takes what it was predicted to, give or take a third."""
        batch, _ = self.queue.take(self.now)
        if batch:
            self.spend(batch[0].seconds * self.rng.uniform(0.67, 1.33))
            self.queue.done(batch, self.now)
            for line in map(self.asked.pop, batch):
                (self.good if self.now - line.asked <= LIMIT else self.late).append(self.now)
                line.knocks = 0
                self.over(line)

    def refused(self, line: Line) -> None:
        """A refused connection is not read for a while."""
        line.rests = True
        heapq.heappush(self.resting, (self.now + self.door.rest(line.knocks), next(self.number), line))
        self.over(line)

    def over(self, line: Line) -> None:
        line.came = 0.0
        self.idle.append(line)


def stalls(seconds: float, works: float, shortest: float = 0.1, longest: float = 0.5) -> list[tuple[float, float]]:
    """Of a machine whose core works for so many seconds between two of them, on average."""
    rng, now, made = random.Random(0), 0.0, []
    while now < seconds:
        now += rng.expovariate(1 / works)
        made.append((now, rng.uniform(shortest, longest)))
        now += made[-1][1]
    return made


@pytest.mark.parametrize("share", [0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
def test_whatever_is_asked_what_can_be_answered_is_answered_in_time(share):
    """Of the time that the core works, between stalls of a tenth to half a second."""
    seconds = 40.0
    taken = stalls(seconds, works=2.0)
    works = 1 - sum(length for _, length in taken) / seconds
    flood = Flood(share * CAPACITY, taken)
    flood.until(seconds)
    assert works < 0.9
    assert len(flood.good) >= 0.9 * min(share, works) * CAPACITY * seconds


@pytest.mark.parametrize("share", [1.0, 2.0, 3.0])
def test_a_stall_is_over_when_it_is_over(share):
    """Half a second after, what waited meanwhile is answered or late; from then on all is as it was."""
    flood = Flood(share * CAPACITY, [(4.0, 0.5)])
    flood.until(10.0)
    for since in (2.0, 5.0, 7.0):
        assert sum(since <= at < since + 2.0 for at in flood.good) >= 0.9 * 2.0 * CAPACITY


def test_who_gets_a_core_in_slices_lets_in_no_more_than_he_can_answer():
    """A batch hardly ever meets a stall, and yet stalls are most of the time."""
    flood = Flood(0.4 * CAPACITY, stalls(40.0, works=0.05))
    flood.until(40.0)
    assert len(flood.good) > 3 * len(flood.late)
