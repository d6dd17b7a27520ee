"""python -m loadtest.capacity.balance: what a balancer makes of the same workers, every request simulated.

Connections that stay with a worker for good, as behind a balancer of connections, share them unevenly by chance; one of
requests asks any worker, the better of two, or the best of all.
"""

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from loadtest.capacity.costs import MEASURED, Costs, read
from loadtest.capacity.fleet import BALANCERS, Choose, Fleet, Worker

WORKERS, REQUESTS, LOADS = 16, 60_000, (0.5, 0.7, 0.85)
CONNECTIONS = 8
"""For each worker."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--costs", type=Path, default=MEASURED)
    parser.add_argument("--model", default="qa")
    given = parser.parse_args()
    costs = read(given.costs)[given.model]
    print("| balancer | " + " | ".join(f"p50, p99 ms at {load:.0%}" for load in LOADS) + " |")
    print("|---" + "|--:" * len(LOADS) + "|")
    for name, choose in {f"{CONNECTIONS} connections a worker, kept": kept(), **BALANCERS}.items():
        print(f"| {name} | " + " | ".join(figures(costs, load, choose) for load in LOADS) + " |")


def kept(seed: int = 0) -> Choose:
    """As many connections as there are for all workers, each drawn once to a worker; a request takes any connection."""
    rng = random.Random(seed)
    drawn = Counter(rng.randrange(WORKERS) for _ in range(CONNECTIONS * WORKERS))
    to = list(drawn.elements())

    def choose(workers: Sequence[Worker], rng: random.Random) -> Worker:
        return workers[rng.choice(to)]

    return choose


def figures(costs: Costs, load: float, choose: Choose) -> str:
    """Milliseconds at a share of the workers' peak, and what was given up if anything was."""
    rate = load * WORKERS * costs.peak()
    told = Fleet(costs, WORKERS, choose).open(rate, REQUESTS / rate)
    median, p99 = 1e3 * np.percentile(told.latencies, [50, 99])
    return f"{median:.1f}, {p99:.1f}" + (f", {told.given_up / told.came:.1%} given up" if told.given_up else "")


if __name__ == "__main__":
    main()
