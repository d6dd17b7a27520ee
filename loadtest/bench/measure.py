"""One scenario: every server started, then round by round at every number of connections, each in its turn."""

import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loadtest.bench import machine, processes, reference, unmasked, wrk
from loadtest.bench.answers import Checker, Told, Verdict
from loadtest.bench.contenders import CONTENDERS, Place
from loadtest.bench.forms import FORMS
from loadtest.bench.plan import Rounds, Scenario, folder, turns
from loadtest.bench.reference import Reference
from loadtest.bench.servers import Server, start

PORTS = 3
"""A server may take so many, from its own on."""

WARM_CONNECTIONS, WARM_SECONDS = 32, 1


@dataclass
class Asked:
    """A server with the bodies it is asked and what checks its answers; None where nothing is computed."""

    server: Server
    bodies: Path
    checker: Checker | None

    def turn(self, connections: int, seconds: int) -> dict[str, Any]:
        """One run of wrk, and what it cost."""
        before = processes.cpu_seconds(self.server.pid)
        ran = wrk.run(self.server.url(), self.bodies, connections, seconds)
        spent = processes.cpu_seconds(self.server.pid) - before
        verdict = self.checker.check(ran.told) if self.checker else unchecked(ran.told)
        each = 1e6 / max(ran.figures.requests, 1)
        return {
            "connections": connections,
            **asdict(ran.figures),
            "cpu_us": round(spent * each, 1),
            "client_us": round(ran.client_seconds * each, 1),
            "answers": verdict.answers,
            "wrong": verdict.wrong,
            "example": verdict.example,
            "worst": verdict.worst if math.isfinite(verdict.worst) else None,
        }


def unchecked(told: Sequence[Told]) -> Verdict:
    """The verdict on answers that say nothing: their status counts."""
    verdict = Verdict()
    for one in told:
        verdict.add(0.0 if one.status == 200 else math.inf, one)
    return verdict


def measure(scenario: Scenario, names: Sequence[str], plan: Rounds, store: Path, port: int) -> dict[str, Any]:
    """The raw document of a scenario."""
    cells: list[dict[str, Any]] = []
    warm: list[dict[str, Any]] = []
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = folder(store, scenario)
        if not scenario.masked:
            model = unmasked.ask(model, work / "unmasked" / model.name)
        expected = reference.ask(model, scenario)
        places = {name: Place(scenario, model, port + PORTS * index, work) for index, name in enumerate(names)}
        asked = stack.enter_context(started(places, expected, work))
        for number, name in turns(plan.rounds, names):
            warm.append({"server": name, "round": number, **asked[name].turn(WARM_CONNECTIONS, WARM_SECONDS)})
            for connections in plan.connections:
                cells.append({"server": name, "round": number, **asked[name].turn(connections, plan.seconds)})
            print(line(cells[-len(plan.connections) :]), flush=True)
        told = {name: describe(one) for name, one in asked.items()}
    return {
        "scenario": asdict(scenario),
        "plan": asdict(plan),
        "machine": machine.describe(),
        "servers": told,
        "warm": warm,
        "cells": cells,
    }


def line(cells: Sequence[Mapping[str, Any]]) -> str:
    """A turn as it is told while it is measured."""
    rates = ", ".join(f"{cell['rate']:,.0f}/s at {cell['connections']}" for cell in cells)
    wrong = sum(cell["wrong"] for cell in cells)
    return f"  {cells[0]['server']:12} {rates}" + (f"; {wrong:,} answers wrong" if wrong else "")


def describe(one: Asked) -> dict[str, Any]:
    """What a server is, and took to start."""
    contender = CONTENDERS[one.server.name]
    return {
        "versions": dict(contender.versions()),
        "start_seconds": round(one.server.seconds, 2),
        "resident_mb": round(sum(processes.resident(one.server.pid).values())),
    }


@contextmanager
def started(places: Mapping[str, Place], expected: Reference, work: Path) -> Iterator[dict[str, Asked]]:
    """All servers of a scenario, answering; stopped at the end."""
    with ExitStack() as stack:
        asked = {}
        for name, place in places.items():
            contender = CONTENDERS[name]
            server = start(name, contender.start(place), place.port, work)
            stack.callback(server.stop)
            bodies = work / f"{name}.jsonl"
            bodies.write_text("\n".join(written(contender.form or "tensorflow-serving", expected)))
            checker = Checker(expected, FORMS[contender.form]) if contender.form else None
            asked[name] = Asked(server, bodies, checker)
        for one in asked.values():
            one.server.wait(one.bodies.read_text().partition("\n")[0].encode())
        yield asked


def written(form: str, expected: Reference) -> list[str]:
    """The rows as bodies of a form."""
    write = FORMS[form].write
    return [json.dumps(write(str(number), row, expected.inputs)) for number, row in enumerate(expected.rows, 1)]


def needs_wrk() -> None:
    """SystemExit without it."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed (Debian: apt-get install wrk)")
