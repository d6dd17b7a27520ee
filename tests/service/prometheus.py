"""A real Prometheus, where one is installed (Debian's package `prometheus`), on a port of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.service.server import ROOT, SECONDS, free_port, patiently

FOLDER = ROOT / "deploy/prometheus"
EVERY = "1s"
"""Between two scrapes, and two looks at the rules."""

Found = dict[frozenset[str], float]
"""By the values of a result's labels."""


def needs(tool: str) -> None:
    """Skip the test where the tool is not installed."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed: apt-get install prometheus")


class Prometheus:
    """One that runs and scrapes."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api/v1"

    def ask(self, path: str, **parameters: str) -> dict:
        answer = requests.get(f"{self.url}/{path}", params=parameters, timeout=SECONDS).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> Found:
        """An instant vector."""
        return {
            frozenset(value for name, value in one["metric"].items() if name != "__name__"): float(one["value"][1])
            for one in self.ask("query", query=expression)["result"]
        }

    def wait_for(self, expression: str, expected: Found) -> None:
        """Until an expression has that value: a scrape, and the last second of a worker, are still to come."""
        found: Found = {}
        for _ in patiently():
            found = self.query(expression)
            if found == expected:
                return
        raise AssertionError(f"{expression}: {found}, not {expected}")


def ready(port: int) -> bool:
    """Whether it listens, and has read what it had stored."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/-/ready", timeout=SECONDS).ok
    except requests.ConnectionError:
        return False


@contextmanager
def scraping(target: str, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus with our configuration, and this target in place of the one that stands there."""
    needs("prometheus")
    for rules in FOLDER.glob("*.yml"):
        shutil.copy(rules, folder)
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(file.read_text().replace("manifold:8000", target).replace("15s", EVERY))
    options = {"config.file": file, "storage.tsdb.path": folder / "data", "web.listen-address": f"127.0.0.1:{port}"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus", *(f"--{name}={value}" for name, value in options.items())], stdout=log, stderr=log
        )
    try:
        for _ in patiently():
            assert process.poll() is None, (folder / "log").read_text()
            if ready(port):
                break
        found = Prometheus(port)
        found.wait_for("up", {frozenset({"manifold", target}): 1.0})
        yield found
    finally:
        process.terminate()
        process.wait(SECONDS)
