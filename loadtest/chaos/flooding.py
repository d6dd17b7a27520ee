"""python -m loadtest.chaos.flooding PORT QUESTIONS ANSWERS CONNECTIONS SECONDS: asks without a pause, keeps what came.

The key is read from the standard input. A process of its own, so that it is the service that is flooded, and not the
other clients.
"""

import pickle
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from loadtest.bench import loops
from loadtest.bench.client import Client, parts
from loadtest.chaos.checker import Checker, Reply
from loadtest.chaos.door import Door
from loadtest.chaos.line import headers
from loadtest.chaos.questions import GRPC, Question

KEPT = ("x-request-id", "x-model-version", "retry-after", "inference-header-content-length")
"""Headers by which an answer is judged; the others differ each time."""


def flood(door: Door, file: Path, checker: Checker, connections: int, seconds: float) -> None:
    """Ask what a file has over so many connections, each again as soon as it is answered; every answer is judged."""
    answers = file.with_name("answers")
    command = [sys.executable, "-m", __name__, *map(str, (door.port, file, answers, connections, seconds))]
    begun = time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True, check=False, input=door.key)
    if ran.returncode:
        checker.violate(f"the flood broke off: {ran.stderr[-300:]}")
        return
    asked = over_http(file)
    for (at, status, head, body), times in pickle.loads(answers.read_bytes()).items():  # noqa: S301 - our own wrote it
        number = f"flood-{at}"
        checker.asked(number, asked[at])
        kind = checker.heard(number, asked[at], begun, Reply(status, dict(head), body))
        checker.count("asked", times - 1)
        checker.count(kind, times - 1)


def over_http(file: Path) -> list[Question]:
    """The questions of a file that go over HTTP."""
    return [one for one in pickle.loads(file.read_bytes()) if one.form != GRPC]  # noqa: S301 - our own wrote it


def main(port: str, file: str, answers: str, connections: str, seconds: str) -> None:
    """Ask, and write what came."""
    door = Door(int(port), key=sys.stdin.read())
    requests = [one.request(f"flood-{number}", door.headers) for number, one in enumerate(over_http(Path(file)))]
    heard: Counter[tuple[int, int, tuple[tuple[str, str], ...], bytes]] = Counter()

    def hear(at: int, answer: bytes) -> None:
        status, head, body = parts(answer)
        named = headers(head)
        heard[at, status, tuple((name, named[name]) for name in KEPT if name in named), body] += 1

    client = Client(door.port, requests, int(connections), hear)
    client.closed(loops.after(float(seconds)))
    client.close()
    Path(answers).write_bytes(pickle.dumps(dict(heard)))


if __name__ == "__main__":
    main(*sys.argv[1:])
