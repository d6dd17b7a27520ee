"""GET /metrics on a thread: a tenth of a second where many models are asked in many dialects, in which others go on.

However many ask at once, one thread writes and one waits for its turn: who comes before it begins shares what it
writes.
"""

import re
import threading
from collections.abc import Collection
from functools import partial
from typing import Any

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from service.batching.future import Future
from service.metrics.exposition import exposition
from service.versions.background import in_background

KNOWN = re.compile(r"; version=(0\.0\.4|0\.0\.1|1\.0\.0);")
"""The versions of Prometheus' text and of OpenMetrics that are written."""


class Scrapes:
    """Of what the processes keep, and what this one knows `besides`."""

    def __init__(self, besides: Collection[Collector]) -> None:
        self._besides = besides
        self._next: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def ask(self, accept: str) -> Future[Any]:
        """All metrics and their content type, no older than this call."""
        kind = choose_encoder(accept)[1]
        if not KNOWN.search(kind):  # it would be what the client says
            return self.ask("")
        with self._lock:
            if kind not in self._next:
                self._next[kind] = in_background(partial(self._write, accept, kind))
            return self._next[kind]

    def _write(self, accept: str, kind: str) -> tuple[bytes, str]:
        with self._turn:
            with self._lock:
                del self._next[kind]  # who comes from now on wants later numbers
            return exposition(accept, self._besides)
