"""python -m loadtest.bench.open_loop: the tail of latencies at a constant rate of arrivals, a share of saturation.

In each round the client finds the saturation in a closed loop, then asks at the share of the median of all so far in an
open loop, where a latency counts from when the request was due. Client and server share the machine in both.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.bench import loops, machine
from loadtest.bench.arguments import parser, save
from loadtest.bench.plan import SCENARIOS, Scenario

SATURATING = 32
"""Connections of the closed loop; the open one has as many as `--connections` says."""
TARGET = 10.0
"""The 99th percentile over the median, at most."""

Figures = Mapping[str, float]


def main() -> None:
    """Measure, print, save."""
    add = parser(__doc__, rounds=5, seconds=10.0, connections=128)
    add.add_argument("--share", type=float, default=0.7, help="of saturation")
    add.add_argument("--spread", action="store_true", help="over all connections, as if each were a client of its own")
    add.add_argument("--scenarios", default="qa,mixed,majority")
    given = add.parse_args()
    told = {name: measure(SCENARIOS[name], given) for name in given.scenarios.split(",")}
    save(
        given.out,
        "open_loop-spread" if given.spread else "open_loop",
        {"machine": machine.describe(), "share": given.share, "spread": given.spread, "scenarios": told},
    )
    print(table(told))


def measure(scenario: Scenario, given: Any) -> list[Figures]:
    """Figures of each round."""
    seen: list[Figures] = []
    with loops.serving(scenario, given.store, given.port) as asked:
        loops.closed(asked, SATURATING, 1.0)
        for _ in range(given.rounds):
            saturation, _ = loops.closed(asked, SATURATING, 2.0)
            rate = given.share * statistics.median([saturation, *(one["saturation"] for one in seen)])
            latencies = loops.opened(asked, given.connections, rate, given.seconds, spread=given.spread)
            seen.append({"saturation": round(saturation), "rate": round(rate), **latencies})
            print(f"  {scenario.name}: {seen[-1]}", flush=True)
    return seen


def table(told: Mapping[str, Sequence[Figures]]) -> str:
    """Markdown: medians of the rounds."""
    lines = [line(name, middle(rounds)) for name, rounds in told.items()]
    head = "| scenario | saturation/s | rate/s | median ms | p99 ms | p99.9 ms | p99 / median | target |"
    return "\n".join([head, "|---|--:|--:|--:|--:|--:|--:|--:|", *lines])


def middle(rounds: Sequence[Figures]) -> Figures:
    """The median of every figure.

    >>> middle([{"p99": 3.0}, {"p99": 1.0}, {"p99": 2.0}])
    {'p99': 2.0}
    """
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def line(name: str, figures: Figures) -> str:
    """A scenario's line."""
    rates = f"{figures['saturation']:,.0f} | {figures['rate']:,.0f}"
    latencies = " | ".join(f"{figures[of]:.3g}" for of in ("median", "p99", "p999"))
    return f"| {name} | {rates} | {latencies} | {figures['p99'] / figures['median']:.3g} | ≤ {TARGET:g} |"


if __name__ == "__main__":
    main()
