"""All of it put together, as the settings want it: what stands in the place of the service's plain parts."""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from service import logs, metrics
from service.batching.batcher import Batcher
from service.handle import Wait
from service.loading import MakeBatcher, plain
from service.settings import Settings
from service.telemetry.access import LOG as ACCESS
from service.telemetry.access import Access
from service.telemetry.batches import RecordingBatcher, TracingBatcher
from service.telemetry.beside import Beside
from service.telemetry.installed import check_installed
from service.telemetry.record import CURRENT, Finish, Record
from service.versions.store import Version

if TYPE_CHECKING:
    from service.telemetry.spans import Spans

LOG = logging.getLogger("manifold.telemetry")


class Telemetry:
    """Makes a record of every request, and hands it on at its end; `spans` has traces recorded."""

    def __init__(self, finish: Sequence[Finish], spans: "Spans | None" = None) -> None:
        self._finish = [*finish, spans.end] if spans else finish
        self._spans = spans

    def begin(self, request_id: str, traceparent: str | None, tracestate: str | None) -> Record:
        """A request has come; the headers say in which trace."""
        record = Record(request_id)
        if self._spans is not None:
            self._spans.begin(record, traceparent, tracestate)
        return record

    def end(self, record: Record) -> None:
        """A request has its answer, and its record all that is known of it. It raises nothing."""
        record.ended = time.monotonic()
        for finish in self._finish:
            try:
                finish(record)
            except Exception:
                LOG.exception("a request could not be told")

    def make_batcher(self, version: Version, *parts: Any) -> Batcher:
        """A batcher that notes on the records what it does."""
        if self._spans is None:
            return RecordingBatcher(*parts)
        named = {"manifold.model": version.model, "manifold.version": str(version.number)}
        return TracingBatcher(*parts, spans=self._spans, attributes=named)


def timed(wait: Wait) -> Wait:
    """A `wait` that notes when a request's last answer was there."""

    def noted(future: Any, seconds: float) -> Any:
        try:
            return wait(future, seconds)
        finally:
            record = CURRENT.get()
            if record is not None:
                record.answered = time.monotonic()

    return noted


class Parts:
    """What a process needs of it, and how it ends; with everything off, the service's plain parts."""

    def __init__(self, settings: Settings) -> None:
        self.telemetry: Telemetry | None = None
        self.make_batcher: MakeBatcher = plain
        self.timed: Callable[[Wait], Wait] = lambda wait: wait
        self._ends: list[Callable[[], None]] = []
        finish = [self._access(settings)] if settings.access_log else []
        spans = self._spans() if settings.traces == "on" else None
        if finish or spans:
            self.telemetry = Telemetry(finish, spans)
            self.make_batcher = self.telemetry.make_batcher
            self.timed = timed

    def close(self) -> None:
        """The process ends: what is left is sent and written."""
        for end in self._ends:
            end()

    def _access(self, settings: Settings) -> Access:
        handler = Beside(sys.stderr.fileno(), partial(metrics.count_dropped, "line"))
        handler.setFormatter(logs.formatter(settings.log_format))
        ACCESS.addHandler(handler)
        ACCESS.setLevel(logging.INFO)
        ACCESS.propagate = False
        self._ends.append(handler.end)
        return Access(settings.access_log)

    def _spans(self) -> "Spans":
        check_installed()
        from service.telemetry.export import to_collector
        from service.telemetry.spans import Spans

        spans = Spans(to_collector(partial(metrics.count_dropped, "span")))
        self._ends.append(spans.close)
        return spans
