"""wrk: one run, and what it printed. Its script asks the rows in turn and keeps every distinct answer (wrk.lua)."""

import os
import re
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench.answers import Told

SCRIPT = Path(__file__).with_name("wrk.lua")
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Figures:
    """One run: requests, requests a second, latencies in ms, and the connections that broke or waited too long."""

    requests: int
    rate: float
    median: float
    p99: float
    broken: int


@dataclass(frozen=True)
class Ran:
    """A run's figures, its answers, and the seconds of the processor that wrk itself took."""

    figures: Figures
    told: list[Told]
    client_seconds: float


def run(url: str, bodies: Path, connections: int, seconds: int, *, keep: bool = True) -> Ran:
    """Ask for so long over so many connections; `keep` the answers. subprocess.CalledProcessError."""
    with tempfile.TemporaryDirectory() as work:
        answers = Path(work) / "answers"
        environment = os.environ | {"BENCH_BODIES": str(bodies)} | ({"BENCH_ANSWERS": str(answers)} if keep else {})
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(SCRIPT), url]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Ran(parse(ran.stdout), list(read(answers)) if keep else [], spent)


def parse(text: str) -> Figures:
    """What wrk printed; ValueError if that is no report."""
    requests = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    latency = {share: re.search(rf"^\s*{share}%\s+([\d.]+)(us|ms|s|m)", text, re.MULTILINE) for share in ("50", "99")}
    if requests is None or rate is None or latency["50"] is None or latency["99"] is None:
        raise ValueError(f"wrk printed no report:\n{text}")
    median, p99 = (float(found[1]) * MILLISECONDS[found[2]] for found in latency.values() if found)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    broken = sum(int(count) for count in errors.groups()) if errors else 0
    return Figures(int(requests[1]), float(rate[1]), median, p99, broken)


def read(answers: Path) -> Iterator[Told]:
    """The answers that the script wrote."""
    with answers.open() as lines:
        for head in lines:
            number, status, times = head.split()
            yield Told(number, int(status), next(lines).rstrip("\n"), int(times))
