"""python -m loadtest.capacity.validate: the machine that was measured, simulated, beside what was measured.

Costs come from one worker on a core of its own (loadtest.capacity.measure); here as many workers as the machine has
cores are simulated under the same loops of connections and the same rates. The client had its share of those cores,
which is added to each request. "Cores" are those that server and client had together: where neighbours took the rest, a
closed loop is that much slower. At last what wrk measured in other hours (docs/measurements/peers), where it asked the
same version.
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from loadtest.bench.arguments import MEASUREMENTS
from loadtest.bench.plan import OURS
from loadtest.capacity.costs import MEASURED, MICRO, Costs, of
from loadtest.capacity.fleet import Fleet, Tally

FIGURES = ("rate", "median", "p99", "cpu_us", "client_us")
SECONDS, MOST = 4.0, 20_000
"""Simulated: so long, or so many requests."""
HEAD = "| model | load | cores | rate/s | simulated | off | median ms | simulated | p99 ms | simulated |"


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--costs", type=Path, default=MEASURED)
    parser.add_argument("--peers", type=Path, default=MEASUREMENTS / "peers")
    given = parser.parse_args()
    document = json.loads(given.costs.read_text())
    print(f"{HEAD}\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for model, told in document["models"].items():
        for line in compared(model, told, document["machine"]["cores"]):
            print(line)
    for model, told in document["models"].items():
        for line in by_wrk(of(model, told), told["version"], given.peers / f"{model}.json"):
            print(line)


def by_wrk(costs: Costs, version: int, file: Path) -> Iterator[str]:
    """A line for each number of connections; none where there is no file, or one of another version."""
    document: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    if not document or document["scenario"]["version"] != version:
        return
    for connections in document["plan"]["connections"]:
        rounds = [cell for cell in document["cells"] if cell["server"] == OURS and cell["connections"] == connections]
        seen = {of: statistics.median(cell[of] for cell in rounds) for of in FIGURES}
        fleet = Fleet(beside(costs, seen), document["machine"]["cores"])
        load = f"{connections} of wrk's"
        yield line(costs.model, load, seen, fleet.closed(connections, span(seen)), span(seen))


def compared(model: str, told: Mapping[str, Any], cores: int) -> Iterator[str]:
    """A line for each load."""
    costs = of(model, told)
    for connections, seen in told["loads"]["closed"].items():
        fleet = Fleet(beside(costs, seen), cores)
        yield line(model, f"{connections} connections", seen, fleet.closed(int(connections), span(seen)), span(seen))
    for share, seen in told["loads"]["opened"].items():
        fleet = Fleet(beside(costs, seen), cores)
        yield line(model, f"{share} of that of 32", seen, fleet.open(seen["rate"], span(seen)), span(seen))


def beside(costs: Costs, seen: Mapping[str, float]) -> Costs:
    """The costs with the client's share of the cores."""
    return replace(costs, request=costs.request + seen["client_us"] * MICRO)


def span(seen: Mapping[str, float]) -> float:
    """Seconds to simulate."""
    return min(SECONDS, MOST / seen["rate"])


def line(model: str, load: str, seen: Mapping[str, float], tally: Tally, seconds: float) -> str:
    """A load's line: measured beside simulated."""
    rate = len(tally.latencies) / seconds
    median, p99 = 1e3 * np.percentile(tally.latencies, [50, 99])
    rates = f"{seen['rate']:,.0f} | {rate:,.0f} | {rate / seen['rate'] - 1:+.0%}"
    cores = seen["rate"] * (seen["cpu_us"] + seen["client_us"]) * MICRO
    latencies = f"{seen['median']:.2f} | {median:.2f} | {seen['p99']:.1f} | {p99:.1f}"
    return f"| {model} | {load} | {cores:.2f} | {rates} | {latencies} |"


if __name__ == "__main__":
    main()
