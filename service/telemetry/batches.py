"""Batchers that tell: which jobs a request has, and, where traces are recorded, in which batch each was computed."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from service.batching.batcher import Batcher
from service.batching.jobs import Job
from service.telemetry.record import BATCH, CURRENT, Batch, Record

if TYPE_CHECKING:  # who has no traces recorded does without the SDK
    from service.telemetry.spans import Spans


class RecordingBatcher(Batcher):
    """Notes the jobs of a request on its record."""

    def submit(self, jobs: Sequence[Job]) -> None:
        record = CURRENT.get()
        if record is not None:
            record.jobs = jobs
        super().submit(jobs)


class TracingBatcher(RecordingBatcher):
    """Gives every batch in which a recorded request has rows a span."""

    def __init__(self, *parts: Any, spans: "Spans", attributes: dict[str, str]) -> None:
        super().__init__(*parts)
        self._spans = spans
        self._attributes = {
            **attributes,
            "manifold.engine": self._engine.name,
            "manifold.device": self._engine.device,
        }
        self._asked: dict[Job, Record] = {}  # who asked for a job that is not answered yet

    def submit(self, jobs: Sequence[Job]) -> None:
        record = CURRENT.get()
        if record is None or record.span is None:
            super().submit(jobs)
            return
        for job in jobs:
            self._asked[job] = record
            job.future.add_done_callback(partial(self._forget, job))
        try:
            super().submit(jobs)
        except BaseException:
            for job in jobs:
                self._forget(job)
            raise

    def _forget(self, job: Job, _: Any = None) -> None:
        self._asked.pop(job, None)

    def _answer(self, batch: Sequence[Job], started: float) -> None:
        """Of a batch that is tried again, job by job, each try has a span of its own within the first one's."""
        askers = {job: self._asked[job] for job in batch if job in self._asked} if self._asked else None
        if not askers:
            super()._answer(batch, started)
            return
        span = self._spans.begin_batch(self._attributes, batch, askers.values(), started)
        context = span.get_span_context()
        for job, record in askers.items():
            record.batches[job] = Batch(context, started)
        token = BATCH.set(span)
        try:
            super()._answer(batch, started)
        finally:
            BATCH.reset(token)
            self._spans.end_batch(span, batch)
