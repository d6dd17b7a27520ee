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

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from service.batching.admission import Room
from service.batching.jobs import FindTerms, Job, Line, Terms
from service.batching.pace import PROOF_SECONDS, Pace
from service.errors import DeadlineUnreachable, QueueFull, ServiceError
from service.tensors import Kind, nbytes

FOREVER = float("inf")
INSTANT = 1e-9
"""Seconds that are none, but for rounding."""
SHUT = 0.05
"""Seconds for which a queue is taken to be full once it was, at most."""
MARGIN = 1.5
"""So far off may an estimate be: batches of other kinds come between, and the last one fills up."""
WIDE = 2.0
"""A call that nothing waits before is refused only if it takes so many times what its deadline allows."""


class Allowed(NamedTuple):
    """What may wait besides rows: bytes, unless all are of one request, and seconds of computing before another."""

    size: float = FOREVER
    wait: float = FOREVER


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
        self.batches = 0
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
        rows, size, before = self.rows, 0, (self.seconds, self.batches)
        for job in jobs:
            line = self._lines.get(job.kind)
            if line is None:
                line = self._lines[job.kind] = Line(self.terms(job.kind))
            job.size = nbytes(job.tensors)
            size += job.size
            line.jobs.append(job)
            line.rows += job.rows
            self.rows += job.rows
            self._count(line)
        try:
            if self.rows > self.max_queue_rows or self._share.size + size > self.allowed.size:
                self._check_room(self.rows - rows, size)
            if jobs:
                self._check_time(jobs, *before)
            self._share.take(self.rows - rows, size)
        except ServiceError:
            self._remove(jobs)
            self.seconds, self.batches = before
            raise

    def _count(self, line: Line) -> None:
        """Its batches and their seconds, after its rows have changed."""
        most, call, row = line.terms
        batches = -(-line.rows // most)
        seconds = batches * call + line.rows * row
        self.batches += batches - line.batches
        self.seconds += seconds - line.seconds
        line.batches, line.seconds = batches, seconds

    def _remove(self, jobs: Sequence[Job]) -> None:
        """As if these had not come, the last of all."""
        for job in reversed(jobs):
            line = self._lines[job.kind]
            line.jobs.pop()
            line.rows -= job.rows
            self.rows -= job.rows
            self._count(line)
            if not line.jobs:
                del self._lines[job.kind]

    def take(self, now: float) -> tuple[list[Job], list[Job]]:
        """The next batch, and the jobs found expired on the way; both are out of the queue. Empty: nothing waits.

        A job of more rows than its batch may have leaves alone. Jobs whose future was cancelled just leave. A batch is
        held until it is `done`.
        """
        batch: list[Job] = []
        expired: list[Job] = []
        while self._lines and not batch:
            kind, line = self._lines.popitem(last=False)
            rows = self._fill(batch, expired, line, now)
            if line.jobs:
                self._lines[kind] = line
                self._count(line)
            else:
                self.batches -= line.batches
                self.seconds = self.seconds - line.seconds if self._lines else 0.0  # and not what rounding leaves
            if batch:
                _, call, row = line.terms
                batch[0].began, batch[0].seconds = now, call + row * rows
                self._running += batch[0].seconds
                self._began = now
        return batch, expired

    def done(self, batch: Sequence[Job], now: float) -> None:
        """Nothing of a batch is held any more."""
        lead = batch[0]
        running = self._running - lead.seconds
        self._running = running if running > 0 else 0.0
        self.pace.ended(now, lead.arrived, lead.began, lead.seconds)
        rows = size = 0
        for job in batch:
            rows += job.rows
            size += job.size
        self._share.give(rows, size)

    @property
    def size(self) -> int:
        """Bytes that wait or are computed."""
        return self._share.size

    def drained(self) -> float:
        """Seconds until all that waits or runs is done, if nothing comes."""
        return self.pace.seconds(self.seconds + self._running, self.batches)

    def freed(self, rows: int) -> float:
        """Seconds until so many rows have left, if nothing comes."""
        if len(self._lines) != 1:
            return self.drained()
        (line,) = self._lines.values()
        seconds, batches = line.first(-(-rows // line.terms.rows) + 1)
        return self.pace.seconds(seconds + self._running, batches)

    def close(self) -> None:
        """Nothing comes any more."""
        self._share.close()

    def _check_room(self, rows: int, size: int) -> None:
        """QueueFull if so many rows and bytes do not fit beside what was there before them."""
        if self.rows > self.max_queue_rows:
            waiting = self.rows - rows
            error = QueueFull(f"{waiting} rows wait already, and at most {self.max_queue_rows} may; try again later")
            error.shut = self._shut() if rows == 1 else 0.0
            raise error.wait(self.freed(self.rows - self.max_queue_rows))
        held = self._share.size
        if held and held + size > self.allowed.size:
            told = f"{held} bytes wait or are computed already, and at most {self.allowed.size:.0f} may"
            raise QueueFull(f"{told}; try again later").wait(self.drained())

    def _check_time(self, jobs: Sequence[Job], seconds: float, batches: int) -> None:
        """QueueFull if what goes before takes too long, DeadlineUnreachable if that and the request itself do.

        `seconds` and `batches` are those that waited before. An estimate that is not proven refuses nobody.
        """
        pace, now = self.pace, jobs[0].arrived
        allowed = jobs[0].deadline - now
        wait = self.allowed.wait
        whole = pace.seconds(self.seconds + self._running, self.batches)
        if MARGIN * whole <= (min(wait, allowed)) or not pace.proven(now):
            return
        self._refuse_late(jobs, allowed, pace.seconds(self.seconds - seconds, self.batches - batches))

    def _refuse_late(self, jobs: Sequence[Job], allowed: float, own: float) -> None:
        """As _check_time, with care: for a request that takes its `own` seconds, beside those of what goes before."""
        now = jobs[0].arrived
        running = max(self.pace.ratio * self._running - (now - self._began), 0.0)
        whole = running + self.pace.seconds(self.seconds, self.batches)
        if MARGIN * whole <= allowed and whole - own <= self.allowed.wait:
            return
        before = running + self._ahead(jobs) - own
        if before > self.allowed.wait:
            error = QueueFull(
                f"what waits takes {before:.2g} s, and at most {self.allowed.wait:g} s may; try again later"
            )
            error.shut = self._shut()
            raise error.wait(min(before - self.allowed.wait + self._sum(1, set()), whole - own))
        idle = before < INSTANT
        if before + own > (WIDE * allowed if idle else allowed / MARGIN):
            raise DeadlineUnreachable(
                f"the answer is expected in {before + own:.2g} s, and the request allows {allowed:.2g} s"
            ).wait(PROOF_SECONDS if own > WIDE * allowed else whole - own)

    def _ahead(self, jobs: Sequence[Job]) -> float:
        """Seconds of all that is computed until the last of these jobs is, which came last: the lines take turns."""
        own = {job.kind for job in jobs}
        return self._sum(max(self._lines[kind].batches for kind in own), own)

    def _sum(self, turns: int, whole: set[Kind]) -> float:
        """Seconds of so many batches of every line, and of all of some."""
        parts = [line.first(line.batches if kind in whole else turns) for kind, line in self._lines.items()]
        return self.pace.seconds(sum(seconds for seconds, _ in parts), sum(batches for _, batches in parts))

    def _shut(self) -> float:
        """Seconds in which so little leaves that no one need be asked again."""
        return min(self.drained() / 10, SHUT)

    def _fill(self, batch: list[Job], expired: list[Job], line: Line, now: float) -> int:
        """The rows of the batch."""
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
            self._share.give(job.rows, job.size)
        return rows
