"""What runs beside the requests of a soak: calls over gRPC, reloads, and a look at the processes now and then."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.bench import processes
from loadtest.bench.client import Client
from loadtest.chaos import leftovers
from loadtest.chaos.checker import Checker
from loadtest.chaos.clients import Caller
from loadtest.chaos.door import Door
from loadtest.chaos.operating import exchange, publish_broken, unload
from loadtest.chaos.questions import Question
from loadtest.chaos.scene import Scene
from loadtest.chaos.waiting import Stuck

CALM = 4.0
"""Seconds between two rounds of reloads, in which memory is looked at."""


class Calls(threading.Thread):
    """gRPC, so many calls a second."""

    def __init__(self, door: Door, checker: Checker, questions: Sequence[Question], rate: float) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._ask, self._questions, self._rate = Caller(door, checker), questions, rate
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(1 / self._rate):
            self._ask(self._questions[self.count % len(self._questions)])
            self.count += 1

    def stop(self) -> None:
        self._stopped.set()
        self.join()


class Reloader(threading.Thread):
    """Publishes and rolls back, unloads and loads, and tries a broken version, again and again."""

    def __init__(self, scene: Scene, models: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self.counts: Counter[str] = Counter()
        self.calm = True
        """Whether everything is served as at the start."""
        self.visited = False
        """Whether every model has had its turn."""
        self._scene = scene
        self._twice = itertools.cycle(models)
        self._singles = [one for one in scene.models() if one not in models]
        self._rounds = 0
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            while not self._stopped.wait(CALM):
                self.calm = False
                self._round()
                self.calm = True
        except Stuck as stuck:
            self._scene.checker.violate(f"a reload: {stuck}")

    def _round(self) -> None:
        """Everything once; then all is as before."""
        model, single = next(self._twice), self._singles[self._rounds % len(self._singles)]
        for act, on in ((exchange, model), (publish_broken, model), (exchange, model), (unload, single)):
            act(self._scene, on)
            self.counts[act.__name__] += 1
        self._rounds += 1
        self.visited = self._rounds >= len(self._singles)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


class Watch:
    """Looks at the processes every so many seconds; called, it says how much was asked.

    They are warm when every model has been reloaded, and every question asked, which `once` requests do.
    """

    def __init__(self, pid: int, client: Client, reloader: Reloader, every: float, once: int) -> None:
        self.samples: list[Mapping[str, Any]] = []
        self._pid, self._client, self._reloader, self._every = pid, client, reloader, every
        self._once = once
        self._next = 0.0

    def __call__(self) -> int:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            self.look()
        return self._client.asked

    def look(self) -> None:
        """Take a sample, if nothing is being loaded."""
        if not self._reloader.calm:
            return
        self.samples.append(
            {
                "answered": len(self._client.latencies),
                "warm": self._reloader.visited and self._client.asked >= self._once,
                "held": {str(pid): leftovers.held(pid) for pid in processes.tree(self._pid)},
            }
        )
