"""Who leaves together, and when. Pure: no thread, no clock; time is an argument, in seconds on any one clock.

Jobs of one kind wait in a line of their own. A batch is the front of one line, up to the rows its kind may have; the
lines take turns, so that no kind starves another. Nothing ever waits for company: whoever asks gets what is there.

So a job is answered within (1 + kinds · batches) calls: the one that runs when it comes, then at most one of every
waiting kind for each batch its own kind needs to reach it. Where no kind has more rows waiting than one batch holds,
that is two calls of a model asked in one kind. A call takes no longer than the limit was made for, or is of a single
row.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.errors import QueueFull
from service.future import Future
from service.tensors import Kind, Tensors

Limit = Callable[[Kind], int]
"""From a kind to the most rows of a batch, at least 1."""


class Answer(NamedTuple):
    """One job's outputs, and what they took: seconds in the queue, rows of the whole batch, seconds in the engine."""

    outputs: Tensors
    queue_seconds: float
    batch_rows: int
    engine_seconds: float


@dataclass(slots=True, eq=False)
class Job:
    """Rows of one kind that wait, and everything needed to answer them."""

    tensors: Tensors
    kind: Kind
    rows: int
    arrived: float
    deadline: float
    future: "Future[Answer]" = field(default_factory=Future)


class Queue:
    """The lines of one model; a batch has `max_batch_rows`, or what `limit` allows its kind.

    Not thread-safe: the batcher holds the lock.
    """

    def __init__(self, max_batch_rows: int, max_queue_rows: int, limit: Limit | None = None) -> None:
        self.limit = limit or (lambda _: max_batch_rows)
        self.max_queue_rows = max_queue_rows
        self.rows = 0
        self._lines: OrderedDict[Kind, deque[Job]] = OrderedDict()

    def put(self, jobs: Sequence[Job]) -> None:
        """Line up all jobs of a request, or none: QueueFull when their rows do not fit beside those that wait."""
        rows = sum(job.rows for job in jobs)
        if self.rows + rows > self.max_queue_rows:
            raise QueueFull(f"{self.rows} rows wait already, and at most {self.max_queue_rows} may; try again later")
        for job in jobs:
            line = self._lines.get(job.kind)
            if line is None:
                line = self._lines[job.kind] = deque()
            line.append(job)
        self.rows += rows

    def take(self, now: float) -> tuple[list[Job], list[Job]]:
        """The next batch, and the jobs found expired on the way; both are out of the queue. Empty: nothing waits.

        A job of more rows than its batch may have leaves alone. Jobs whose future was cancelled just leave.
        """
        batch: list[Job] = []
        expired: list[Job] = []
        while self._lines and not batch:
            kind, line = self._lines.popitem(last=False)
            self._fill(batch, expired, line, self.limit(kind), now)
            if line:
                self._lines[kind] = line
        return batch, expired

    def _fill(self, batch: list[Job], expired: list[Job], line: deque[Job], most: int, now: float) -> None:
        rows = 0
        while line and (not batch or rows + line[0].rows <= most):
            job = line.popleft()
            self.rows -= job.rows
            if not job.future.set_running_or_notify_cancel():
                continue
            if job.deadline <= now:
                expired.append(job)
            else:
                batch.append(job)
                rows += job.rows
