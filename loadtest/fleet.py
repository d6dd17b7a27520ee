"""python -m loadtest.fleet STORE: a fleet of three under load, of which one dies, and what its clients notice.

The replicas are Manifold's own gRPC fronts, each a server of one worker with the twins of the store; before them stands
a server that computes nothing itself. Clients over HTTP ask golden rows and check every answer. A replica is sent the
signal a third into the run, and is back after two thirds: started again, or continued if it was stopped. With --hop
nothing dies: what a batch costs that crosses to a replica, beside one that is computed in the same process.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import requests

from loadtest.ask import wait_until_ready
from loadtest.crossing import calls, processor
from service import golden
from service.engines.onnx import OnnxEngine
from service.engines.tf_serving.engine import engine as fleet_engine
from service.versions import store
from service.versions.store import Version

HOST = "127.0.0.1"
REPLICAS = 3
TIMES = 300
ROWS = (1, 32)


class Replica:
    """A server with a gRPC port that others may ask."""

    def __init__(self, version: Version, work: Path, more: Mapping[str, str]) -> None:
        self.http, self.grpc = free_port(), free_port()
        self._environment = {
            "MANIFOLD_STORE": str(version.folder.parent.parent),
            "MANIFOLD_MODELS": version.model,
            "MANIFOLD_PORT": str(self.http),
            "MANIFOLD_WORKERS": "1",
            "MANIFOLD_ENGINE_THREADS": "1",
            "MANIFOLD_LOG_LEVEL": "warning",
            **({"MANIFOLD_GRPC_PORT": str(self.grpc)} if "MANIFOLD_FLEET" not in more else {}),
            **more,
        }
        self._log = work / f"{self.http}.log"
        self.start()

    def start(self) -> None:
        """In a session of its own, so that all its processes can be sent a signal at once."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MANIFOLD_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service", "serve"],
                env=clean | self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.http}"

    @property
    def address(self) -> str:
        return f"{HOST}:{self.grpc}"

    def signal(self, number: int) -> None:
        """To all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def end(self) -> None:
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        self._process.wait(60)


class Question(NamedTuple):
    """A body, and the answer that is right."""

    body: bytes
    answer: Any


class Heard(NamedTuple):
    """When an answer came, its status (0: none), whether it was right, and how long it took."""

    at: float
    status: int
    right: bool
    seconds: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--model", default="similarity")
    parser.add_argument("--signal", default="KILL", choices=("KILL", "TERM", "STOP"))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", default="1", help="HTTP workers of the server before the fleet")
    parser.add_argument("--hop", action="store_true")
    given = parser.parse_args()
    [version] = store.to_serve(given.store, [given.model], 1)
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        fleet = [begun(stack, version, Path(work)) for _ in range(1 if given.hop else REPLICAS)]
        if given.hop:
            hop(version, fleet[0].address)
            return
        names = ",".join(replica.address for replica in fleet)
        front = begun(stack, version, Path(work), MANIFOLD_FLEET=names, MANIFOLD_WORKERS=given.workers)
        questions = asked(version, fleet[0])
        before = counts(front)
        heard = load(front, questions, given, fleet[1])
        tell(heard, given.seconds)
        tell_batches(before, counts(front), fleet)


def begun(stack: contextlib.ExitStack, version: Version, work: Path, **more: str) -> Replica:
    """A server that is ready."""
    replica = Replica(version, work, more)
    stack.callback(replica.end)
    wait_until_ready(replica.url)
    return replica


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def asked(version: Version, replica: Replica) -> list[Question]:
    """Golden rows, one by one, and what a replica answers over HTTP."""
    rows = [
        {name: array[place].tolist() for name, array in inputs.items()}
        for inputs, _ in golden.read(version.folder)
        for place in range(len(next(iter(inputs.values()))))
    ][:100]
    found = []
    for row in rows:
        answer = requests.post(f"{replica.url}/predict/{version.model}", json=row, timeout=30)
        if answer.ok:
            found.append(Question(json.dumps(row).encode(), answer.json()))
    return found


def load(front: Replica, questions: list[Question], given: argparse.Namespace, victim: Replica) -> list[Heard]:
    """Everything that the clients heard; times count from the start."""
    heard: list[Heard] = []
    started = time.monotonic()

    def ask(number: int) -> None:
        connection = HTTPConnection(HOST, front.http, timeout=60)
        while (began := time.monotonic() - started) < given.seconds:
            question = questions[number % len(questions)]
            number += 1
            try:
                connection.request("POST", f"/predict/{given.model}", question.body)
                reply = connection.getresponse()
                status, body = reply.status, reply.read()
            except (OSError, HTTPException):
                connection.close()
                status, body = 0, b""
            right = status == 200 and alike(json.loads(body), question.answer)
            now = time.monotonic() - started
            heard.append(Heard(now, status, right, now - began))

    clients = [threading.Thread(target=ask, args=[number]) for number in range(given.clients)]
    for client in clients:
        client.start()
    time.sleep(given.seconds / 3)
    victim.signal(getattr(signal, f"SIG{given.signal}"))
    time.sleep(given.seconds / 3)
    if given.signal == "STOP":
        victim.signal(signal.SIGCONT)
    else:
        victim.start()
    for client in clients:
        client.join()
    return heard


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same, but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return bool(np.isclose(one, other, rtol=1e-4, atol=1e-5))
    return bool(one == other)


def tell(heard: list[Heard], seconds: float) -> None:
    """Print what the clients noticed, by thirds of the run."""
    print(f"{'':10}{'answers':>9}{'right':>8}{'others':>8}{'p50':>9}{'p99':>9}{'longest':>10}")
    for place, name in enumerate(("all three", "one dead", "one back")):
        part = [one for one in heard if place == min(int(3 * one.at / seconds), 2)]
        took = sorted(1000 * one.seconds for one in part)
        right = sum(one.right for one in part)
        p99 = took[int(0.99 * len(took))]
        print(
            f"{name:10}{len(part):9}{right:8}{len(part) - right:8}"
            f"{statistics.median(took):6.1f} ms{p99:6.1f} ms{took[-1]:7.0f} ms"
        )
    others = Counter(one.status for one in heard if not one.right)
    print(f"not right, by status: {dict(others) or 'none'}; {len(heard) / seconds:.0f} answers/s")


def counts(front: Replica) -> Mapping[str, float]:
    """The samples of /metrics."""
    lines = requests.get(f"{front.url}/metrics", timeout=30).text.splitlines()
    return {name: float(number) for name, _, number in (line.rpartition(" ") for line in lines) if name[:1] != "#"}


def tell_batches(before: Mapping[str, float], after: Mapping[str, float], fleet: list[Replica]) -> None:
    """Print what was sent to whom."""

    def moved(word: str) -> float:
        return sum(number - before.get(name, 0.0) for name, number in after.items() if name.startswith(word))

    rows, batches = moved("manifold_batch_rows_sum"), moved("manifold_batch_rows_count")
    print(f"{batches:.0f} batches of {rows / batches:.1f} rows")
    for number, replica in enumerate(fleet):
        codes = list(sent(before, after, replica.address))
        print(f"replica {number + 1}: {', '.join(codes)}")


def sent(before: Mapping[str, float], after: Mapping[str, float], address: str) -> Iterator[str]:
    """How many calls of a replica ended how."""
    for name, number in sorted(after.items()):
        if name.startswith("manifold_fleet_calls_total") and f'replica="{address}"' in name:
            code = name.partition('code="')[2].partition('"')[0]
            if count := number - before.get(name, 0.0):
                yield f"{count:.0f} {code}"


def hop(version: Version, address: str) -> None:
    """Print what a batch costs here and there."""
    here = OnnxEngine(version.folder)
    there = fleet_engine(version.model, version.number, [address], 30.0)
    row = golden.read(version.folder)[0][0]
    for rows in ROWS:
        batch = {name: np.repeat(row[name][:1], rows, axis=0) for name in here.signature.inputs}
        for name, engine in (("here", here), ("there", there)):
            calls(engine, batch, TIMES)
            began = processor(os.getpid())
            latency = calls(engine, batch, TIMES)
            own = (processor(os.getpid()) - began) / TIMES
            print(f"{rows:3} rows {name:5}: {1e6 * latency:6.0f} µs; CPU {1e6 * own:6.0f} µs in this process")
    there.close()


if __name__ == "__main__":
    main()
