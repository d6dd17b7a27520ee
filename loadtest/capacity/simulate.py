"""python -m loadtest.capacity.simulate: a fleet's day under ways of scaling it, and a zone lost at the peak hour.

A table, docs/measurements/capacity_day.json and two pictures. Costs are those that were measured for one model; the
day's traffic and what a cluster takes for its part are assumptions, told beside.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from loadtest.bench.arguments import MEASUREMENTS, PICTURES, save
from loadtest.capacity.autoscaler import Autoscaler, Behavior
from loadtest.capacity.costs import MEASURED, read
from loadtest.capacity.curve import LOADS, Curve, Metric, Second, as_deployed, cpu, hours, percentiles, queue_seconds
from loadtest.capacity.day import ZONES, Day, Loss, Place, Pods
from loadtest.capacity.traffic import HOUR, Traffic

BUSY = 0.7
"""Of a pod's peak, where it is sized for a load."""
HELD = 0.6
"""Of it, where a scaler is to hold it."""
DEPLOYED = Behavior(more=2, every=30.0, share=0.1, away_every=60.0, stable=600.0)
"""Of deploy/kubernetes/components/autoscaling, whose most pods are not kept to here."""
LOST = Loss(20.2 * HOUR)
PERCENTS = (50.0, 99.0, 99.9)
HEAD = "| scaled | pods | core-hours | p50 ms | p99 ms | p99.9 ms | worst hour's | refused | given up, of a million |"


@dataclass(frozen=True)
class Policy:
    """How a fleet is scaled: pods at the start, and what is held where."""

    name: str
    pods: int
    metric: Metric | None = None
    target: float = 0.0
    behavior: Behavior = field(default_factory=Behavior)
    place: Place = field(default_factory=Place)

    def scaler(self, least: int) -> Autoscaler | None:
        """What asks for more or fewer pods; None for never."""
        return Autoscaler(self.target, least, 100 * least, self.behavior) if self.metric else None


def policies(curve: Curve, peak: float, traffic: Traffic, place: Place) -> list[Policy]:
    """What is compared: fleets of a fixed size, and such as are scaled."""
    hour, burst = (ceil(times * traffic.peak / (BUSY * peak)) for times in (1, traffic.burst))
    waits = {load: float(np.interp(load, LOADS, curve.waits)) for load in (HELD, HELD * (1 - 1 / ZONES))}
    night = max(ceil(traffic.peak * traffic.night / (BUSY * peak)), 2 * ZONES)
    spared, bare = waits.values()
    slow = replace(place, start=120.0)
    return [
        Policy("fixed, for the peak hour", hour, place=place),
        Policy("fixed, for its bursts and a lost zone", ceil(burst / (1 - 1 / ZONES)), place=place),
        Policy(f"by CPU, {HELD:.0%}", night, cpu, HELD, place=place),
        Policy(f"by queue, as at {HELD:.0%} of the peak", night, queue_seconds, spared, place=place),
        Policy(f"by queue, as at {HELD * (1 - 1 / ZONES):.0%}", night, queue_seconds, bare, place=place),
        Policy("the same, pods start in 120 s", night, queue_seconds, bare, place=slow),
        Policy("as deploy/kubernetes scales", night, as_deployed, 1.0, DEPLOYED, place),
    ]


def main() -> None:
    """Simulate, print, save, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--costs", type=Path, default=MEASURED)
    parser.add_argument("--model", default="qa")
    parser.add_argument(
        "--peak", type=float, default=100_000, help="requests a second at the peak hour, without bursts"
    )
    parser.add_argument("--seed", type=int, default=2, help="2 has a burst when the zone goes")
    parser.add_argument("--out", type=Path, default=MEASUREMENTS)
    parser.add_argument("--pictures", type=Path, default=PICTURES)
    given = parser.parse_args()
    traffic = Traffic(given.peak)
    costs = read(given.costs)[given.model]
    curve, rates = Curve(costs), traffic.rates(given.seed)
    days = {}
    for policy in policies(curve, Place().cores * costs.peak(), traffic, Place()):
        pods, scaler = Pods(policy.pods), policy.scaler(2 * ZONES)
        day = Day(costs, rates, pods, policy.place, scaler, policy.metric, LOST, given.seed)
        days[policy.name] = day.run(curve)
    told = {name: summary(curve, seconds, Place().cores) for name, seconds in days.items()}
    assumed = {
        "model": given.model,
        "traffic": asdict(traffic),
        "seed": given.seed,
        "place": asdict(Place()),
        "lost": LOST,
    }
    save(
        given.out,
        "capacity_day",
        {"costs": json.loads(given.costs.read_text())["machine"], **assumed, "policies": told},
    )
    print("\n".join(table(told)))
    from loadtest.capacity import plot

    for path in plot.draw(plot.Scene(days, rates, curve, Place().cores * costs.peak()), given.pictures):
        print(path)


def summary(curve: Curve, seconds: Sequence[Second], cores: int) -> dict[str, Any]:
    """A day in figures, and each of its hours."""
    return {
        **figures(curve, seconds),
        "core_hours": round(sum(one.paid for one in seconds) * cores / HOUR),
        "pods": [min(one.pods for one in seconds), max(one.pods for one in seconds)],
        "hours": [figures(curve, hour) for hour in hours(seconds)],
    }


def figures(curve: Curve, seconds: Sequence[Second]) -> dict[str, float]:
    """Milliseconds, and shares of all that came."""
    came = sum(one.came for one in seconds)
    names = ("p50", "p99", "p999")
    latencies = zip(names, percentiles(curve, seconds, PERCENTS), strict=True)
    return {
        **{name: round(1e3 * value, 2) for name, value in latencies},
        "refused": round(sum(one.refused for one in seconds) / came, 7),
        "given_up": round(sum(one.given_up for one in seconds) / came, 7),
        "pods_mean": round(sum(one.pods for one in seconds) / len(seconds), 1),
    }


def table(told: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Markdown: a line for each policy."""
    yield HEAD
    yield "|---" + "|--:" * 8 + "|"
    for name, one in told.items():
        least, most = one["pods"]
        worst = max(hour["p999"] for hour in one["hours"])
        times = " | ".join(f"{one[of]:.1f}" for of in ("p50", "p99", "p999"))
        shares = f"{one['refused']:.3%} | {1e6 * one['given_up']:,.0f}"
        yield f"| {name} | {least}–{most} | {one['core_hours']:,} | {times} | {worst:,.1f} | {shares} |"


if __name__ == "__main__":
    main()
