"""python -m loadtest.capacity.measure --store STORE: what each model costs on this machine, in half a minute each.

The engine's calls by themselves, in this process; then the service, one worker on the first core and the client on the
last: what its processor time is beyond the engine's is HTTP's. At last as many workers as cores, with the client among
them, at several loads, with which loadtest.capacity.validate compares. Costs are processor time, which neighbours
disturb least. Every answer to a single row is checked.
"""

import argparse
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from loadtest.bench import loops, machine, processes
from loadtest.bench.answers import Checker
from loadtest.bench.arguments import parser, save
from loadtest.bench.contenders import service
from loadtest.bench.forms import FORMS
from loadtest.bench.measure import Asked
from loadtest.bench.overload import pinned
from loadtest.bench.reference import Reference
from loadtest.bench.servers import Server, running
from loadtest.capacity.calls import engine_us, sample
from loadtest.capacity.costs import MOST_ROWS as FULL
from loadtest.capacity.costs import Costs, read
from loadtest.capacity.loads import SATURATING, busy, loads
from service import card as cards
from service import loading, tensors
from service.batching.cost import Trial, fit, limit
from service.settings import Settings
from service.versions import store
from service.versions.store import Version

FEW = 4
"""Connections that ask for a full batch."""
WARM = 1.0
ROUNDS, SECONDS = 5, 2.0
FORM = "tensorflow-serving"


def main() -> None:
    """Measure, print, save."""
    add = parser(__doc__, rounds=ROUNDS, seconds=SECONDS)
    add.add_argument("--models", default="", help="separated by commas; empty: all in the store")
    given = add.parse_args()
    names = [name for name in given.models.split(",") if name]
    write(given.store, names, given)


def now(folder: Path, models: Sequence[str], port: int, out: Path) -> Mapping[str, Costs]:
    """Costs of models of a store, measured now and kept in `out`."""
    write(folder, models, argparse.Namespace(rounds=ROUNDS, seconds=SECONDS, port=port, out=out))
    return read(out / "capacity.json")


def write(folder: Path, models: Sequence[str], given: argparse.Namespace) -> None:
    """Measure the newest version of each model, [] for all, and write what was found."""
    told = {version.model: measure(version, given) for version in store.to_serve(folder, list(models), 1)}
    save(given.out, "capacity", {"machine": machine.describe(), "models": told})


def measure(version: Version, given: argparse.Namespace) -> dict[str, Any]:
    """All figures of one version."""
    settings = Settings(engine_threads=1)
    engine = loading.load_engine(version.folder, cards.read(version.folder), settings)
    rows, reference = sample(version.folder, engine)
    calls = engine_us(engine, rows, given.rounds)
    size = tensors.size(tensors.kind(rows[0]))
    found = fit([Trial(count, size, us * 1e-6) for count, us in calls.items()])
    call, row = (round(seconds * 1e6, 2) for seconds in found.parts(size))
    engine.close()
    told = {
        "version": version.number,
        "engine": engine.name,
        "engine_microseconds": calls,
        "call_us": call,
        "row_us": row,
    }
    told["most_rows"] = limit(found, size, settings.max_batch_rows, settings.target_ms / 1000)
    cores = sorted(os.sched_getaffinity(0))
    with pinned(cores[:1]), serving(version, reference, given.port) as asked, pinned(cores[-1:]):
        told |= http(asked, reference, told, given.seconds) | kept(asked.server)
    with serving(version, reference, given.port) as asked:
        told["loads"] = loads(asked, given.seconds)
    print(f"{version.model}: {told}", flush=True)
    return told


@contextmanager
def serving(version: Version, reference: Reference, port: int) -> Iterator[Asked]:
    """The service with this version alone, and a worker per core that it may use."""
    with TemporaryDirectory() as place:
        work = Path(place)
        command = service(
            work, port, {version.model: [version.folder]}, f"/v1/models/{version.model}:predict", keepalive=60
        )
        bodies = work / "rows.jsonl"
        bodies.write_text("\n".join(json.dumps({"instances": [row]}) for row in reference.rows))
        with running("manifold", command, port, work) as server:
            yield Asked(server, bodies, Checker(reference, FORMS[FORM]))


def http(asked: Asked, reference: Reference, engine: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """What a turn of the loop, a request and a row cost beyond the engine.

    One row a request, alone and with as many others as there are connections, gives the first two; a full batch of rows
    a request the third.
    """
    many = list(itertools.islice(itertools.cycle(reference.rows), FULL))
    full = asked.bodies.with_name("full.jsonl")
    full.write_text(json.dumps({"instances": many}))
    alone, shared = spent(asked, 1, seconds), spent(asked, SATURATING, seconds)
    filled = spent(Asked(asked.server, full, None), FEW, seconds)
    told = {"alone": alone, "shared": shared, "filled": filled}
    return {**beyond(told, engine), "asked_bytes": shared["asked_bytes"], "told_bytes": shared["told_bytes"], **told}


def beyond(told: Mapping[str, Mapping[str, float]], engine: Mapping[str, float]) -> dict[str, float]:
    """Microseconds of HTTP: of a turn of the loop, a request and a row, none below 0.

    >>> engine = {"call_us": 50, "row_us": 10}
    >>> alone, shared = {"cpu_us": 360, "requests_a_call": 1}, {"cpu_us": 185, "requests_a_call": 8}
    >>> filled = {"cpu_us": 200 + 130 + 64 * 30, "requests_a_call": 1}
    >>> beyond({"alone": alone, "shared": shared, "filled": filled}, engine)
    {'loop_us': 150.0, 'request_us': 130.0, 'request_row_us': 20.0}
    """
    alone, shared, filled = told["alone"], told["shared"], told["filled"]
    apart = 1 / alone["requests_a_call"] - 1 / shared["requests_a_call"]
    turn = max((alone["cpu_us"] - shared["cpu_us"]) / apart, engine["call_us"])
    one, most = (
        each["cpu_us"] - turn / each["requests_a_call"] - rows * engine["row_us"]
        for each, rows in ((shared, 1), (filled, FULL))
    )
    row = max((most - one) / (FULL - 1), 0.0)
    return {
        "loop_us": round(turn - engine["call_us"], 1),
        "request_us": round(one - row, 1),
        "request_row_us": round(row, 2),
    }


def spent(asked: Asked, connections: int, seconds: float) -> dict[str, Any]:
    """Figures of a closed loop, and how many requests shared a call of the engine; SystemExit if some were refused."""
    loops.closed(asked, connections, WARM)
    before = calls(asked.server)
    told = busy(asked, connections, lambda client: client.closed(loops.after(seconds)))
    if told["refused"]:
        raise SystemExit(
            f"{told['refused']} requests were refused, which cost less than an answer: try a quieter moment"
        )
    return {**told, "requests_a_call": round(told["answered"] / (calls(asked.server) - before), 2)}


def calls(server: Server) -> float:
    """Calls of the engine so far."""
    lines = requests.get(server.url("/metrics"), timeout=10).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("manifold_batch_rows_count"))


def kept(server: Server) -> dict[str, Any]:
    """Memory and start of a server with one worker."""
    above, *workers = processes.resident(server.pid).values()
    return {"start": round(server.seconds, 2), "base_mb": round(above), "worker_mb": round(sum(workers))}


if __name__ == "__main__":
    main()
