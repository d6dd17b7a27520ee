"""Loops over a running server, every answer checked: as fast as it answers, or at a constant rate."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtest.bench import reference
from loadtest.bench.answers import Checker
from loadtest.bench.client import Client, post
from loadtest.bench.contenders import Place, service
from loadtest.bench.forms import FORMS
from loadtest.bench.listener import Listener, percentiles
from loadtest.bench.measure import Asked, started, written
from loadtest.bench.plan import OURS, Scenario, folder
from loadtest.bench.servers import running


@contextmanager
def serving(scenario: Scenario, store: Path, port: int, name: str = OURS) -> Iterator[Asked]:
    """A server of a scenario, by default ours, that answers."""
    model = folder(store, scenario)
    expected = reference.ask(model, scenario)
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory()))
        places = {name: Place(scenario, model, port, work)}
        yield stack.enter_context(started(places, expected, work))[name]


@contextmanager
def together(scenarios: Sequence[Scenario], store: Path, port: int) -> Iterator[list[Asked]]:
    """One service with the models of several scenarios, each with its rows."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory()))
        references = [reference.ask(folder(store, one), one) for one in scenarios]
        models = {one.model: [folder(store, one)] for one in scenarios}
        server = stack.enter_context(running(OURS, service(work, port, models, keepalive=60), port, work))
        asked = []
        for one, expected in zip(scenarios, references, strict=True):
            bodies = work / f"{one.name}.jsonl"
            bodies.write_text("\n".join(written("tensorflow-serving", expected)))
            command = replace(server.command, path=f"/v1/models/{one.model}:predict")
            checker = Checker(expected, FORMS["tensorflow-serving"])
            asked.append(Asked(replace(server, command=command), bodies, checker))
        yield asked


def closed(asked: Asked, connections: int, seconds: float) -> tuple[float, Listener]:
    """The rate at which it answers, and what was heard; SystemExit if an answer was wrong."""
    with client(asked, connections) as (asking, listener):
        rate = asking.closed(after(seconds))
    return rate, listener


def opened(asked: Asked, connections: int, rate: float, seconds: float, *, spread: bool = False) -> dict[str, float]:
    """Percentiles in ms at a rate; SystemExit if an answer was wrong."""
    with client(asked, connections) as (asking, _):
        asking.open(rate, seconds, spread=spread)
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
