"""Spans on their way to a collector: sent by a thread of the SDK's, dropped and counted where nobody takes them."""

import logging
import threading
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

LOG = logging.getLogger("manifold.telemetry")
FLUSH_SECONDS = 3.0
"""What is left when a process ends has so long to be sent."""

Drop = Callable[[int], None]
"""Counts what could not be sent."""


class Reason(logging.Filter):
    """Keeps what the SDK's exporter has to say, in place of a line for every try."""

    def __init__(self) -> None:
        super().__init__()
        self.last = "no reason"

    def filter(self, record: logging.LogRecord) -> bool:
        self.last = record.getMessage()
        return False


class Outlet(SpanExporter):
    """An exporter whose failures are counted, and told once until it works again."""

    def __init__(self, exporter: SpanExporter, drop: Drop) -> None:
        self._exporter = exporter
        self._drop = drop
        self._reason = Reason()
        self._away = False
        logging.getLogger(trace_exporter.__name__).addFilter(self._reason)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception as error:
            self._reason.last = f"{type(error).__name__}: {error}"
            result = SpanExportResult.FAILURE
        away = result is not SpanExportResult.SUCCESS
        if away:
            self._drop(len(spans))
        if away and not self._away:
            LOG.warning("Spans are dropped until a collector takes them. %s", self._reason.last)
        if self._away and not away:
            LOG.info("Spans are taken again")
        self._away = away
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class Processor(BatchSpanProcessor):
    """The SDK's queue of spans, which counts those for which it has no room; OTEL_BSP_* say how much it has."""

    def __init__(self, exporter: SpanExporter, drop: Drop) -> None:
        self._outlet = Outlet(exporter, drop)
        self._drop = drop
        super().__init__(self._outlet)

    def on_end(self, span: ReadableSpan) -> None:
        queue = self._batch_processor._queue  # noqa: SLF001 - the SDK tells of what it drops in a log line only
        if len(queue) == queue.maxlen:
            self._drop(1)
        super().on_end(span)

    def shutdown(self) -> None:
        """Send what is left, but do not try for ever: the process ends."""
        late = threading.Timer(FLUSH_SECONDS, self._outlet.shutdown)
        late.daemon = True
        late.start()
        super().shutdown()  # type: ignore[no-untyped-call]
        late.cancel()


def to_collector(drop: Drop) -> Processor:
    """To the collector of OTEL_EXPORTER_OTLP_ENDPOINT, by OTLP over HTTP."""
    return Processor(trace_exporter.OTLPSpanExporter(), drop)
