"""The process of one device, as an app of gunicorn's "dirty" workers: gunicorn starts it, restarts it and ends it.

Batches do not go through gunicorn's own sockets for such apps: its arbiter gives a process one request at a time, and
takes every one apart in Python on the way. Each process listens on a socket of its own instead (docs/design.md).
"""

import logging
import os
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from gunicorn.dirty.app import DirtyApp

from service import cores, golden, logs, settings
from service.device import placement
from service.device.handover import LOOK, relief, take, tell
from service.device.host import Host
from service.device.placement import Device
from service.engines.base import Engine
from service.metrics.memory import tell_memory
from service.versions import manifest

LOG = logging.getLogger("manifold.device")


class DeviceProcess(DirtyApp):  # type: ignore[misc]
    """Claims a device that has no process, and serves it. `init` returns at once, whatever loading takes."""

    host: Host | None = None

    def init(self) -> None:
        self.settings = settings.read(os.environ)
        logs.begin(self.settings.log_level, self.settings.log_format)
        threading.Thread(target=self._begin, args=[os.getppid()], name="device", daemon=True).start()

    def close(self) -> None:
        """Stay until the HTTP workers have gone: they drain while gunicorn ends everything at once."""
        if self.host is not None:
            self.host.drain(self.settings.graceful_timeout)
            self.host.close()

    def _begin(self, parent: int) -> None:
        """Serve a device; whatever happens, the process ends with it, and another takes the device."""
        try:
            self._serve(parent)
        except FileNotFoundError:
            LOG.info("The server has ended, and its folder is gone")
        except Exception:
            LOG.exception("The process of a device ends")
        os._exit(1)

    def _serve(self, parent: int) -> None:
        folder = placement.folder(os.environ)
        devices = placement.place(self.settings, placement.visible_here(), tensorflow=True)
        device, _claim = take(folder, devices, parent)
        os.environ["CUDA_VISIBLE_DEVICES"] = device.mask  # TensorFlow looks at its first call, not at its import
        threads = self.settings.engine_threads or max(1, cores.count() // len(devices))
        trusted = manifest.public_keys(self.settings.trusted)
        load = partial(loaded, device=device, threads=threads, xla=self.settings.xla == "on", trusted=trusted)
        self.host = Host(placement.socket_of(folder, device.name), load, partial(tell, folder, device))
        LOG.info("Process %s serves %s", os.getpid(), device.name)
        self._stay(self.host, parent, device, devices)

    def _stay(self, host: Host, parent: int, device: Device, devices: Sequence[Device]) -> None:
        """Return when the device shall be served no more, or no longer by this process.

        If gunicorn's arbiter of such processes is killed, they serve on until its successor's can.
        """
        while os.getppid() == parent and not self._hangs(host, device):
            tell_memory(host.engines())
            time.sleep(LOOK)
        if os.getppid() != parent:
            folder = placement.folder(os.environ)
            needed = lambda: host.wanted and not self._hangs(host, device)  # noqa: E731
            _turn = relief(folder, parent, device, devices, needed)
            tell(folder, device, [])
            host.resign(self.settings.request_timeout)

    def _hangs(self, host: Host, device: Device) -> bool:
        """Whether a call takes too long."""
        seconds = self.settings.engine_timeout
        hangs = host.longest() >= seconds
        if hangs:
            LOG.error("A call on %s takes longer than %g s: its process ends", device.name, seconds)
        return hangs


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
