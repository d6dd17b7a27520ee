"""Who has a device, who stands by to take it over, and when who had it may leave: told by locks on files.

A lock ends with its process, however that ends. The files lie in the server's own temporary folder.
"""

import contextlib
import fcntl
import importlib
import logging
import os
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TextIO

from service.device import placement
from service.device.placement import Device

LOG = logging.getLogger("manifold.device")
LOOK = 0.2
"""Seconds between two looks for a device without a process, and between two at the parent."""
LOOKS = 300
"""After so many there is no model that the devices could load first."""
READY = "ready"
"""The file whose lock says that a process stands by."""
IMPORTING = "importing"
"""The file whose lock says that a process that shall stand by loads TensorFlow: one at a time, it takes a core."""
LEAVING = "leaving"
"""The file whose lock says that a process hands its device over: one at a time."""

Claim = tuple[Device, TextIO]


def claim(folder: Path, devices: Sequence[Device]) -> Claim | None:
    """The first device that no living process has, and the file that keeps it ours."""
    for device in devices:
        file = locked(placement.lock_of(folder, device.name), os.getpid())
        if file is not None:
            tell(folder, device, [])
            return device, file
    return None


def take(folder: Path, devices: Sequence[Device], parent: int) -> Claim:
    """A device that has no process and for which none stands by; where there is none, stand by for the next.

    To stand by is to load TensorFlow, which takes longest, but to see to no device. It begins once the devices serve,
    so that it takes no time from those that load for the first time.
    """
    has_it, ready, looks = False, None, 0
    while os.getppid() == parent:
        found = claim(folder, devices) if has_it or not stands_by(folder) else None
        if found is not None:
            if ready is not None:
                ready.close()
            return found
        if has_it:
            ready = ready or locked(folder / READY, parent)
        elif looks > LOOKS or all(told(folder, device) for device in devices):
            has_it = load_tensorflow(folder)
        looks += 1
        time.sleep(LOOK)
    os._exit(1)


def load_tensorflow(folder: Path) -> bool:
    """Import it unless another process does so now."""
    turn = locked(folder / IMPORTING)
    if turn is None:
        return False
    with turn:
        importlib.import_module("service.engines.saved_model")
    LOG.info("Process %s stands by", os.getpid())
    return True


def stands_by(folder: Path) -> bool:
    """Whether a process waits for a device, with TensorFlow loaded. Who looks shares the lock with others who look."""
    file = locked(folder / READY, kind=fcntl.LOCK_SH)
    if file is not None:
        file.close()
    return file is None


def relief(
    folder: Path, parent: int, device: Device, devices: Sequence[Device], needed: Callable[[], bool]
) -> TextIO | None:
    """Wait until another parent's process stands by for the device, and all others have its models.

    Returns the lock that keeps others from leaving meanwhile; none if this device is `needed` no longer.
    """
    others = [other for other in devices if other != device]
    turn = None
    while needed():
        turn = turn or locked(folder / LEAVING)
        stands = stands_by(folder) and (folder / READY).read_text() != f"{parent}\n"
        if turn and stands and all(told(folder, device) <= told(folder, other) for other in others):
            return turn
        time.sleep(LOOK)
    if turn is not None:
        turn.close()
    return None


def tell(folder: Path, device: Device, models: Collection[str]) -> None:
    """Let other processes know which models a device has."""
    with contextlib.suppress(FileNotFoundError):  # the server has ended, and its folder is gone
        placement.serves_of(folder, device.name).write_text("\n".join(models))


def told(folder: Path, device: Device) -> set[str]:
    """The models that a device has."""
    file = placement.serves_of(folder, device.name)
    return set(file.read_text().split("\n")) - {""} if file.exists() else set()


def locked(path: Path, process: int | None = None, kind: int = fcntl.LOCK_EX) -> TextIO | None:
    """The file, locked until it is closed or the process ends, with this id in it; none if another has it."""
    file = path.open("a+")
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    if process is not None:
        file.truncate(0)
        print(process, file=file, flush=True)
    return file
