"""A second version that is asked what the first was asked, once the client has its answer, and is only compared.

What a request asked and was answered rests for a moment, then a thread gives it to the second version's batcher,
unless real requests wait there or here. What waits is bounded; beyond that, requests are skipped and counted.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from service import tensors
from service.batching.batcher import Clock
from service.batching.jobs import Answer, Job
from service.errors import ServiceError
from service.metrics import count_shadow
from service.telemetry.record import CURRENT, Record
from service.tensors import Group, Tensors
from service.versions.comparison import Comparison

if TYPE_CHECKING:
    from service.handle import ModelHandle

LOG = logging.getLogger("manifold.shadow")

REST = 0.05
"""Seconds in which the answer goes out to the client before the shadow is asked; and between two looks."""
MOST_ROWS = 256
"""Rows that wait for a shadow, at most."""
MOST_BYTES = 2**25
"""Bytes of their tensors, at most."""
PATIENCE = 30.0
"""Seconds that a shadow's answer may take."""

Begin = Callable[[Callable[[], None]], None]


class Asked(NamedTuple):
    """What a request asked, of whom, and what it was answered, group by group."""

    first: "ModelHandle"
    at: float
    groups: Sequence[tuple[Tensors, Tensors]]
    rows: int
    size: int
    record: Record | None


class Part(NamedTuple):
    """What the shadow is asked at once, and what the first version has answered to the same rows."""

    job: Job
    answered: Tensors


def on_a_thread(work: Callable[[], None]) -> None:
    """Have it done beside everything else."""
    threading.Thread(target=work, name="shadow", daemon=True).start()


class Shadow:
    """Of one served version: the version that is asked as well, if there is one."""

    target: "ModelHandle | None" = None
    """Set and cleared by the catalog at any time."""

    def __init__(self, begin: Begin = on_a_thread, clock: Clock = time.monotonic) -> None:
        self._begin = begin
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[Asked] = deque()
        self._rows = self._size = 0
        self._work = threading.Event()
        self._began = self._closed = False
        self._comparison: Comparison | None = None

    def offer(self, first: "ModelHandle", groups: Sequence[Group], answers: Sequence[Answer]) -> None:
        """Keep an answered request for the shadow, if there is room. It takes microseconds, and raises nothing."""
        try:
            asked = kept(first, self._clock(), groups, answers)
            with self._lock:
                room = self._rows + asked.rows <= MOST_ROWS and self._size + asked.size <= MOST_BYTES
                if room and not self._closed:
                    self._waiting.append(asked)
                    self._rows += asked.rows
                    self._size += asked.size
                starts, self._began = not self._began, True
            if starts:
                self._begin(self._go_on)
            self._work.set()
            if not room and (target := self.target) is not None:
                count(asked, target, "skipped")
        except Exception:
            LOG.exception("a request could not be kept for the shadow")

    def step(self) -> bool:
        """Ask the shadow, and compare, a batch of what has rested; False if there is none, or if it must wait."""
        target = self.target
        taken = self._take(target)
        if target is None:
            return False
        for asked, jobs in self._ask(taken, target):
            self._finish(asked, jobs, target)
            time.sleep(0)  # other threads go first
        return bool(taken)

    def close(self) -> None:
        """Ask no more, and forget what waits."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._rows = self._size = 0
        self._work.set()

    def _take(self, target: "ModelHandle | None") -> list[Asked]:
        """What has rested, a batch of it; nothing while real rows wait, everything if nobody is to be asked."""
        rested = self._clock() - REST
        taken: list[Asked] = []
        rows = 0
        with self._lock:
            while self._waiting:
                asked = self._waiting[0]
                if target is not None:
                    busy = asked.first.batcher.waiting_rows or target.batcher.waiting_rows
                    full = taken and rows + asked.rows > target.max_batch_rows
                    if asked.at > rested or busy or full:
                        break
                taken.append(self._waiting.popleft())
                rows += asked.rows
                self._rows -= asked.rows
                self._size -= asked.size
        return taken

    def _between(self, first: "ModelHandle", second: "ModelHandle") -> Comparison:
        """The comparison of two versions, made when the first request of the two comes."""
        if self._comparison is None or self._comparison.of != (first.version, second.version):
            self._comparison = Comparison(first, second)
        return self._comparison

    def _ask(self, taken: Sequence[Asked], target: "ModelHandle") -> list[tuple[Asked, list[Part]]]:
        """Queue for the shadow what it can be asked; the rest is counted."""
        ready: list[tuple[Asked, list[Part]]] = []
        for asked in taken:
            try:
                between = self._between(asked.first, target)
                if between.unread:
                    count(asked, target, "unread")
                    continue
                parts = list(self._parts(asked, between, target))
                submit([part.job for part in parts], target, asked.record)
                ready.append((asked, parts))
            except ServiceError:  # it is full, unloaded or hung
                count(asked, target, "skipped")
        return ready

    def _parts(self, asked: Asked, between: Comparison, target: "ModelHandle") -> Iterator[Part]:
        now, ragged = self._clock(), target.engine.ragged
        for given, outputs in asked.groups:
            for group in between.groups(given):
                for at, inputs in target.batches(group):
                    job = Job(inputs, tensors.kind(inputs, ragged), len(at), now, now + PATIENCE)
                    yield Part(job, {name: array[list(at)] for name, array in outputs.items()})

    def _finish(self, asked: Asked, parts: Sequence[Part], target: "ModelHandle") -> None:
        """Compare when the shadow has answered, or count that it has not."""
        between = self._between(asked.first, target)
        try:
            for part in parts:
                between.compare(part.answered, part.job.future.result(PATIENCE).outputs)
        except (ServiceError, TimeoutError):
            for part in parts:
                part.job.future.cancel()
            count(asked, target, "failed")
        else:
            count(asked, target, "compared")

    def _go_on(self) -> None:
        """The thread: as long as something waits, look again and again."""
        while not self._closed:
            self._work.wait()
            self._work.clear()
            while self._waiting:
                time.sleep(REST)
                try:
                    while self.step():
                        pass
                except Exception:
                    LOG.exception("a shadow could not be compared")


def submit(jobs: Sequence[Job], target: "ModelHandle", record: Record | None) -> None:
    """Queue jobs for the shadow, in the trace of the request of which they are a copy; ServiceError."""
    token = CURRENT.set(record)
    try:
        target.batcher.submit(jobs)
    finally:
        CURRENT.reset(token)


def kept(first: "ModelHandle", now: float, groups: Sequence[Group], answers: Sequence[Answer]) -> Asked:
    """A request as it waits for the shadow."""
    pairs = [(inputs, answer.outputs) for (_, inputs), answer in zip(groups, answers, strict=True)]
    size = sum([array.nbytes for pair in pairs for side in pair for array in side.values()])
    record = CURRENT.get()
    aside = None if record is None else record.aside()
    return Asked(first, now, pairs, sum([len(at) for at, _ in groups]), size, aside)


def count(asked: Asked, target: "ModelHandle", outcome: str) -> None:
    """What became of its rows."""
    count_shadow(target.model, asked.first.version, target.version, outcome, asked.rows)
