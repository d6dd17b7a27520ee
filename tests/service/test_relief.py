"""Who leaves and who comes, without a server: workers that wait for their models, and a parent whose workers end."""

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

from flask import Flask

from service.server.relief import Relief
from tests.service.server import ROOT


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


REAPS = """
import logging, os, subprocess
from types import SimpleNamespace as Fake
from gunicorn.arbiter import Arbiter
from service.master import Master

children = [subprocess.Popen(["sh", "-c", f"exit {Arbiter.WORKER_BOOT_ERROR}"]) for _ in range(3)]
for child in children:
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
serves = Fake(age=1, settled=True, leaving=False)
master = Master.__new__(Master)
master.reexec_pid = master.dirty_arbiter_pid = 0
master.log = logging.getLogger()
master.WORKERS = {1: serves} | {child.pid: Fake(age=2, settled=False, leaving=False) for child in children}
master.reap_workers()
assert list(master.WORKERS.values()) == [serves], master.WORKERS
"""


def test_workers_that_fail_to_start_together_are_all_replaced_later():
    done = subprocess.run([sys.executable, "-c", REAPS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("The others go on") == 3
