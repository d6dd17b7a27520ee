"""python -m loadtest.bench --store STORE: what the service reaches on this machine, measured by wrk.

Starts a server of its own and asks every model for rows of token ids of mixed length, in TensorFlow Serving's dialect,
at several numbers of connections, round after round; prints medians, and what start-up and memory cost. For ratios
against other servers, run them beside this one in the same run, taking turns.
"""

import argparse
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from loadtest import rows
from loadtest.ask import wait_until_ready

BODIES = 64
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
SCRIPT = """
wrk.method = "POST"
local bodies, at = {{}}, 0
for line in io.lines("{file}") do bodies[#bodies + 1] = line end
function request() at = at % #bodies + 1 return wrk.format(nil, nil, nil, bodies[at]) end
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="store")
    parser.add_argument("--port", type=int, default=8479)
    parser.add_argument("--connections", default="1,32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    given = parser.parse_args()
    url = f"http://127.0.0.1:{given.port}"
    with server(given.store, given.port) as process, tempfile.TemporaryDirectory() as work:
        started = time.monotonic()
        wait_until_ready(url)
        print(f"ready after {time.monotonic() - started:.1f} s; RSS per process, MB: {memory(process.pid)}")
        scripts = {
            model["name"]: script(url, model["name"], Path(work)) for model in requests.get(f"{url}/models").json()
        }
        measure(url, scripts, given.connections.split(","), given.rounds, given.seconds)
        print(f"afterwards, RSS per process, MB: {memory(process.pid)}")


@contextmanager
def server(store: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A service of its own, stopped at the end."""
    environment = os.environ | {"MANIFOLD_STORE": store, "MANIFOLD_PORT": str(port), "MANIFOLD_LOG_LEVEL": "warning"}
    process = subprocess.Popen([sys.executable, "-m", "service", "serve"], env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def memory(pid: int) -> list[int]:
    """Resident megabytes of a process and its children, as ps tells them."""
    told = subprocess.run(
        ["ps", "-o", "rss=", "--pid", str(pid), "--ppid", str(pid)], capture_output=True, text=True, check=True
    )
    return [int(kilobytes) // 1024 for kilobytes in told.stdout.split()]


def script(url: str, model: str, work: Path) -> Path:
    """A wrk script that goes round a file of requests."""
    details = requests.get(f"{url}/models/{model}").json()
    rng = random.Random(0)
    bodies = [{"instances": [rows.row(details, rng, ids=True)]} for _ in range(BODIES)]
    file, lua = work / f"{model}.jsonl", work / f"{model}.lua"
    file.write_text("\n".join(json.dumps(body) for body in bodies))
    lua.write_text(SCRIPT.format(file=file))
    return lua


def measure(url: str, scripts: dict[str, Path], connections: list[str], rounds: int, seconds: int) -> None:
    """Rounds over all models and connections; a table of medians."""
    seen: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for _ in range(rounds):
        for model, lua in scripts.items():
            for count in connections:
                seen.setdefault((model, count), []).append(wrk(f"{url}/v1/models/{model}:predict", lua, count, seconds))
    print(f"{'model':20}{'connections':>12}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}")
    for (model, count), figures in seen.items():
        rate, middle, tail = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{model:20}{count:>12}{rate:12.0f}{middle:10.2f}{tail:10.2f}")


def wrk(url: str, lua: Path, connections: str, seconds: int) -> tuple[float, float, float]:
    """Requests per second, median and 99th percentile in ms; SystemExit if any answer was an error."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(lua), url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        sys.exit(f"{url} answered errors:\n{text}")
    found = {name: re.search(rf"{name}\s+([\d.]+)(us|ms|s|m)", text) for name in ("50%", "99%")}
    middle, tail = (float(match[1]) * UNITS[match[2]] for match in found.values() if match)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return float(rate[1]) if rate else 0.0, middle, tail


if __name__ == "__main__":
    main()
