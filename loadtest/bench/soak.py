"""python -m loadtest.bench.soak: a million requests over models, dialects and lengths; memory, files and threads stay.

Every request is asked alone first; what is answered later, under load, must agree with that. Any other status than 200
and any wrong answer ends the run with an error, and so does memory that grows by more than the target.
"""

import json
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loadtest.bench import machine, processes, questions
from loadtest.bench.answers import TOLERANCE
from loadtest.bench.arguments import parser, save
from loadtest.bench.client import Client, parts
from loadtest.bench.contenders import service
from loadtest.bench.servers import Server, running
from service import store

MODELS = (
    "qa,similarity,profile,majority,siamese_vectors,help_desk,titles,activity,digits,clothing_price,same_distribution"
)
"""Those that answer in milliseconds: a soak is long enough."""

TARGET = 0.05
"""Growth of a process's memory, from warm to the end, at most."""

WARM = 0.1
"""The first share of the requests, in which memory may grow."""

Sample = Mapping[str, Any]


class Alone:
    """Checks answers against those that the same requests got alone; equal ones are compared once."""

    def __init__(self) -> None:
        self.expected: dict[int, Any] = {}
        self.known: set[tuple[int, int]] = set()
        self.worst = 0.0

    def learn(self, request: int, answer: bytes) -> None:
        """Keep what it was answered alone; SystemExit if that was an error."""
        self.expected[request] = body(request, answer)

    def check(self, request: int, answer: bytes) -> None:
        """Compare; SystemExit if it is not the same to float rounding."""
        key = (request, hash(answer[answer.find(b"\r\n\r\n") :]))
        if key in self.known:
            return
        off = questions.apart(self.expected[request], body(request, answer))
        if not off <= TOLERANCE:
            raise SystemExit(f"request {request} was answered {off:.1e} off what it got alone: {answer[:600]!r}")
        self.known.add(key)
        self.worst = max(self.worst, off)


def body(request: int, answer: bytes) -> Any:
    """An answer's JSON; SystemExit if it is an error."""
    status, _, text = parts(answer)
    if status != 200:
        raise SystemExit(f"request {request} was answered {status}: {text[:600]!r}")
    return json.loads(text)


def main() -> None:
    """Soak, print, save; exit status 1 if memory grew too much."""
    add = parser(__doc__, requests=1_000_000, connections=32, each=8, every=2.0)
    add.add_argument("--models", default=MODELS, help=f"default: {MODELS}")
    given = add.parse_args()
    present = [name for name in given.models.split(",") if (given.store / name).is_dir()]
    folders = {version.model: [version.folder] for version in store.to_serve(given.store, present, 1)}
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory()))
        server = stack.enter_context(running("manifold", service(work, given.port, folders), given.port, work))
        document = soak(server, given)
    save(given.out, "soak", {"machine": machine.describe(), "models": list(folders), **document})
    print(summary(document))
    raise SystemExit(int(growth(document["samples"]) > TARGET))


def soak(server: Server, given: Any) -> dict[str, Any]:
    """Ask everything alone, then all of it together."""
    asked = questions.every(server.url(""), given.each, random.Random(0))
    checked = Alone()
    alone = Client(server.port, asked, 1, checked.learn)
    alone.closed(lambda: alone.asked >= len(asked))
    alone.close()
    print(f"  {len(asked)} different requests, each answered alone", flush=True)
    client = Client(server.port, asked, given.connections, checked.check)
    watch = Watch(server.pid, client, given.every)
    started = time.monotonic()
    client.closed(lambda: watch() >= given.requests)
    seconds = time.monotonic() - started
    watch.look()
    client.close()
    return {
        "requests": len(client.latencies),
        "different": len(asked),
        "seconds": round(seconds, 1),
        "worst": checked.worst,
        "samples": watch.samples,
    }


class Watch:
    """Looks at the processes every so many seconds; called, it says how much was asked."""

    def __init__(self, pid: int, client: Client, every: float) -> None:
        self.samples: list[Sample] = []
        self._pid, self._client, self._every = pid, client, every
        self._next = 0.0

    def __call__(self) -> int:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            self.look()
        return self._client.asked

    def look(self) -> None:
        """Take a sample."""
        self.samples.append(
            {
                "answered": len(self._client.latencies),
                "resident_mb": {str(pid): round(size, 1) for pid, size in processes.resident(self._pid).items()},
                "files": processes.open_files(self._pid),
                "threads": processes.threads(self._pid),
            }
        )


def growth(samples: Sequence[Sample]) -> float:
    """How much the memory of any process grew, as a share, from just after the warm-up to the end.

    >>> growth([{"answered": count, "resident_mb": {"7": size}} for count, size in [(0, 50), (10, 100), (100, 125)]])
    0.25
    """
    total = samples[-1]["answered"]
    warm = [one for one in samples if WARM * total <= one["answered"] <= 2 * WARM * total] or samples[:1]
    last = [one for one in samples if one["answered"] >= (1 - WARM) * total]
    return max(middle(last, pid) / middle(warm, pid) - 1 for pid in samples[-1]["resident_mb"])


def middle(samples: Sequence[Sample], pid: str) -> float:
    """The median memory of a process; infinite growth would follow from one that was not there."""
    return statistics.median(one["resident_mb"].get(pid, 1e-9) for one in samples)


def summary(document: Mapping[str, Any]) -> str:
    """What came of it."""
    first, last = document["samples"][min(1, len(document["samples"]) - 1)], document["samples"][-1]
    rate = document["requests"] / document["seconds"]
    return (
        f"{document['requests']:,} requests, {document['different']:,} different ones, {rate:,.0f}/s, all answered and"
        f" at most {document['worst']:.1e} off; memory grew by {growth(document['samples']):.1%} at most (target"
        f" {TARGET:.0%}); files {first['files']} → {last['files']}, threads {first['threads']} → {last['threads']}"
    )


if __name__ == "__main__":
    main()
