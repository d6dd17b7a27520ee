"""What goes wrong, one function per fault: it does it, and says when that was done."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loadtest.chaos import flooding, guests, processes, variant
from loadtest.chaos.checker import Checker
from loadtest.chaos.door import Door
from loadtest.chaos.probe import Probe
from loadtest.chaos.questions import Question
from loadtest.chaos.stage import QUICK, SLOW, Stage, Stuck, until

KNOWN = 1.5
"""Seconds after which every worker has seen a change of the keys."""
FLOOD = 96
"""Connections: three times the 32 that saturate two cores (docs/performance.md)."""
WATCHED = 2.5
"""Seconds in which a change of the store or the policy is seen by every worker."""
BROKEN_VERSION = 9
LOADING = 30.0
"""Seconds in which a worker must come back."""


@dataclass
class Scene:
    """What a fault has to work with."""

    stage: Stage
    checker: Checker
    probe: Probe
    questions: Sequence[Question]
    rng: random.Random

    def newest(self) -> Mapping[str, int]:
        """What every model must be answered by."""
        return {model: max(self.checker.versions.now(model)) for model in self.models()}

    def models(self) -> list[str]:
        """The models that clients ask."""
        return sorted({question.model for question in self.questions})

    def victim(self) -> int:
        """One of the workers."""
        return self.rng.choice(self.stage.living())

    def devices(self) -> list[int]:
        """The processes of all devices, once there are as many as at the start."""
        stage = self.stage
        until(
            "every device has a process", lambda: len(processes.devices(stage.master, stage.door.port)) >= stage.devices
        )
        return processes.devices(stage.master, stage.door.port)

    def both(self, model: str) -> Sequence[int]:
        """The versions that questions of a model know, the first one first."""
        return sorted(next(question.answers for question in self.questions if question.model == model))

    def model(self) -> str:
        """One of the models that have two versions."""
        return self.rng.choice([model for model in self.models() if model not in (QUICK, SLOW)])


@dataclass(frozen=True)
class Fault:
    """`act` does it, and returns the time.monotonic() second from which recovery counts, or None: from its beginning.

    `excuses` are what clients may get from the beginning until everything is as it should be again.
    """

    name: str
    act: Callable[[Scene], float | None]
    excuses: Sequence[int | str] = ()
    crowded: bool = False
    """Whether many requests are to be in flight when it comes."""
    bound: float = 5.0
    """Seconds from its end until every worker answers every model rightly, at most, on a machine that is not busy."""


def kill_worker(scene: Scene) -> None:
    os.kill(scene.victim(), signal.SIGKILL)


def kill_loading(scene: Scene) -> float:
    """A worker, and then the one that takes its place, while it loads."""
    before = set(processes.children(scene.stage.master))
    os.kill(scene.victim(), signal.SIGKILL)
    until("another worker starts", lambda: fresh(scene, before), LOADING)
    time.sleep(scene.rng.uniform(0.1, 1.0))
    os.kill(next(iter(fresh(scene, before))), signal.SIGKILL)
    return time.monotonic()


def fresh(scene: Scene, before: set[int]) -> set[int]:
    """Children that were not there before."""
    return set(processes.children(scene.stage.master)) - before


def stop_worker(scene: Scene) -> float:
    """SIGSTOP, and after a while SIGCONT."""
    return pause(scene.victim(), scene.rng)


def pause(pid: int, rng: random.Random) -> float:
    """Let a process stand still for a while; the second when it went on."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(rng.uniform(0.5, 3))
    os.kill(pid, signal.SIGCONT)
    return time.monotonic()


def reload(scene: Scene) -> float:
    """SIGHUP: every worker is replaced, the old ones leave once the new ones listen."""
    before = set(scene.stage.living())
    os.kill(scene.stage.master, signal.SIGHUP)
    until("the old workers end", lambda: not before & set(processes.children(scene.stage.master)))
    return time.monotonic()


def upgrade(scene: Scene) -> float:
    """SIGUSR2: another server takes the sockets over; then the old one gets its SIGTERM.

    Every worker makes its own socket for gRPC, once its models stand.
    """
    stage, old = scene.stage, scene.stage.master
    os.kill(old, signal.SIGUSR2)
    until("a new server starts", lambda: processes.successor(old))
    new = processes.successor(old)
    assert new is not None
    until("its workers listen", lambda: len(processes.workers(new, stage.door.grpc_port)) == stage.workers)
    os.kill(old, signal.SIGTERM)
    began = time.monotonic()
    until("the old server ends", lambda: not stage.alive())
    stage.master = new
    return began


def restart(scene: Scene) -> float:
    """SIGTERM, and a start once it has ended."""
    scene.stage.stop()
    ended = time.monotonic()
    scene.stage.start()
    return ended


def publish(scene: Scene) -> float:
    """Another version of a model: published, rolled back to the first, or wanted again."""
    return exchange(scene, scene.model())


def exchange(scene: Scene, model: str) -> float:
    """Change which of two versions answers; the second when it was changed."""
    first, second = versions = scene.both(model)
    back = second in scene.checker.versions.now(model)
    scene.checker.versions.allow(model, *versions)
    if back:
        scene.stage.operate("rollback", model)
    elif second in scene.stage.published(model):
        scene.stage.operate("policy", model, "--versions", "default")
    else:
        scene.stage.publish(model, second)
    began = time.monotonic()
    settle(scene, model, first if back else second)
    return began


def settle(scene: Scene, model: str, version: int) -> None:
    """Wait until a version answers in every worker; from then on no other may."""
    scene.probe.settled({model: version})
    scene.checker.versions.allow(model, version)


def both_served(scene: Scene) -> tuple[str, int, int]:
    """A model whose second version answers, its first one beside it."""
    model = scene.model()
    first, second = scene.both(model)
    if second not in scene.checker.versions.now(model):
        exchange(scene, model)
    return model, first, second


def canary(scene: Scene) -> float:
    """A part of the requests goes to another version for a while."""
    model, first, second = both_served(scene)
    scene.checker.versions.allow(model, first, second)
    scene.stage.operate("policy", model, "--canary", f"{second}=40")
    scene.probe.settled({model: first})
    scene.probe.settled({model: second})
    scene.stage.operate("policy", model, "--canary", "none")
    began = time.monotonic()
    time.sleep(WATCHED)
    settle(scene, model, second)
    return began


def shadow(scene: Scene) -> float:
    """A version is asked for a while as well, and nobody sees it."""
    model, first, second = both_served(scene)
    scene.checker.versions.allow(model, first, second)
    scene.stage.operate("policy", model, "--shadow", str(second))
    settle(scene, model, first)
    time.sleep(WATCHED)
    scene.checker.versions.allow(model, first, second)
    scene.stage.operate("policy", model, "--shadow", "none")
    began = time.monotonic()
    settle(scene, model, second)
    return began


def publish_broken(scene: Scene, model: str = "") -> float:
    """A version that cannot be served, or must not: it is refused with a reason, and nothing else changes."""
    model = model or scene.model()
    name = scene.rng.choice(list(variant.BROKEN))
    first, number = min(scene.both(model)), BROKEN_VERSION
    if pinned(scene, model):
        exchange(scene, model)  # else nobody wants another version, and it is not tried
    variant.BROKEN[name](scene.stage.shelf / model / str(first), scene.stage.store / model / str(number))
    until("it is refused", lambda: scene.stage.versions(model).get(number, {}).get("reason"))
    began = time.monotonic()
    scene.stage.withdraw(model, number)
    return began


def pinned(scene: Scene, model: str) -> bool:
    """Whether it was rolled back."""
    return not set(scene.stage.published(model)) <= {*scene.checker.versions.now(model), min(scene.both(model))}


def unload(scene: Scene, model: str = "") -> float:
    """A model goes and comes back, by calls."""
    model = model or scene.model()
    versions = scene.both(model)
    with scene.checker.excuses.excused(404, 503, model=model):
        told(scene, model, "unload")
        scene.probe.settled({model: 0})
        scene.checker.versions.allow(model, *versions)
        began = time.monotonic()
        told(scene, model, "load")
        settle(scene, model, max(scene.stage.published(model)))
    return began


def told(scene: Scene, model: str, what: str) -> None:
    """Have a model loaded or unloaded; Stuck if that is refused."""
    status, said = scene.stage.command(model, what)
    if status != 200:
        raise Stuck(f"{what} {model}: {status} {said}")


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


def rotate_keys(scene: Scene) -> float:
    """Clients get another key; then the old one is taken away, and opens nothing any more."""
    stage = scene.stage
    old = Door(stage.door.port, key=stage.door.key)
    before = stage.change_keys("list").splitlines()
    key = stage.new_key("clients", "predict")
    until("the new key is known", lambda: guests.opens(Door(stage.door.port, key=key), scene.questions))
    time.sleep(KNOWN)
    stage.door.key = key
    time.sleep(KNOWN)
    began = time.monotonic()
    digest = next(line.split()[1] for line in before if line.startswith("clients "))
    stage.change_keys("remove", "clients", "--sha256", digest)
    until("the old key is refused", lambda: not guests.opens(old, scene.questions))
    return began


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


def kill_device(scene: Scene) -> None:
    """kill -9 the process of a device."""
    os.kill(scene.rng.choice(scene.devices()), signal.SIGKILL)


def kill_devices(scene: Scene) -> None:
    """kill -9 the parent of the devices' processes: all of them end, and import TensorFlow anew."""
    parent = processes.parent_of_devices(scene.stage.master, scene.stage.door.port)
    if parent is None:
        raise Stuck("the processes of devices have no parent")
    os.kill(parent, signal.SIGKILL)


def stop_device(scene: Scene) -> float:
    """SIGSTOP, and after a while SIGCONT."""
    return pause(scene.rng.choice(scene.devices()), scene.rng)


BROKEN = ("closed", "cut")

FAULTS = (
    Fault("kill -9 a worker", kill_worker, BROKEN, crowded=True),
    Fault("kill -9 a worker and then the next while it loads", kill_loading, BROKEN, crowded=True),
    Fault("SIGSTOP and SIGCONT a worker", stop_worker, crowded=True),
    Fault("SIGHUP", reload, crowded=True),
    Fault("SIGUSR2 and SIGTERM to the old server", upgrade, crowded=True),
    Fault("SIGTERM and a start", restart, ("closed", "refused", 503), crowded=True),
    Fault("a version is published or rolled back", publish, bound=10.0),
    Fault("a canary comes and goes", canary, bound=10.0),
    Fault("a shadow comes and goes", shadow, bound=10.0),
    Fault("a broken version is published", publish_broken),
    Fault("a model is unloaded and loaded", unload),
    Fault("flood: three times the connections", flood, (429, 503, 504)),
    Fault("slow clients", slow_clients),
    Fault("clients that leave", leavers),
    Fault("hostile bodies", hostile),
    Fault("keys are rotated", rotate_keys),
    Fault("poisoned requests", poison),
    Fault("a call that never ends on the event loop", hang_on_loop, BROKEN),
    Fault("a call that never ends on a thread", hang_on_thread, BROKEN),
    Fault("the store vanishes", store_vanishes),
    Fault("kill -9 a worker while the store is away", kill_without_store, (*BROKEN, 503), bound=15.0),
)

DEVICE_FAULTS = (
    Fault("kill -9 a device's process", kill_device, (503,), crowded=True),
    Fault("kill -9 the parent of the devices' processes", kill_devices, (503,), crowded=True, bound=30.0),
    Fault("SIGSTOP and SIGCONT a device's process", stop_device, (503,), crowded=True),
    Fault("kill -9 a worker beside devices", kill_worker, BROKEN, crowded=True),
)
