"""Spans of requests and batches, by the OpenTelemetry SDK; what it knows itself, OTEL_* variables decide.

Names and attributes as in the semantic conventions for HTTP and RPC; our own begin with `manifold.`.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service import VERSION
from service.batching.jobs import Answer, Job
from service.telemetry.record import BATCH, EPOCH, Record, outcome

NOWHERE = Context()
MOST_JOBS = 16
"""Of a request's jobs, so many have spans: a request of many rows, or of many kinds, has one for each batch."""
ERROR = Status(StatusCode.ERROR)


class Spans:
    """Of one process. `processor` takes the spans; without a `sampler` OTEL_TRACES_SAMPLER says what is recorded."""

    def __init__(self, processor: SpanProcessor, sampler: Sampler | None = None) -> None:
        resource = described()
        # A batch is recorded if one of its requests is: of traces that were begun elsewhere, too.
        self._providers = [TracerProvider(chosen, resource, shutdown_on_exit=False) for chosen in (sampler, ALWAYS_ON)]
        for provider in self._providers:
            provider.add_span_processor(processor)
        self._requests, self._batches = (one.get_tracer("manifold", VERSION) for one in self._providers)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, record: Record, traceparent: str | None, tracestate: str | None) -> None:
        """Begin a request's span, in its client's trace, if it says which."""
        parent = NOWHERE
        if traceparent is not None:
            carrier = {"traceparent": traceparent} | ({"tracestate": tracestate} if tracestate else {})
            parent = self._propagator.extract(carrier, NOWHERE)
        span = self._requests.start_span("request", parent, SpanKind.SERVER, start_time=record.at(record.began))
        trace = span.get_span_context().trace_id
        record.trace_id = f"{trace:032x}" if trace else ""
        if span.is_recording():
            record.span = span

    def end(self, record: Record) -> None:
        """End a request's span, with those of its parts."""
        span = record.span
        if span is None:
            return
        span.update_name(record.name)
        span.set_attributes(attributes(record) | record.attributes)
        if record.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            span.set_status(ERROR)
        if record.jobs:
            self._parts(record, set_span_in_context(span, NOWHERE))
        span.end(record.at(record.ended))

    def _parts(self, record: Record, inside: Context) -> None:
        """parse, queue and engine of each job, and encode."""
        self._part("parse", record, inside, (record.began, record.jobs[0].arrived))
        if not record.answered:  # nobody has waited: the queue has refused them
            return
        for job in record.jobs[:MOST_JOBS]:
            self._job(job, record, inside)
        self._part("encode", record, inside, (record.answered, record.ended))

    def _job(self, job: Job, record: Record, inside: Context) -> None:
        found, batch = outcome(job), record.batches.get(job)
        began = batch.began if batch is not None else record.answered
        ended, attributes = record.answered, {"manifold.rows": job.rows}
        if isinstance(found, Answer):
            began = job.arrived + found.queue_seconds
            ended = began + found.engine_seconds
            attributes["manifold.batch.rows"] = found.batch_rows
        status = None if isinstance(found, Answer) else Status(StatusCode.ERROR, str(found or "given up"))
        waits = status if batch is None else None  # it never came out of the queue
        self._part("queue", record, inside, (job.arrived, began), status=waits)
        if batch is not None:
            more = {"attributes": attributes, "links": [Link(batch.context)]}
            self._part("engine", record, inside, (began, ended), status, **more)

    def _part(
        self,
        name: str,
        record: Record,
        inside: Context,
        seconds: tuple[float, float],
        status: Status | None = None,
        **more: Any,
    ) -> None:
        """A span that is over; no later than its request."""
        began, ended = (record.at(min(moment, record.ended)) for moment in seconds)
        span = self._requests.start_span(name, inside, start_time=began, **more)
        if status is not None:
            span.set_status(status)
        span.end(ended)

    def begin_batch(
        self, attributes: Mapping[str, Any], batch: Sequence[Job], askers: Iterable[Record], began: float
    ) -> Span:
        """The span of a batch, in a trace of its own, or in that of the batch whose jobs are tried one by one.

        It `began` at this second of time.monotonic().
        """
        around = BATCH.get()
        sizes = {"manifold.batch.rows": sum([job.rows for job in batch]), "manifold.batch.jobs": len(batch)}
        return self._batches.start_span(
            "batch",
            NOWHERE if around is None else set_span_in_context(around, NOWHERE),
            attributes={**attributes, **sizes},
            links=[Link(record.span.get_span_context()) for record in dict.fromkeys(askers)],
            start_time=EPOCH.offset() + round(began * 1e9),
        )

    def end_batch(self, span: Span, batch: Sequence[Job]) -> None:
        """The end of a batch, whose jobs have their answers or errors."""
        for job in batch:
            found = outcome(job)
            if isinstance(found, BaseException):
                span.set_status(Status(StatusCode.ERROR, str(found)))
                break
        span.end(EPOCH.offset() + time.monotonic_ns())

    def close(self) -> None:
        """Nothing comes any more; what is left is sent."""
        for provider in self._providers:
            provider.shutdown()


def attributes(record: Record) -> dict[str, Any]:
    """Our own of a request's span: those of a prediction only where there is one."""
    model, version = record.label
    found: dict[str, Any] = {"manifold.dialect": record.dialect, "manifold.request_id": record.request_id}
    if model:
        found |= {"manifold.model": model, "manifold.version": version}
    if record.jobs:
        found["manifold.rows"] = record.rows
    return found


def described() -> Resource:
    """Who sends, by OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES; a service without a name is called manifold."""
    found = Resource.create({"service.version": VERSION})
    unnamed = str(found.attributes[SERVICE_NAME]).startswith("unknown_service")
    return found.merge(Resource({SERVICE_NAME: "manifold"})) if unnamed else found
