"""Everything that goes wrong, what it excuses, and how long it may take until all is well."""

import os
import signal
import time

from loadtest.chaos import flooding, guests, killing, operating
from loadtest.chaos.scene import Fault, Scene
from loadtest.chaos.stage import QUICK, SLOW
from loadtest.chaos.waiting import until

FLOOD = 96
"""Connections: three times the 32 that saturate two cores (docs/performance.md)."""


def flood(scene: Scene) -> float:
    """Three times the connections that saturate it, each asking again at once."""
    flooding.flood(scene.stage.door, scene.stage.questions, scene.checker, connections=FLOOD, seconds=3)
    return time.monotonic()


def slow_clients(scene: Scene) -> None:
    """Clients that send a header a second, and never come to an end."""
    guests.slow(scene.stage.door, connections=300, seconds=3)


def leavers(scene: Scene) -> None:
    """Clients that go in the middle of a request or of its answer."""
    guests.leave(scene.stage.door, scene.questions, scene.rng, times=300)


def hostile(scene: Scene) -> None:
    """Bodies that no client in its senses sends."""
    for wrong in guests.hostile(scene.stage.door, scene.questions, scene.rng, times=300):
        scene.checker.violate(wrong)


def store_vanishes(scene: Scene) -> float:
    """The disk of the store is away for a while; loading is refused with a reason, the rest goes on."""
    away = scene.stage.store.with_name("away")
    scene.stage.store.rename(away)
    try:
        status, said = scene.stage.command(scene.model(), "load")
        if not 400 <= status < 500:
            scene.checker.violate(f"a load without a store: {status} {said}")
        time.sleep(scene.rng.uniform(0.5, 2))
    finally:
        away.rename(scene.stage.store)
    return time.monotonic()


def kill_without_store(scene: Scene) -> float:
    """A worker is killed while the store is away: another comes once the store is back."""
    away = scene.stage.store.with_name("away")
    scene.stage.store.rename(away)
    try:
        os.kill(scene.victim(), signal.SIGKILL)
        time.sleep(scene.rng.uniform(2, 4))
    finally:
        away.rename(scene.stage.store)
    return time.monotonic()


def poison(scene: Scene) -> None:
    """Rows that make the model raise, return too little or no numbers: only those who sent them notice."""
    for wrong in guests.poisoned(scene.stage.door, scene.rng, times=60):
        scene.checker.violate(wrong)


def hang_on_loop(scene: Scene) -> float:
    """A row on which the model never ends, where it computes on the event loop: the worker is replaced."""
    return hang(scene, QUICK)


def hang_on_thread(scene: Scene) -> float:
    """The same on a thread: the others are answered meanwhile."""
    return hang(scene, SLOW)


def hang(scene: Scene, model: str) -> float:
    """Send such a row, and wait until it is given up."""
    before = scene.stage.living()
    with scene.checker.excuses.excused(503, model=model):
        guests.hang(scene.stage.door, model)
        until("the worker ends", lambda: set(before) - set(scene.stage.living()))
    return time.monotonic()


BROKEN = ("closed", "cut")

FAULTS = (
    Fault("kill -9 a worker", killing.kill_worker, BROKEN, crowded=True),
    Fault("kill -9 a worker and then the next while it loads", killing.kill_loading, BROKEN, crowded=True),
    Fault("SIGSTOP and SIGCONT a worker", killing.stop_worker, crowded=True),
    Fault("SIGHUP", killing.reload, crowded=True),
    Fault("SIGUSR2 and SIGTERM to the old server", killing.upgrade, crowded=True),
    Fault("SIGTERM and a start", killing.restart, ("closed", "refused", 503), crowded=True),
    Fault("a version is published or rolled back", operating.publish, bound=10.0),
    Fault("a canary comes and goes", operating.canary, bound=10.0),
    Fault("a shadow comes and goes", operating.shadow, bound=10.0),
    Fault("a broken version is published", operating.publish_broken),
    Fault("a model is unloaded and loaded", operating.unload, bound=10.0),
    Fault("flood: three times the connections", flood, (429, 503, 504)),
    Fault("slow clients", slow_clients),
    Fault("clients that leave", leavers),
    Fault("hostile bodies", hostile),
    Fault("keys are rotated", operating.rotate_keys),
    Fault("poisoned requests", poison),
    Fault("a call that never ends on the event loop", hang_on_loop, BROKEN),
    Fault("a call that never ends on a thread", hang_on_thread, BROKEN),
    Fault("the store vanishes", store_vanishes),
    Fault("kill -9 a worker while the store is away", kill_without_store, BROKEN, bound=15.0),
)

DEVICE_FAULTS = (
    Fault("kill -9 a device's process", killing.kill_device, (503,), crowded=True),
    Fault("kill -9 the parent of the devices' processes", killing.kill_devices, (503,), crowded=True, bound=30.0),
    Fault("SIGSTOP and SIGCONT a device's process", killing.stop_device, (503,), crowded=True),
    Fault("kill -9 a worker beside devices", killing.kill_worker, BROKEN, crowded=True, bound=10.0),
)
