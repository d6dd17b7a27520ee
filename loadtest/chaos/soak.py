"""python -m loadtest.chaos.soak --store STORE: two million requests over all models, in all dialects and forms, with
reloads all the while; memory, files and threads stay.

Every answer is compared with what the oracle says of the version that answered; one that came before is known again by
its bytes. Slow models are asked less: each question about as often as it takes the same time as the others. Memory is
compared between moments at which the same versions are served. Exit status 1 if anything was wrong, or grew.
"""

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loadtest.bench import machine
from loadtest.bench.arguments import parser, save
from loadtest.bench.client import Client, parts
from loadtest.chaos import growth, leftovers, oracle, report
from loadtest.chaos.beside import Calls, Reloader, Watch
from loadtest.chaos.checker import Checker, Reply
from loadtest.chaos.door import Door
from loadtest.chaos.line import headers
from loadtest.chaos.probe import Probe
from loadtest.chaos.questions import GRPC, Question
from loadtest.chaos.scene import Scene
from loadtest.chaos.stage import Stage
from loadtest.chaos.times import Excuses, Versions

TWICE = ("qa", "similarity", "majority", "siamese_vectors")
"""The models of which a second version comes and goes."""
MOST = 1000
"""How much more often the quickest question is asked than the slowest, at most."""


def main() -> None:
    """Soak, print, save; exit status 1 if something was wrong or grew."""
    given = parser(
        __doc__, requests=2_000_000, connections=32, each=3, every=1.0, seed=0, workers=2, calls=20.0
    ).parse_args()
    with TemporaryDirectory() as work:
        document = soak(given, Path(work))
    document["growth"] = growth.of(document["samples"])
    document["violations"] += list(growth.beyond(document["growth"]))
    save(given.out, "soak", {"machine": machine.describe(), **document})
    print(growth.summary(document))
    for violation in document["violations"][:8]:
        print(report.told(violation), file=sys.stderr)
    raise SystemExit(int(bool(document["violations"])))


def soak(given: Any, work: Path) -> dict[str, Any]:
    """Start a server of every model in the store, ask everything, end it."""
    before = leftovers.shared()
    stage = Stage(work, Door(given.port, given.port + 1), given.workers)
    newest = stage.furnish(given.store, [], TWICE)
    questions = oracle.ask(stage.shelf, stage.questions, list(newest), given.seed, given.each)
    checker = Checker(Versions(), Excuses())
    for model, number in newest.items():
        checker.versions.allow(model, number)
    checker.excuses.begin((429, ""))  # who asks more than the machine can answer is told so; it does not count
    try:
        stage.start()
        document = asked(given, stage, checker, questions)
        stage.stop()
        for what in leftovers.left(stage, before):
            checker.violate(what)
    finally:
        stage.kill()
    return {
        "models": len(newest),
        "different": len(questions),
        **document,
        "counts": dict(checker.counts),
        "worst": checker.worst,
        "violations": checker.violations,
    }


def asked(given: Any, stage: Stage, checker: Checker, questions: Sequence[Question]) -> dict[str, Any]:
    """Ask, with reloads and calls beside."""
    over_http = [one for one in questions if one.form != GRPC]
    listener = Listener(checker, over_http, stage.door)
    order = often(alone(stage.door.port, over_http, listener), random.Random(given.seed))
    listener.order = order
    print(f"  {len(questions)} different questions, each answered alone; {len(order)} in turn", flush=True)
    client = Client(stage.door.port, [listener.requests[at] for at in order], given.connections, listener)
    scene = Scene(stage, checker, Probe(stage, questions), questions, random.Random(given.seed))
    reloader = Reloader(scene, [model for model in TWICE if model in scene.models()])
    calls = Calls(stage.door, checker, [one for one in questions if one.form == GRPC], given.calls)
    watch = Watch(stage.master, client, reloader, given.every, len(order))
    started = time.monotonic()
    for thread in (reloader, calls):
        thread.start()
    client.closed(lambda: watch() - listener.refused >= given.requests)
    seconds = time.monotonic() - started
    for thread in (reloader, calls):
        thread.stop()
    watch.look()
    client.close()
    listener.tell()
    return {
        "requests": len(client.latencies) - listener.refused,
        "refused": listener.refused,
        "calls": calls.count,
        "seconds": round(seconds, 1),
        "reloads": dict(reloader.counts),
        "samples": watch.samples,
    }


def alone(port: int, questions: Sequence[Question], listener: "Listener") -> list[float]:
    """The seconds each question takes, asked alone."""
    listener.order = range(len(questions))
    client = Client(port, listener.requests, 1, listener)
    client.closed(lambda: client.asked >= 2 * len(questions))
    client.close()
    return client.latencies[-len(questions) :]


def often(seconds: Sequence[float], rng: random.Random) -> list[int]:
    """Numbers of questions in an order drawn by chance, the quicker the more often.

    >>> sorted(often([0.001, 0.01, 0.004], random.Random(0)))
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2]
    """
    slowest = max(seconds)
    order = [at for at, one in enumerate(seconds) for _ in range(min(MOST, int(slowest / one + 0.1)))]
    rng.shuffle(order)
    return order


class Listener:
    """Hears answers: those known by their bytes are counted, others judged."""

    def __init__(self, checker: Checker, questions: Sequence[Question], door: Door) -> None:
        self.requests = [one.request(f"soak-{at}", door.headers) for at, one in enumerate(questions)]
        self.order: Sequence[int] = ()
        self._checker, self._questions = checker, questions
        self._known: set[tuple[int, int]] = set()
        self._count = 0
        self.refused = 0
        self._state: Any = None

    def __call__(self, asked: int, answer: bytes) -> None:
        at = self.order[asked]
        state = self._checker.versions.changes
        if state != self._state:
            self._state = state
            self._known.clear()
        end = answer.find(b"\r\n\r\n")
        version = answer.find(b"X-Model-Version:", 0, end)
        key = (at, hash(answer[version : version + 20] + answer[end:]))
        if key in self._known:
            self._count += 1
            return
        status, head, body = parts(answer)
        number = f"soak-{at}"
        self._checker.asked(number, self._questions[at])
        kind = self._checker.heard(
            number, self._questions[at], time.monotonic() - 1.0, Reply(status, headers(head), body)
        )
        if kind == "right":
            self._known.add(key)
        else:
            self.refused += 1

    def tell(self) -> None:
        """Count those that were known, too."""
        self._checker.count("asked", self._count)
        self._checker.count("right", self._count)


if __name__ == "__main__":
    main()
