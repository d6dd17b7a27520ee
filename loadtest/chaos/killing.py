"""Faults of processes: killed, stopped, replaced."""

import os
import random
import signal
import time

from loadtest.chaos import processes
from loadtest.chaos.scene import Scene
from loadtest.chaos.waiting import Stuck, until

LOADING = 30.0
"""Seconds in which a worker must come back."""


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
