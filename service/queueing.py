"""Who is let in, who leaves together, and when. Pure: no thread, no clock; time is an argument, in seconds on any one
clock.

Jobs of one kind wait in a line of their own. A batch is the front of one line, up to the rows its kind may have; the
lines take turns, so that no kind starves another. Nothing ever waits for company: whoever asks gets what is there.

So a job is answered within (1 + kinds · batches) calls: the one that runs when it comes, then at most one of every
waiting kind for each batch its own kind needs to reach it. Where no kind has more rows waiting than one batch holds,
that is two calls of a model asked in one kind. A call takes no longer than the limit was made for, or is of a single
row.

Since each call's cost is known, so is that time, and who cannot be answered in it is refused before he waits.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.admission import Room
from service.errors import DeadlineUnreachable, QueueFull
from service.future import Future
from service.pace import PROOF_SECONDS, Pace
from service.tensors import Kind, Tensors, nbytes

FOREVER = float("inf")
SHUT = 0.05
"""Seconds for which a queue is taken to be full once it was, at most."""
MARGIN = 1.5
"""So far off may an estimate be: batches of other kinds come between, and the last one fills up."""
WIDE = 2.0
"""A call that nothing waits before is refused only if it takes so many times what its deadline allows."""


class Terms(NamedTuple):
    """What a kind's batches may have, and cost: rows at most, seconds of a call, and of each row in it."""

    rows: int
    call: float = 0.0
    row: float = 0.0


FindTerms = Callable[[Kind], Terms]


class Allowed(NamedTuple):
    """What may wait besides rows: bytes, unless all are of one request, and seconds of computing before another."""

    size: float = FOREVER
    wait: float = FOREVER


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
    size: int = 0
    """Bytes, once it is in a queue."""
    seconds: float = 0.0
    """Predicted, of the batch that it leads."""


class Line:
    """The jobs of one kind."""

    __slots__ = ("jobs", "rows", "terms")

    def __init__(self, terms: Terms) -> None:
        self.jobs: deque[Job] = deque()
        self.rows = 0
        self.terms = terms

    def seconds(self, more: int = 0) -> float:
        """Of all its batches, with so many rows more."""
        most, call, row = self.terms
        rows = self.rows + more
        return -(-rows // most) * call + rows * row

    def turns(self, more: int = 0) -> int:
        """How many batches, with so many rows more."""
        return -(-(self.rows + more) // self.terms.rows)

    def first(self, batches: int) -> float:
        """Seconds of no more than so many batches."""
        most, call, row = self.terms
        return min(self.seconds(), batches * (call + most * row))


class Queue:
    """The lines of one model; a batch has `max_batch_rows`, or what the terms of its kind allow.

    What it holds, waiting or computed, is a share of the `room`. Not thread-safe: the batcher holds the lock.
    """

    def __init__(
        self,
        max_batch_rows: int,
        max_queue_rows: int,
        terms: FindTerms | None = None,
        room: Room | None = None,
        allowed: Allowed = Allowed(),  # noqa: B008 - it is frozen
    ) -> None:
        default = Terms(max_batch_rows)
        self.terms = terms or (lambda _: default)
        self.max_queue_rows = max_queue_rows
        self.allowed = allowed
        self.rows = 0
        self.size = 0
        self.seconds = 0.0
        """Of all batches that wait, as predicted."""
        self.pace = Pace()
        self._share = (room or Room()).share(self.drained)
        self._lines: OrderedDict[Kind, Line] = OrderedDict()
        self._running = 0.0
        self._began = 0.0

    def put(self, jobs: Sequence[Job]) -> None:
        """Line up all jobs of a request, or none: QueueFull or Overloaded when they do not fit beside those that wait,
        DeadlineUnreachable when they would be answered too late."""
        rows = size = 0
        own = 0.0
        lines = []
        for job in jobs:
            line = self._lines.get(job.kind) or Line(self.terms(job.kind))
            lines.append(line)
            rows += job.rows
            job.size = nbytes(job.tensors)
            size += job.size
            own += line.seconds(job.rows) - line.seconds()
        self._check_room(rows, size)
        if jobs and self.pace.proven(jobs[0].arrived):
            self._check_time(jobs, lines, own)
        self._share.take(rows, size)
        self.rows += rows
        self.size += size
        for job, line in zip(jobs, lines, strict=True):
            if not line.jobs:  # made here
                line = self._lines.setdefault(job.kind, line)  # noqa: PLW2901 - its own, or that of the job before it
            self.seconds += line.seconds(job.rows) - line.seconds()
            line.jobs.append(job)
            line.rows += job.rows

    def take(self, now: float) -> tuple[list[Job], list[Job]]:
        """The next batch, and the jobs found expired on the way; both are out of the queue. Empty: nothing waits.

        A job of more rows than its batch may have leaves alone. Jobs whose future was cancelled just leave. A batch is
        held until it is `done`.
        """
        batch: list[Job] = []
        expired: list[Job] = []
        while self._lines and not batch:
            kind, line = self._lines.popitem(last=False)
            before = line.seconds()
            self._fill(batch, expired, line, now)
            self.seconds = max(self.seconds + line.seconds() - before, 0.0)
            if line.jobs:
                self._lines[kind] = line
            elif not self._lines:
                self.seconds = 0.0  # and not what rounding has left
            if batch:
                _, call, row = line.terms
                batch[0].seconds = call + row * sum(job.rows for job in batch)
                self._running += batch[0].seconds
                self._began = now
        return batch, expired

    def done(self, batch: Sequence[Job], now: float) -> None:
        """Nothing of a batch is held any more."""
        lead = batch[0]
        self._running = max(self._running - lead.seconds, 0.0)
        self.pace.ended(now, lead.arrived, lead.seconds)
        self._release(sum(job.rows for job in batch), sum(job.size for job in batch))

    def drained(self) -> float:
        """Seconds until all that waits or runs is done, if nothing comes."""
        return self.pace.ratio * (self.seconds + self._running)

    def freed(self, rows: int) -> float:
        """Seconds until so many rows have left, if nothing comes."""
        if len(self._lines) != 1:
            return self.drained()
        (line,) = self._lines.values()
        return self.pace.ratio * (line.first(-(-rows // line.terms.rows) + 1) + self._running)

    def close(self) -> None:
        """Nothing comes any more."""
        self._share.close()

    def _check_room(self, rows: int, size: int) -> None:
        """QueueFull if so many rows and bytes do not fit."""
        if self.rows + rows > self.max_queue_rows:
            error = QueueFull(f"{self.rows} rows wait already, and at most {self.max_queue_rows} may; try again later")
            error.shut = self._shut() if rows == 1 else 0.0
            raise error.wait(self.freed(self.rows + rows - self.max_queue_rows))
        if self.size and self.size + size > self.allowed.size:
            held = f"{self.size} bytes wait or are computed already, and at most {self.allowed.size:.0f} may"
            raise QueueFull(f"{held}; try again later").wait(self.drained())

    def _check_time(self, jobs: Sequence[Job], lines: Sequence[Line], own: float) -> None:
        """QueueFull if what goes before takes too long, DeadlineUnreachable if that and the request's own do."""
        now = jobs[0].arrived
        allowed = jobs[0].deadline - now
        ratio = self.pace.ratio
        running = max(ratio * self._running - (now - self._began), 0.0)
        before = running + ratio * self.seconds
        own *= ratio
        if MARGIN * (before + own) <= allowed and before <= self.allowed.wait:
            return
        turns = max(line.turns(job.rows) for line, job in zip(lines, jobs, strict=True))
        before = running + ratio * sum(
            line.seconds() if line in lines else line.first(turns) for line in self._lines.values()
        )
        if before > self.allowed.wait:
            error = QueueFull(
                f"what waits takes {before:.2g} s, and at most {self.allowed.wait:g} s may; try again later"
            )
            error.shut = self._shut()
            raise error.wait(before - self.allowed.wait)
        if before + own > (allowed / MARGIN if self.rows or running else WIDE * allowed):
            alone = own <= WIDE * allowed
            raise DeadlineUnreachable(
                f"the answer is expected in {before + own:.2g} s, and the request allows {allowed:.2g} s"
            ).wait(self.drained() if alone else PROOF_SECONDS)

    def _shut(self) -> float:
        """Seconds in which so little leaves that no one need be asked again."""
        return min(self.drained() / 10, SHUT)

    def _fill(self, batch: list[Job], expired: list[Job], line: Line, now: float) -> None:
        rows, most, jobs = 0, line.terms.rows, line.jobs
        while jobs and (not batch or rows + jobs[0].rows <= most):
            job = jobs.popleft()
            self.rows -= job.rows
            line.rows -= job.rows
            if job.future.set_running_or_notify_cancel():
                if job.deadline > now:
                    batch.append(job)
                    rows += job.rows
                    continue
                expired.append(job)
            self._release(job.rows, job.size)

    def _release(self, rows: int, size: int) -> None:
        """So many rows and bytes are held no more."""
        self.size -= size
        self._share.give(rows, size)
