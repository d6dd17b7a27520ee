"""From costs to a fleet: cores, machines, memory, network and, at a price of yours, money. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from loadtest.capacity.costs import Costs
from loadtest.capacity.worker import rate_within

HOUR = 3600.0
MILLION = 1e6
CROSSING = 300e-6
"""Processor seconds of a batch that crosses to a device's process: 0.17 to 0.40 ms were measured (docs/gpu.md)."""


@dataclass(frozen=True)
class Demand:
    """What is asked: rows a second, how many of them a request has, seconds of the 99th percentile; and how it is met:
    the share of a core's peak that is used at most, cores of a machine, zones of which one may be lost."""

    rate: float
    rows: int = 1
    p99: float = 0.1
    most_busy: float = 0.7
    cores: int = 16
    zones: int = 3

    @property
    def requests(self) -> float:
        """Requests a second."""
        return self.rate / self.rows


@dataclass(frozen=True)
class Fleet:
    """What meets a demand."""

    each: float
    """Requests a second of a core."""
    cores: int
    """At work while nothing is lost."""
    machines: int
    """In all zones together, with what carries a lost zone."""
    memory_gb: float
    """Of a machine."""
    gigabits: float
    """A second, both ways, over all machines."""
    core_hours: float
    """For a million rows, of all machines, however busy."""


def fleet(costs: Costs, demand: Demand) -> Fleet:
    """The fleet; ValueError if no core can answer in time."""
    each = rate_within(costs, demand.p99, demand.rows, demand.most_busy)
    if not each:
        told = f"{1e3 * costs.turn(1, demand.rows):.3g} ms"
        raise ValueError(
            f"{costs.model} takes {told} for a request on an idle core: a p99 of {demand.p99:g} s cannot be"
        )
    cores = ceil(demand.requests / each)
    machines = spread(ceil(cores / demand.cores), demand.zones)
    size = demand.rows * (costs.asked_bytes + costs.told_bytes)
    return Fleet(
        each=each,
        cores=cores,
        machines=machines,
        memory_gb=(costs.base_mb + demand.cores * costs.worker_mb) / 1024,
        gigabits=8 * size * demand.requests / 1e9,
        core_hours=machines * demand.cores * MILLION / demand.rate / HOUR,
    )


def spread(machines: int, zones: int) -> int:
    """So many machines in all that without one of the zones as many are left as are needed.

    >>> spread(10, 3), spread(1, 3), spread(10, 1)
    (15, 3, 10)
    """
    return zones * ceil(machines / max(zones - 1, 1))


@dataclass(frozen=True)
class Device:
    """An accelerator, by what a batch of n rows takes: `call` + n · `row` seconds. Nobody measured one here: these are
    assumptions of whoever asks."""

    call: float
    row: float
    most_rows: int = 64

    def rate(self) -> float:
        """Rows a second with full batches.

        >>> Device(call=0.001, row=0.0, most_rows=64).rate()
        64000.0
        """
        return self.most_rows / (self.call + self.most_rows * self.row)


def feeding(costs: Costs, device: Device, rows: int) -> float:
    """Cores that read, cross and answer what one device computes, in requests of so many rows.

    The engine's share of the costs is the device's; a turn of the loop takes in what a batch holds.
    """
    turn = (costs.loop + CROSSING) / device.most_rows
    return device.rate() * (turn + costs.request / rows + costs.request_row)


def sensitivity(costs: Costs, device: Device, rows: int) -> Mapping[float, tuple[float, float]]:
    """Rows a second of a device, and the cores that feed it, should a batch take half, as long or twice as long."""
    found = {}
    for times in (0.5, 1.0, 2.0):
        other = Device(times * device.call, times * device.row, device.most_rows)
        found[times] = (other.rate(), feeding(costs, other, rows))
    return found
