"""python -m loadtest.bench.overload: how much is still answered in time when more is asked than can be answered.

In each round the client finds the peak in a closed loop, then sends at shares of it, from half to three times, whether
the server keeps up or not; what finds all connections busy cannot be sent, and is told. An answer counts if it is
right and comes within the limit of being sent. Nobody honours Retry-After: who is refused asks again at once. The
client has the last core, the server the others, in the closed loop as in the flood. Whatever else runs there takes from
both, so that the server's processor time is told, too.
"""

import os
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from loadtest.bench import loops, machine, processes
from loadtest.bench.answers import Told
from loadtest.bench.arguments import parser, save
from loadtest.bench.client import SILENCE, Client, Line, post
from loadtest.bench.listener import Listener
from loadtest.bench.measure import Asked
from loadtest.bench.plan import SCENARIOS

SHARES = (0.5, 1.0, 2.0, 3.0)
"""Of the peak."""
SATURATING = 128
"""Connections of the closed loop."""
RAMP = 1.0
"""Seconds at the start of a flood that do not count."""
OUTCOMES = ("good", "late", "refused", "errors", "unsent", "lost")
PAST = (429, 503, 504)
"""Statuses of a refusal."""
Figures = Mapping[str, Any]
Some = TypeVar("Some", bound=Client)


class Loop(Client):
    """Asks in a closed loop, and counts who is refused."""

    refused = 0

    def _receive(self, line: Line) -> bool:
        whole = super()._receive(line)
        self.refused += whole and int(line.came[9:12]) != 200
        return whole


class Flood(Client):
    """Sends at a rate over many connections; counts what becomes of each request."""

    def flood(self, rate: float, seconds: float, limit: float, used: Callable[[], float]) -> Figures:
        """What came of each second after the ramp; `good` are right and within the limit; `cpu` is what was `used`."""
        self.counts, self.limit = Counter[str](), limit
        idle = deque(self._lines.values())
        started = time.perf_counter()
        self.begun, self.ended = started + RAMP, started + RAMP + seconds
        count, total = 0, int(rate * (RAMP + seconds))
        while count < total:
            now = time.perf_counter()
            due = min(int((now - started) * rate) + 1, total)
            for _ in range(count, due):
                if idle:
                    self._ask(idle.popleft(), now)
                elif now >= self.begun:
                    self.counts["unsent"] += 1
            count = due
            idle.extend(self._answered(max(started + count / rate - time.perf_counter(), 0.0)))
        cpu = used()
        while len(idle) < len(self._lines):
            idle.extend(self._answered(SILENCE))
        counts = {name: round(self.counts[name] / seconds, 1) for name in OUTCOMES}
        return {"rate": round(rate), **counts, "cpu": cpu}

    def _receive(self, line: Line) -> bool:
        """Count a whole answer, or a connection that was closed without one, and connect again."""
        try:
            whole = super()._receive(line)
        except OSError:
            self.counts["lost"] += 1
            self._again(line)
            return True
        if whole:
            now = time.perf_counter()
            if self.begun <= now < self.ended:
                self.counts[self._verdict(int(line.came[9:12]), now - line.due)] += 1
            if b"\r\nconnection: close" in line.came[: line.came.find(b"\r\n\r\n")].lower():
                self._again(line)
        return whole

    def _verdict(self, status: int, seconds: float) -> str:
        if status == 200:
            return "good" if seconds <= self.limit else "late"
        return "refused" if status in PAST else "errors"

    def _again(self, line: Line) -> None:
        """Connect once more."""
        with suppress(OSError):
            self._epoll.unregister(line.socket)
        del self._lines[line.socket.fileno()]
        line.socket.close()
        line.socket = self._connected()
        self._lines[line.socket.fileno()] = line


class Mixture:
    """Servers' requests in turn, those of one scenario after those of another; every answer is checked."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self.asked = asked
        own = [[post(one.server.command.path, line.encode()) for line in lines(one)] for one in asked]
        self.requests = [request for turn in zip(*own, strict=True) for request in turn]

    def closed(self, connections: int, seconds: float) -> Figures:
        """The rate of answers in a closed loop."""
        with self.client(Loop, connections) as client:
            used = self.used()
            rate = client.closed(loops.after(seconds))
            answered = 1 - client.refused / len(client.latencies)
            return {"good": round(rate * answered, 1), "cpu": used()}

    def flood(self, rate: float, given: Any) -> Figures:
        """What came of sending at a rate."""
        with self.client(Flood, given.connections) as client:
            return client.flood(rate, given.seconds, given.limit, self.used())

    def used(self) -> Callable[[], float]:
        """The cores that the server has used since now, once it is called."""
        pid, started = self.asked[0].server.pid, time.perf_counter()
        before = processes.cpu_seconds(pid)
        return lambda: round((processes.cpu_seconds(pid) - before) / (time.perf_counter() - started), 3)

    @contextmanager
    def client(self, make: type[Some], connections: int) -> Iterator[Some]:
        """A client; at the end every answer is checked, SystemExit if one was wrong."""
        listener = Listener()
        client = make(self.asked[0].server.port, self.requests, connections, listener)
        try:
            yield client
        finally:
            client.close()
        self.check(listener.told)

    def check(self, told: Sequence[Told]) -> None:
        """SystemExit if an answer was wrong; a refusal is none."""
        for number, one in enumerate(self.asked):
            own = [
                replace(answer, number=str(row + 1))
                for answer in told
                if answer.status == 200
                for row, of in [divmod(int(answer.number) - 1, len(self.asked))]
                if of == number
            ]
            verdict = one.checker.check(own) if one.checker else None
            if verdict and verdict.wrong:
                raise SystemExit(f"{verdict.wrong:,} of {verdict.answers:,} answers were wrong: {verdict.example}")


def lines(asked: Asked) -> list[str]:
    """The bodies of a scenario."""
    return asked.bodies.read_text().splitlines()


def main() -> None:
    """Measure, print, save."""
    add = parser(__doc__, rounds=3, seconds=4.0, connections=1000, limit=1.0)
    add.add_argument("--scenarios", default="qa,profile,qa+profile+similarity", help="a + makes a mix")
    given = add.parse_args()
    told = {name: measure(name, given) for name in given.scenarios.split(",")}
    setting = {"limit": given.limit, "connections": given.connections}
    save(given.out, "overload", {"machine": machine.describe(), **setting, "scenarios": told})
    print(table(told))


def measure(name: str, given: Any) -> list[Figures]:
    """Figures of each round."""
    rounds: list[Figures] = []
    cores = sorted(os.sched_getaffinity(0))
    scenarios = [SCENARIOS[part] for part in name.split("+")]
    with pinned(cores[:-1] or cores), loops.together(scenarios, given.store, given.port) as asked, pinned(cores[-1:]):
        mixture = Mixture(asked)
        mixture.closed(SATURATING, 1.0)
        for _ in range(given.rounds):
            peak = mixture.closed(SATURATING, 3.0)
            floods = {str(share): mixture.flood(share * peak["good"], given) for share in SHARES}
            rounds.append({"peak": peak, "floods": floods})
            print(f"  {name}: {rounds[-1]}", flush=True)
    return rounds


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Run on these cores, and start processes there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def table(told: Mapping[str, Sequence[Figures]]) -> str:
    """Markdown: medians of the rounds."""
    head = "| asked | at | in time/s | of the peak | by CPU | late/s | refused/s | errors/s | not sent/s | lost/s |"
    lines = [line for name, rounds in told.items() for line in body(name, rounds)]
    return "\n".join([head, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|", *lines])


def body(name: str, rounds: Sequence[Figures]) -> list[str]:
    """A scenario's lines."""
    rate = statistics.median(one["peak"]["good"] for one in rounds)
    found = [f"| {name} | closed loop | {rate:,.0f} | | ||||||"]
    for share in map(str, SHARES):
        figures = {of: statistics.median(one["floods"][share][of] for one in rounds) for of in OUTCOMES}
        ratios = [beside(one["peak"], one["floods"][share]) for one in rounds]
        ratio, by_cpu = (statistics.median(found) for found in zip(*ratios, strict=True))
        rest = " | ".join(f"{figures[of]:,.0f}" for of in OUTCOMES[1:])
        found.append(f"| {name} | {share} × | {figures['good']:,.0f} | {ratio:.2f} | {by_cpu:.2f} | {rest} |")
    return found


def beside(peak: Figures, flood: Figures) -> tuple[float, float]:
    """What was answered in time beside the peak: in a second, and in a second of the server's processor time.

    >>> beside({"good": 100.0, "cpu": 1.0}, {"good": 90.0, "cpu": 0.5})
    (0.9, 1.8)
    """
    ratio = flood["good"] / peak["good"]
    return ratio, ratio * peak["cpu"] / flood["cpu"]


if __name__ == "__main__":
    main()
