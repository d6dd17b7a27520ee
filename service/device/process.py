"""The process of one device, as an app of gunicorn's "dirty" workers: gunicorn starts it, restarts it and ends it.

Batches do not go through gunicorn's own sockets for such apps: its arbiter gives a process one request at a time, and
takes every one apart in Python on the way. Each process listens on a socket of its own instead (docs/design.md).
"""

import contextlib
import fcntl
import importlib
import logging
import os
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from gunicorn.dirty.app import DirtyApp

from service import golden, logs, settings
from service.device import placement
from service.device.host import Host
from service.device.placement import Device
from service.engines.base import Engine
from service.metrics.memory import tell_memory
from service.versions import manifest

LOG = logging.getLogger("manifold.device")
LOOK = 0.2
"""Seconds between two looks for a device without a process, and between two at the parent."""
LOOKS = 300
"""So many are enough for what should have come long ago."""
READY = "ready"
"""The file whose lock says that a process stands by."""

Claim = tuple[Device, TextIO]


class DeviceProcess(DirtyApp):  # type: ignore[misc]
    """Claims a device that has no process, and serves it. `init` returns at once, whatever loading takes."""

    host: Host | None = None

    def init(self) -> None:
        self.settings = settings.read(os.environ)
        logs.begin(self.settings.log_level)
        threading.Thread(target=self._begin, args=[os.getppid()], name="device", daemon=True).start()

    def close(self) -> None:
        """Stay until the HTTP workers have gone: they drain while gunicorn ends everything at once."""
        if self.host is not None:
            self.host.drain(self.settings.graceful_timeout)
            self.host.close()

    def _begin(self, parent: int) -> None:
        folder = placement.folder(os.environ)
        devices = placement.place(self.settings, placement.visible_here(), tensorflow=True)
        found = None if stands_by(folder) else claim(folder, devices)
        device, _claim = found or stand_by(folder, devices, parent)
        os.environ["CUDA_VISIBLE_DEVICES"] = device.mask  # TensorFlow looks at its first call, not at its import
        threads = self.settings.engine_threads or max(1, settings.cores() // len(devices))
        trusted = manifest.public_keys(self.settings.trusted)
        load = partial(loaded, device=device, threads=threads, xla=self.settings.xla == "on", trusted=trusted)

        def load_and_tell(version: Path) -> Engine:
            engine = load(version)
            placement.serves_of(folder, device.name).touch()
            return engine

        self.host = Host(placement.socket_of(folder, device.name), load_and_tell)
        LOG.info("Process %s serves %s", os.getpid(), device.name)
        while os.getppid() == parent and self.host.longest() < self.settings.engine_timeout:
            tell_memory(self.host.engines())
            time.sleep(LOOK)
        if os.getppid() == parent:
            LOG.error(
                "A call on %s takes longer than %g s: its process ends", device.name, self.settings.engine_timeout
            )
        else:  # gunicorn's arbiter of such processes was killed: its successor's wait for the device
            with contextlib.suppress(FileNotFoundError):  # the server has ended, and its folder is gone
                relief(folder, parent)
        os._exit(1)


def claim(folder: Path, devices: Sequence[Device]) -> Claim | None:
    """The first device that no living process has, and the file that keeps it ours."""
    for device in devices:
        file = locked(placement.lock_of(folder, device.name), os.getpid())
        if file is not None:
            return device, file
    return None


def stand_by(folder: Path, devices: Sequence[Device], parent: int) -> Claim:
    """Load TensorFlow, which takes longest, but see to no device; then wait for one that has no process.

    It begins once the devices serve, so that it takes no time from those that load for the first time.
    """
    for _ in range(LOOKS):
        if all(placement.serves_of(folder, device.name).exists() for device in devices):
            break
        found = claim(folder, devices)
        if found is not None:
            return found
        time.sleep(LOOK)
    importlib.import_module("service.engines.saved_model")
    LOG.info("Process %s stands by", os.getpid())
    ready = None
    while os.getppid() == parent:
        ready = ready or locked(folder / READY, parent)
        found = claim(folder, devices)
        if found is not None:
            if ready is not None:
                ready.close()
            return found
        time.sleep(LOOK)
    os._exit(1)


def stands_by(folder: Path) -> bool:
    """Whether a process waits for a device, with TensorFlow loaded."""
    file = locked(folder / READY)
    if file is not None:
        file.close()
    return file is None


def relief(folder: Path, parent: int) -> None:
    """Return when a process of another parent stands by to take the device, or should have done so long ago."""
    for _ in range(LOOKS):
        if stands_by(folder) and (folder / READY).read_text() != f"{parent}\n":
            return
        time.sleep(LOOK)


def locked(path: Path, process: int | None = None) -> TextIO | None:
    """The file, locked until it is closed or the process ends, with this id in it; none if another has it."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    if process is not None:
        file.truncate(0)
        print(process, file=file, flush=True)
    return file


def loaded(folder: Path, device: Device, threads: int, xla: bool, trusted: Sequence[bytes] = ()) -> Engine:
    """The SavedModel on this device, once it has answered its golden rows; whatever that raises."""
    from service.engines.saved_model import SavedModelEngine

    manifest.check(folder, folder.parent.parent, trusted)
    engine = SavedModelEngine(folder, threads, device.name, xla)
    try:
        golden.check(engine, golden.read(folder))
    except BaseException:
        engine.close()
        raise
    return engine
