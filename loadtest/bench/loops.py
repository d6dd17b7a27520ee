"""Loops over a running server, every answer checked: as fast as it answers, or at a constant rate."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtest.bench import reference
from loadtest.bench.client import Client, post
from loadtest.bench.contenders import Place
from loadtest.bench.listener import Listener, percentiles
from loadtest.bench.measure import Asked, started
from loadtest.bench.plan import OURS, Scenario, folder


@contextmanager
def serving(scenario: Scenario, store: Path, port: int, name: str = OURS) -> Iterator[Asked]:
    """A server of a scenario, by default ours, that answers."""
    model = folder(store, scenario)
    expected = reference.ask(model, scenario)
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory()))
        places = {name: Place(scenario, model, port, work)}
        yield stack.enter_context(started(places, expected, work))[name]


def closed(asked: Asked, connections: int, seconds: float) -> tuple[float, Listener]:
    """The rate at which it answers, and what was heard; SystemExit if an answer was wrong."""
    with client(asked, connections) as (asking, listener):
        rate = asking.closed(after(seconds))
    return rate, listener


def opened(asked: Asked, connections: int, rate: float, seconds: float) -> dict[str, float]:
    """Percentiles in ms at a rate; SystemExit if an answer was wrong."""
    with client(asked, connections) as (asking, _):
        asking.open(rate, seconds)
    return percentiles(asking.latencies)


@contextmanager
def client(asked: Asked, connections: int) -> Iterator[tuple[Client, Listener]]:
    """A client of a server and what listens to it; at the end every answer is checked, SystemExit if one was wrong."""
    listener = Listener()
    requests = [post(asked.server.command.path, line.encode()) for line in asked.bodies.read_text().splitlines()]
    asking = Client(asked.server.port, requests, connections, listener)
    try:
        yield asking, listener
    finally:
        asking.close()
    verdict = asked.checker.check(listener.told) if asked.checker else None
    if verdict and verdict.wrong:
        raise SystemExit(f"{verdict.wrong:,} of {verdict.answers:,} answers were wrong: {verdict.example}")


def after(seconds: float) -> Callable[[], bool]:
    """Whether so many seconds have gone since now."""
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() >= end
