"""GET /metrics: the numbers of all processes, in the text that the client reads."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service import remains
from service.metrics.pending import flush


class Everything(Collector):
    """What the processes keep, and what this one knows besides."""

    def __init__(self, besides: Iterable[Collector]) -> None:
        self._besides = besides

    def collect(self) -> Iterator[Metric]:
        flush()
        yield from shared()
        for one in self._besides:
            yield from one.collect()


def shared() -> Iterable[Metric]:
    """What the processes keep; of a dead one what it counted, and not how things stood."""
    text = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if text is None:
        return REGISTRY.collect()
    folder = Path(text)
    with remains.locked(folder):
        remains.forget(folder)
        processes: Any = MultiProcessCollector
        found: Iterable[Metric] = processes(None, text).collect()
        return found


def exposition(accept: str, besides: Iterable[Collector] = ()) -> tuple[bytes, str]:
    """All metrics and their content type: Prometheus' text, or OpenMetrics where an Accept header names it first."""
    encode, content_type = choose_encoder(accept)
    return encode(Everything(besides)), content_type
