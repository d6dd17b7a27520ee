"""gunicorn's arbiter, the parent of the workers, for a service that must not pause: who leaves is relieved first."""

import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.glogging import Logger

from service import logs
from service.storage.keeper import Keeper

AGAIN = 5.0
"""Seconds until another worker is tried after one that could not start, while others serve."""


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, of all its processes, in JSON."""

    def _set_handler(self, log: Any, output: str | None, fmt: Any, stream: Any = None) -> None:
        super()._set_handler(log, output, logs.JSON, stream)


class Gunicorn(BaseApplication):  # type: ignore[misc]
    """gunicorn with this service's settings."""

    def __init__(self, configuration: Mapping[str, Any], greeting: str, keeper: Keeper | None = None) -> None:
        self._configuration = configuration
        self._greeting = greeting
        self._keeper = keeper
        self._folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._configuration.items():
            self.cfg.set(name, value)
        self.cfg.set("pre_fork", prepare)
        self.cfg.set("when_ready", self._greet)
        self.cfg.set("child_exit", lambda _arbiter, _worker: bury(Path(self._folder)))
        self.cfg.set("on_exit", lambda _: self._end())

    def _greet(self, arbiter: Any) -> None:
        """On stdout for people; to the log where that is for machines."""
        if isinstance(arbiter.log, JsonLogger):
            arbiter.log.info("%s", self._greeting)
        else:
            print(self._greeting, flush=True)

    def load(self) -> Any:
        from service.wsgi import app

        return app

    def run(self) -> None:
        Master(self).run()

    def tend(self) -> None:
        """Keep the process that pulls alive, if there is one, and what each that has ended had counted."""
        if self._keeper and self._keeper.tend():
            bury(Path(self._folder))

    def _end(self) -> None:
        if self._keeper:
            self._keeper.end()
        shutil.rmtree(self._folder, ignore_errors=True)


class Master(Arbiter):  # type: ignore[misc]
    """Old workers leave once as many younger ones listen; one that cannot start ends the server only if none serves."""

    def __init__(self, app: Gunicorn) -> None:
        super().__init__(app)
        self.START_CTX["args"] = [sys.executable, *sys.orig_argv[1:]]  # `-m service`, where sys.argv has a file's name
        self._not_before = 0.0
        self._halts = False

    def stop(self, graceful: bool = True) -> None:
        """End, and tell the workers that nobody listens after them, unless another server has the sockets, too."""
        if not (self.master_pid or self.reexec_pid or self.systemd):
            for worker in self.WORKERS.values():
                worker.be_last()
        super().stop(graceful)

    def reload(self) -> None:
        """SIGHUP: replace every worker; those that do not listen yet leave at once, where others do."""
        staying = self.staying()
        if any(worker.settled for worker in staying):
            for worker in staying:
                if not worker.settled:
                    self.dismiss(worker)
        for _ in range(self.num_workers):
            self.spawn_worker()

    def manage_workers(self) -> None:
        """Have as many workers as wanted; of more, the oldest leave when enough younger ones listen."""
        self.app.tend()
        if time.monotonic() >= self._not_before:
            for _ in range(self.num_workers - len(self.staying())):
                self.spawn_worker()
        settled = [worker for worker in self.staying() if worker.settled]
        if len(settled) >= self.num_workers:
            youngest = settled[-self.num_workers].age
            for worker in self.staying():
                if worker.age < youngest:
                    self.dismiss(worker)

    def spawn_worker(self) -> int:
        """Start one, 0 if the system allows none now.

        Until it can hear a SIGTERM, the kernel keeps that: a handler of ours in its process would lose it.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        pid = 0
        try:
            pid = super().spawn_worker()  # in the worker's process this does not return
        except OSError as error:
            self._rest(f"No worker can be started ({error.strerror}).")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        return pid

    def reap_workers(self) -> None:
        """Whoever has ended, all of them: gunicorn stops at the first that could not start."""
        while True:
            try:
                super().reap_workers()
            except HaltServer as error:
                serves = any(worker.settled for worker in self.staying())
                if not serves and not self._halts:
                    self._halts = True  # on the way out more may fail
                    raise
                self._rest(error.reason)
            else:
                return

    def reexec(self) -> None:
        """SIGUSR2: start a second server. A process that cannot become one ends, and nothing of this one's with it."""
        parent = os.getpid()
        try:
            super().reexec()
        except OSError as error:
            self.log.error("No second server can be started: %s", error)
            if os.getpid() != parent:
                os._exit(1)

    def _rest(self, reason: str) -> None:
        """Start no worker for a while."""
        self.log.error("%s The others go on; the next is tried in %g s", reason, AGAIN)
        self._not_before = time.monotonic() + AGAIN

    def staying(self) -> list[Any]:
        """The workers that do not leave, the oldest first."""
        return sorted((one for one in self.WORKERS.values() if not one.leaving), key=lambda worker: worker.age)

    def dismiss(self, worker: Any) -> None:
        """Have a worker leave when it has answered what it accepted."""
        worker.dismissed = True
        self.kill_worker(worker.pid, signal.SIGTERM)


def bury(folder: Path) -> None:
    """gunicorn's child_exit: keeps what a dead worker counted."""
    from service import remains  # prometheus_client reads the environment as it is imported

    remains.merge(folder)


def prepare(arbiter: Master, worker: Any) -> None:
    """gunicorn's pre_fork: gives a worker its socket, and says whether others serve while it loads.

    Of the sockets that share the port, the one that fewest workers have becomes the worker's: the kernel spreads
    connections over sockets evenly; at a single one the first worker awake takes in all that come.
    """
    taken = Counter(other.slot for other in arbiter.WORKERS.values())
    worker.slot = min(range(len(worker.sockets)), key=lambda slot: taken[slot])
    worker.relieves = arbiter.master_pid != 0 or any(other.settled for other in arbiter.WORKERS.values())
