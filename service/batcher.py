"""Jobs in, answers out: takes what waits, asks the engine once, hands each job its slice.

`step()` answers one batch. A driver calls it whenever there is work: a thread of the batcher's own (`ThreadDriver`),
or the event loop of the HTTP worker (service/server/drivers.py), which saves two hand-overs for engines that are quick.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from service import tensors
from service.engines.base import Engine
from service.errors import DeadlineExceeded, Draining, EngineFailed, InvalidInput, ModelNotReady, ServiceError
from service.queueing import Answer, Job, Queue
from service.tensors import Kind

LOG = logging.getLogger("manifold.batcher")

Clock = Callable[[], float]


class Driver(Protocol):
    """Calls `step` after every `wake`, until it returns False."""

    def wake(self) -> None:
        """Work has come; called from any thread."""

    def close(self) -> None:
        """Answer what waits, then stop; returns when done. Safe to call twice."""


MakeDriver = Callable[[Callable[[], bool]], Driver]


class Observer(Protocol):
    """Is told of every batch the engine answered or failed."""

    def batch(self, rows: int, queue_seconds: Sequence[float], engine_seconds: float) -> None:
        """Rows of the batch, seconds each of its jobs waited, seconds the engine took."""


class ThreadDriver:
    """One daemon thread that sleeps while nothing waits."""

    def __init__(self, step: Callable[[], bool], name: str = "batcher") -> None:
        self._step = step
        self._work = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            closed = self._closed  # read before the last look for work: what came until then is still answered
            while self._step():
                pass
            if closed:
                return

    def wake(self) -> None:
        self._work.set()

    def close(self) -> None:
        self._closed = True
        self._work.set()
        self._thread.join()


class PoolDriver:
    """So many daemon threads: while one's batch is computed, the next one's is on its way."""

    def __init__(self, step: Callable[[], bool], threads: int, name: str = "batcher") -> None:
        self._step = step
        self._changed = threading.Condition()
        self._wakes = 0
        self._closed = False
        self._threads = [threading.Thread(target=self._loop, name=name, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _loop(self) -> None:
        closed = False
        while not closed:
            with self._changed:
                self._changed.wait_for(lambda: self._wakes or self._closed)
                self._wakes = max(self._wakes - 1, 0)
                closed = self._closed  # read before the last look for work: what came until then is still answered
            while self._step():
                pass

    def wake(self) -> None:
        with self._changed:
            self._wakes = min(self._wakes + 1, len(self._threads))
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()


class Batcher:
    """The queue of one served model, in front of its engine.

    Promises, each a property in tests/service/test_batcher.py: a batch holds one kind only; an idle batcher adds no
    wait; a job that fails fails alone; after `close()` every accepted job is answered.
    """

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
        self._driver = make_driver(self.step)

    @property
    def waiting_rows(self) -> int:
        """Rows in the queue now."""
        return self._queue.rows

    def limit(self, kind: Kind) -> int:
        """The most rows of that kind that a job should have."""
        return self._queue.terms(kind).rows

    def submit(self, jobs: Sequence[Job]) -> None:
        """Accept all jobs or none: Draining, or what `Queue.put` raises. Each future gets its Answer or an error."""
        with self._lock:
            if self._closed:
                raise Draining("this model takes no more requests; try again, another replica may answer")
            self._queue.put(jobs)
        for _ in jobs:
            self._driver.wake()

    def step(self) -> bool:
        """Answer one batch, if anything waits; False if nothing did."""
        with self._lock:
            batch, expired = self._queue.take(self._clock())
        for job in expired:
            job.future.set_exception(DeadlineExceeded("the request waited longer than it allows"))
        if batch:
            try:
                self._answer(batch)
            finally:
                with self._lock:
                    self._queue.done(batch, self._clock())
        return bool(batch or expired)

    def close(self) -> None:
        """Refuse new jobs, answer those accepted, stop the driver."""
        with self._lock:
            self._closed = True
        self._driver.close()
        self._queue.close()

    def _answer(self, batch: list[Job]) -> None:
        """Every job of the batch gets its slice; if the batch fails, each is tried alone and only the culprit fails."""
        started = self._clock()
        try:
            outputs = self._run(batch)
        except ModelNotReady as error:  # whatever the rows: to try them apart would only take as long again
            for job in batch:
                job.future.set_exception(error)
            return
        except Exception as error:
            if len(batch) > 1:
                for job in batch:
                    self._answer([job])
            else:
                batch[0].future.set_exception(failure(error))
            return
        engine_seconds = self._clock() - started
        rows = sum(job.rows for job in batch)
        waited = [started - job.arrived for job in batch]
        for job, part, seconds in zip(batch, outputs, waited, strict=True):
            job.future.set_result(Answer(part, seconds, rows, engine_seconds))
        if self._observer:
            self._observe(self._observer, rows, waited, engine_seconds)

    def _observe(self, observer: Observer, rows: int, waited: Sequence[float], engine_seconds: float) -> None:
        """Nobody goes without an answer because it could not be counted."""
        try:
            observer.batch(rows, waited, engine_seconds)
        except Exception:
            LOG.exception("a batch could not be counted")

    def _run(self, batch: list[Job]) -> list[dict[str, tensors.Array]]:
        outputs = self._engine.run(tensors.join([job.tensors for job in batch], self._engine.ragged))
        missing = self._engine.signature.outputs.keys() - outputs.keys()
        if missing:
            raise EngineFailed(f"the model returned no {', '.join(sorted(missing))}")
        return tensors.split(outputs, [job.rows for job in batch])


def failure(error: Exception) -> ServiceError:
    """Whatever an engine raised, as an EngineFailed whose message is one line a client may read, or as it is."""
    if isinstance(error, EngineFailed | InvalidInput):
        return error
    lines = str(error).strip().splitlines()
    wrapped = EngineFailed(f"{type(error).__name__}: {lines[0][:300] if lines else 'no message'}")
    wrapped.__cause__ = error
    return wrapped
