"""What is known of one request while it is answered; whoever logs, or asks another server, finds it in CURRENT."""

import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # those who only log need none of these
    from service.batching.jobs import Answer, Job

GONE = 499
"""The status of a request whose client left before the answer, as many servers write it."""


class Batch(NamedTuple):
    """The batch in which a job was computed: its span's context, and when it began."""

    context: Any
    began: float


STEP = 100_000_000
"""Nanoseconds by which the system's clock must have been set before it is read anew."""


class Epoch:
    """When moments of time.monotonic() were, by one reading of both clocks for all of a process, so that spans nest.

    To read both takes as long as somebody else computes in between.
    """

    def __init__(self, read: Callable[[], int] = lambda: time.time_ns() - time.monotonic_ns()) -> None:
        self._read = read
        self._offset = -STEP

    def offset(self) -> int:
        """What is to be added to get nanoseconds of the epoch."""
        found = self._read()
        if abs(found - self._offset) > STEP:
            self._offset = found
        return self._offset


EPOCH = Epoch()


class Record:
    """One request. Seconds are those of time.monotonic()."""

    __slots__ = (
        "_offset",
        "answered",
        "attributes",
        "batches",
        "began",
        "dialect",
        "ended",
        "jobs",
        "key",
        "label",
        "method",
        "name",
        "path",
        "received",
        "request_id",
        "route",
        "sent",
        "span",
        "status",
        "trace_id",
    )

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self._offset = EPOCH.offset()
        self.began = time.monotonic()
        self.ended = self.answered = 0.0  # the whole request; the last of its jobs
        self.jobs: Sequence[Job] = ()
        self.batches: dict[Job, Batch] = {}
        self.span: Any = None  # its span, where the trace is recorded
        self.trace_id = ""
        self.method = self.path = self.route = self.dialect = self.key = self.name = ""
        self.label: tuple[str, str] = ("", "")
        self.status = GONE
        self.received = self.sent = 0  # bytes of the bodies
        self.attributes: dict[str, Any] = {}  # what the protocol adds to the span

    def aside(self) -> "Record":
        """What is computed for it beside its answer: only its trace is told of that."""
        other = Record(self.request_id)
        other.span, other.trace_id = self.span, self.trace_id
        return other

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began

    @property
    def rows(self) -> int:
        """The rows that it gave to a batcher."""
        return sum([job.rows for job in self.jobs])

    def at(self, moment: float) -> int:
        """The nanosecond of the epoch at a moment of the request."""
        return self._offset + round(moment * 1e9)


def outcome(job: "Job") -> "Answer | BaseException | None":
    """A job's answer, or its error; None while it has neither, or was given up."""
    future = job.future
    if not future.done() or future.cancelled():
        return None
    return future.exception(0) or future.result(0)


CURRENT: ContextVar[Record | None] = ContextVar("manifold.record", default=None)
"""The request that is answered here. Who sets it resets it: greenlets are used again, and so is their context."""
BATCH: ContextVar[Any] = ContextVar("manifold.batch", default=None)
"""The span of the batch that is computed here, where one is recorded."""


def outgoing() -> tuple[tuple[str, str], ...]:
    """Headers, or gRPC metadata, by which a server that is asked now joins the trace (W3C Trace Context).

    An engine is asked for a batch, so it is the batch's trace. Nothing where none is recorded.
    """
    record = CURRENT.get()
    span = BATCH.get() or (record.span if record is not None else None)
    if span is None:
        return ()
    context = span.get_span_context()
    return (("traceparent", f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"),)


Finish = Callable[[Record], None]
"""Told of every request at its end."""
