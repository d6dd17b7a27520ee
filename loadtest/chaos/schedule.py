"""One fault after another, drawn by a seed, each with the time it took to recover."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadtest.chaos.clients import Burst
from loadtest.chaos.scene import Fault, Scene

CALM = 0.4
"""Seconds between two faults in which nothing is excused."""
IN_FLIGHT = 24
"""Requests that are under way when a fault comes that wants them."""


@dataclass(frozen=True)
class Event:
    """A fault that came: when, how long until all was well, and what became of the requests meanwhile."""

    fault: str
    at: float
    recovery: float
    counts: dict[str, int]
    in_flight: dict[str, int]


def drawn(faults: Sequence[Fault], rng: random.Random) -> Iterator[Fault]:
    """All of them in an order drawn by chance, again and again."""
    while True:
        yield from rng.sample(faults, len(faults))


def play(faults: Sequence[Fault], scene: Scene, seconds: float, patience: float, events: list[Event]) -> None:
    """Faults for so long, at least each of them once, added to `events`; Stuck if the service does not come back.

    `patience` is how many times its bound a fault's recovery may take.
    """
    begun = time.monotonic()
    for number, fault in enumerate(drawn(faults, scene.rng)):
        if number >= len(faults) and time.monotonic() - begun > seconds:
            return
        event = one(fault, scene, time.monotonic() - begun)
        if event.recovery > patience * fault.bound:
            scene.checker.violate(f"{fault.name}: well again after {event.recovery:.1f} s")
        events.append(event)
        print(
            f"  {event.at:6.1f} s  {fault.name}: {event.recovery:.2f} s, {event.counts}, {event.in_flight}", flush=True
        )
        time.sleep(CALM)


def one(fault: Fault, scene: Scene, at: float) -> Event:
    """Let a fault come, and wait until all is well."""
    checker = scene.checker
    checker.during = f"event at {at:.1f} s: {fault.name}"
    before = Counter(checker.counts)
    burst = burst_of(scene) if fault.crowded else None
    in_flight: Counter[str] = Counter()
    with checker.excuses.excused(*fault.excuses):
        begun = time.monotonic()
        try:
            if burst:
                burst.begin()
            begun = fault.act(scene) or begun
        finally:
            if burst:
                in_flight = burst.finish()
        well = scene.probe.settled(scene.newest())
    counts = Counter(checker.counts)
    counts.subtract(before)
    return Event(fault.name, round(at, 1), round(max(0.0, well - begun), 3), positive(counts), positive(in_flight))


def burst_of(scene: Scene) -> Burst:
    """Requests about to be under way."""
    asked = [one for one in scene.questions if one.form != "grpc" and one.version is None]
    return Burst(scene.stage.door, scene.checker, scene.rng.sample(asked, min(len(asked), IN_FLIGHT)), IN_FLIGHT)


def positive(counts: Counter[str]) -> dict[str, int]:
    """What there was any of."""
    return {name: count for name, count in sorted(counts.items()) if count > 0}
