"""python -m loadtest.capacity --rate 1000000 --p99 0.05: the fleet that answers so many rows a second, for each model.

Costs are those in docs/measurements/capacity.json, or, with --store, measured now on this machine, which should then be
one of the fleet's. A device's costs are an assumption of yours: nothing here has measured one.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loadtest.capacity import costs as measured
from loadtest.capacity import measure
from loadtest.capacity.costs import MEASURED, MICRO, Costs
from loadtest.capacity.model import Demand, Device, fleet, sensitivity

HEAD = (
    "| model | rows a request | requests/s a core | rows/s a core | cores | machines | GB each | Gbit/s "
    "| core-hours a million rows |"
)
DEVICES = "| model | rows a request | a batch takes | rows/s of a device | devices | cores that feed one |"


def main() -> None:
    """Print the tables."""
    given = arguments().parse_args()
    models = [name for name in given.models.split(",") if name]
    known = measure.now(given.store, models, given.port, given.out) if given.store else measured.read(given.costs)
    chosen = [known[name] for name in models or known]
    demands = [
        Demand(given.rate, int(rows), given.p99, given.busy, given.cores, given.zones) for rows in given.rows.split(",")
    ]
    print(
        f"{given.rate:,.0f} rows/s, 99 % within {1e3 * given.p99:g} ms, cores used to {given.busy:.0%} of their peak "
        f"at most, machines of {given.cores} cores in {given.zones} zones of which one may be lost\n"
    )
    print("\n".join(table(chosen, demands, given.price)))
    if given.device:
        call, row = (float(us) * MICRO for us in given.device.split(","))
        print("\nThe device is an ASSUMPTION of yours, at half, once and twice its costs:\n")
        print("\n".join(devices(chosen, demands, Device(call, row))))


def arguments() -> argparse.ArgumentParser:
    """What may be given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, required=True, help="rows a second, at the peak")
    parser.add_argument("--rows", default="1", help="rows of a request; several, separated by commas, are compared")
    parser.add_argument("--p99", type=float, default=0.05, help="seconds within which 99 %% are answered")
    parser.add_argument("--busy", type=float, default=0.7, help="share of a core's peak that is used at most")
    parser.add_argument("--cores", type=int, default=16, help="of a machine")
    parser.add_argument("--zones", type=int, default=3, help="of which one may be lost; 1: none")
    parser.add_argument("--models", default="", help="separated by commas; empty: all that were measured")
    parser.add_argument("--price", type=float, help="of a core for an hour: yours, in your currency")
    parser.add_argument("--device", help="microseconds of a batch and of each row in it on your device: 500,5")
    parser.add_argument("--costs", type=Path, default=MEASURED, help="the file of measured costs")
    parser.add_argument("--store", type=Path, help="measure its models now, instead of reading that file")
    parser.add_argument("--port", type=int, default=8500, help="of the server that is measured")
    parser.add_argument("--out", type=Path, default=MEASURED.parent, help="where what was measured goes")
    return parser


def table(models: Sequence[Costs], demands: Sequence[Demand], price: float | None) -> Iterator[str]:
    """Markdown: a line for each model and number of rows."""
    yield HEAD + (" price of a million rows |" if price else "")
    yield "|---" + "|--:" * (9 if price else 8) + "|"
    for costs in models:
        for demand in demands:
            try:
                found = fleet(costs, demand)
            except ValueError as error:
                yield f"| {costs.model} | {demand.rows} | none: {error} |"
                continue
            size = f"{found.cores:,} | {found.machines:,} | {found.memory_gb:.1f} | {found.gigabits:.3g}"
            money = f" {found.core_hours * price:.3g} |" if price else ""
            rates = f"{found.each:,.0f} | {found.each * demand.rows:,.0f}"
            yield f"| {costs.model} | {demand.rows} | {rates} | {size} | {found.core_hours:.3f} |{money}"


def devices(models: Sequence[Costs], demands: Sequence[Demand], device: Device) -> Iterator[str]:
    """Markdown: how many devices, and the cores that feed one."""
    yield DEVICES
    yield "|---" + "|--:" * 5 + "|"
    for costs in models:
        for demand in demands:
            told: Mapping[float, tuple[float, float]] = sensitivity(costs, device, demand.rows)
            for times, (rate, cores) in told.items():
                needed = f"{rate:,.0f} | {demand.rate / (demand.most_busy * rate):,.1f} | {cores:,.1f}"
                yield f"| {costs.model} | {demand.rows} | {times:g} × | {needed} |"


if __name__ == "__main__":
    main()
