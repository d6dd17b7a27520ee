"""The process of one device, as an app of gunicorn's "dirty" workers: gunicorn starts it, restarts it and ends it.

Batches do not go through gunicorn's own sockets for such apps: its arbiter gives a process one request at a time, and
takes every one apart in Python on the way. Each process listens on a socket of its own instead (docs/design.md).
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from gunicorn.dirty.app import DirtyApp

from service import golden, logs, manifest, settings
from service.device import placement
from service.device.host import Host
from service.device.placement import Device
from service.engines.base import Engine

LOG = logging.getLogger("manifold.device")
LOOK = 0.2
"""Seconds between two looks for a device without a process, and between two at the parent."""


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
        device, _claim = claim(folder, devices)
        os.environ["CUDA_VISIBLE_DEVICES"] = device.mask  # before TensorFlow is loaded: it sees no other GPU
        threads = self.settings.engine_threads or max(1, settings.cores() // len(devices))
        trusted = manifest.public_keys(self.settings.trusted)
        load = partial(loaded, device=device, threads=threads, xla=self.settings.xla == "on", trusted=trusted)
        self.host = Host(placement.socket_of(folder, device.name), load)
        LOG.info("Process %s serves %s", os.getpid(), device.name)
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)  # gunicorn's arbiter of such processes was killed: its successor's process waits for the device


def claim(folder: Path, devices: Sequence[Device]) -> tuple[Device, TextIO]:
    """The first device that no living process has, and the file that keeps it ours; waits until there is one."""
    while True:
        for device in devices:
            file = placement.lock_of(folder, device.name).open("a+")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            file.truncate(0)
            print(os.getpid(), file=file, flush=True)
            return device, file
        time.sleep(LOOK)


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
