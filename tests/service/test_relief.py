"""Who leaves and who comes, without a server: workers that wait for their models, and a parent whose workers end."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from flask import Flask

from service.server.relief import Relief
from tests.service.server import ROOT, environment


class Waiting(Relief):
    """A worker whose parent sees that it lives, as often as the test has it."""

    def __init__(self, relieves: bool, stands: Callable[[], bool]) -> None:
        self.relieves = relieves
        self.alive = True
        self.signs = 0
        self.tmp = SimpleNamespace(notify=self.notify)
        self.app = Flask("waiting")
        self.app.extensions["stands"] = stands

    def notify(self) -> None:
        self.signs += 1


def test_a_worker_waits_until_it_serves_what_others_do_and_shows_that_it_lives():
    """Or its parent would kill it: what it loads may take longer than any sign of life."""
    worker = Waiting(True, lambda: worker.signs == 3)
    worker.await_models(worker.app, lambda _: None)
    assert worker.signs == 3


def test_a_worker_that_is_told_to_leave_or_relieves_nobody_waits_for_nothing():
    alone = Waiting(False, lambda: False)
    alone.await_models(alone.app, lambda _: None)
    leaving = Waiting(True, lambda: False)
    leaving.await_models(leaving.app, lambda _: setattr(leaving, "alive", False))
    assert (alone.signs, leaving.signs) == (0, 1)


MASTER = """
import errno, os, subprocess, sys
from types import SimpleNamespace as Fake
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from service.master import Gunicorn, Master

def refuse(*_):
    raise OSError(errno.EMFILE, "Too many open files")

children = [subprocess.Popen(["sh", "-c", f"exit {Arbiter.WORKER_BOOT_ERROR}"]) for _ in range(3)]
for child in children:
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
serves = Fake(age=1, settled=True, leaving=False)
master = Master(Gunicorn({"workers": 2}, ""))
master.WORKERS = {child.pid: Fake(age=2, settled=False, leaving=False, be_last=int) for child in children}
"""


def master(script: str, folder: Path) -> str:
    """What a parent logs, of whose three workers each has just failed to start."""
    variables = environment() | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", MASTER + script], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_workers_that_fail_to_start_together_are_all_forgotten_where_another_serves(tmp_path: Path):
    script = """
master.WORKERS[1] = serves
master.reap_workers()
assert list(master.WORKERS.values()) == [serves]
"""
    assert master(script, tmp_path).count("Worker failed to boot. The others go on") == 3


def test_where_none_serves_the_server_ends_in_order(tmp_path: Path):
    """It halts for the first, and hears of the others as it does."""
    script = """
try:
    master.reap_workers()
except HaltServer:
    master.stop()
    assert not master.WORKERS
    sys.exit(0)
sys.exit("it goes on")
"""
    master(script, tmp_path)


def test_a_system_that_allows_no_more_processes_does_not_end_the_server(tmp_path: Path):
    script = """
master.WORKERS = {1: serves}
master.pid, master.LISTENERS, master.worker_class = 0, [], refuse
master.manage_workers()
master.manage_workers()
"""
    assert master(script, tmp_path).count("No worker can be started (Too many open files)") == 1


def test_a_second_server_that_cannot_be_started_does_not_end_the_first(tmp_path: Path):
    """In its own process gunicorn would end the first one's workers."""
    script = """
parent = os.getpid()
master.WORKERS, master.LISTENERS = {1: serves}, []
master.START_CTX["cwd"] = "/no/such/folder"
master.reexec()
assert os.getpid() == parent
_, status = os.waitpid(master.reexec_pid, 0)
assert os.waitstatus_to_exitcode(status) == 1
"""
    assert "No second server can be started: [Errno 2]" in master(script, tmp_path)
