"""Jobs in, answers out: takes what waits, asks the engine once, hands each job its slice.

`step()` answers one batch. A driver calls it whenever there is work: threads of the batcher's own (drivers.py), or the
event loop of the HTTP worker (server/drivers.py), which saves two hand-overs for engines that are quick.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import InvalidStateError
from typing import NamedTuple, Protocol

from service import redact, tensors
from service.batching.drivers import Driver, MakeDriver, Stopped, ThreadDriver
from service.batching.jobs import Answer, Job
from service.batching.queueing import Queue
from service.engines.base import Engine
from service.errors import (
    DeadlineExceeded,
    Draining,
    EngineFailed,
    EngineHung,
    InvalidInput,
    ModelNotReady,
    NotFinite,
    QueueFull,
    ServiceError,
)
from service.tensors import Kind

LOG = logging.getLogger("manifold.batcher")

Clock = Callable[[], float]

WHATEVER_THE_ROWS = ModelNotReady, QueueFull, DeadlineExceeded
"""After these the jobs of a batch are not tried apart: that would only take as long again."""


class Observer(Protocol):
    """Is told of every batch the engine answered or failed."""

    def batch(self, rows: int, queue_seconds: Sequence[float], engine_seconds: float) -> None:
        """Rows of the batch, seconds each of its jobs waited, seconds the engine took."""

    def not_finite(self, outputs: Sequence[str], rows: int) -> None:
        """Rows of a job that was refused because these outputs have NaN or an infinity."""


class Call(NamedTuple):
    """The jobs that a thread answers, and since when the engine computes for them."""

    thread: int
    jobs: Sequence[Job]
    since: float


class Batcher:
    """The queue of one served model, in front of its engine.

    Promises, each a property in tests/service/test_batcher.py: a batch holds one kind only; an idle batcher adds no
    wait; a job that fails fails alone; after `close()` every accepted job is answered.
    """

    refuses_not_finite = False
    """Whether a job whose outputs have NaN or an infinity gets a NotFinite; may change at any time."""
    hung = ""
    """Why it answers no more, once its engine has been given up."""

    def __init__(
        self,
        engine: Engine,
        queue: Queue,
        make_driver: MakeDriver = ThreadDriver,
        observer: Observer | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._observer = observer
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._calls: dict[int, tuple[Sequence[Job], float]] = {}  # by thread, as a Call has it
        self._driver: Driver = make_driver(self.step)

    @property
    def waiting_rows(self) -> int:
        """Rows in the queue now."""
        return self._queue.rows

    def limit(self, kind: Kind) -> int:
        """The most rows of that kind that a job should have."""
        return self._queue.terms(kind).rows

    @property
    def calls(self) -> Sequence[Call]:
        """What the engine computes now."""
        return [Call(thread, *call) for thread, call in self._calls.copy().items()]  # threads come and go meanwhile

    def submit(self, jobs: Sequence[Job]) -> None:
        """Accept all or none: Draining, EngineHung, what `put` raises. Each future gets its Answer or an error."""
        with self._lock:
            if self.hung:
                raise EngineHung(self.hung)
            if self._closed:
                raise Draining("this model takes no more requests; try again, another replica may answer")
            self._queue.put(jobs)
        for _ in jobs:
            self._driver.wake()

    def step(self) -> bool:
        """Answer one batch, if anything waits; False if nothing did."""
        now, thread = self._clock(), threading.get_ident()
        with self._lock:
            batch, expired = self._queue.take(now)
            if batch:
                self._calls[thread] = batch, now
        for job in expired:
            fail(job, DeadlineExceeded("the request waited longer than it allows"))
        if batch:
            try:
                self._answer(batch, now)
            finally:
                del self._calls[thread]
                with self._lock:
                    self._queue.done(batch, self._clock())
        return bool(batch or expired)

    def give_up(self, reason: str) -> None:
        """The engine does not come back: all that waits or is computed gets an EngineHung, and so does what comes."""
        now = self._clock()
        with self._lock:
            self.hung = reason
            owed = [job for call in self.calls for job in call.jobs]
            while any(taken := self._queue.take(now)):
                owed += [job for jobs in taken for job in jobs]
                if taken[0]:
                    self._queue.done(taken[0], now)
        for job in owed:
            fail(job, EngineHung(reason))

    def close(self) -> None:
        """Refuse new jobs, answer those accepted, stop the driver; a hung engine is not waited for."""
        with self._lock:
            self._closed = True
        if not self.hung:
            self._driver.close()
            self._driver = Stopped()
        self._queue.close()

    def _answer(self, batch: Sequence[Job], started: float) -> None:
        """Every job of the batch gets its slice; if the batch fails, each is tried alone and only the culprit fails."""
        rows = sum([job.rows for job in batch])
        try:
            outputs = self._run(batch, rows, started)
            parts = tensors.split(outputs, [job.rows for job in batch])
            strange = self.refuses_not_finite and tensors.not_finite(outputs)
        except WHATEVER_THE_ROWS as error:
            for job in batch:
                fail(job, error)
            return
        except Exception as error:
            if len(batch) > 1:
                for job in batch:
                    now = self._clock()
                    self._calls[threading.get_ident()] = batch, now
                    self._answer([job], now)
            else:
                fail(batch[0], failure(error))
            return
        engine_seconds = self._clock() - started
        waited = [started - job.arrived for job in batch]
        for job, part, seconds in zip(batch, parts, waited, strict=True):
            if strange and (names := tensors.not_finite(part)):
                self._refuse(job, names)
            else:
                succeed(job, Answer(part, seconds, rows, engine_seconds))
        self._observe(lambda observer: observer.batch(rows, waited, engine_seconds))

    def _refuse(self, job: Job, names: Sequence[str]) -> None:
        fail(job, NotFinite(f"the model's answer has NaN or infinity in {', '.join(map(repr, names))}"))
        self._observe(lambda observer: observer.not_finite(names, job.rows))

    def _observe(self, tell: Callable[[Observer], None]) -> None:
        """Nobody goes without an answer because it could not be counted."""
        if self._observer is None:
            return
        try:
            tell(self._observer)
        except Exception:
            LOG.exception("a batch could not be counted")

    def _run(self, batch: Sequence[Job], rows: int, started: float) -> dict[str, tensors.Array]:
        """All outputs of the batch; EngineFailed where they are not those of its signature, or not of its rows."""
        joined = tensors.join([job.tensors for job in batch], self._engine.ragged)
        outputs = self._engine.run_within(joined, max([job.deadline for job in batch]) - started)
        wanted = self._engine.signature.outputs.keys()
        if not wanted <= outputs.keys():
            raise EngineFailed(f"the model returned no {', '.join(sorted(wanted - outputs.keys()))}")
        for name, array in outputs.items():
            if array.shape[:1] != (rows,):
                raise EngineFailed(f"output {name!r}: expected rows: {rows}, got the shape {array.shape}")
        return outputs


def succeed(job: Job, answer: Answer) -> None:
    """The job's answer, unless it has been given up meanwhile."""
    try:
        job.future.set_result(answer)
    except InvalidStateError:
        LOG.warning("an answer came after its engine was given up")


def fail(job: Job, error: ServiceError) -> None:
    """The job's error, unless it has been given up or answered meanwhile."""
    with contextlib.suppress(InvalidStateError):
        job.future.set_exception(error)


def failure(error: Exception) -> ServiceError:
    """Whatever an engine raised, as an EngineFailed whose message is one line a client may read, or as it is."""
    if isinstance(error, EngineFailed | InvalidInput):
        return error
    wrapped = EngineFailed(f"{type(error).__name__}: {redact.line(str(error))}")
    wrapped.__cause__ = error
    return wrapped
