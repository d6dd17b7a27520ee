"""Seconds of every request, told their histograms many at a time: one amount written alone takes two microseconds.

What is pending is written once there are MOST of a kind, each second (sampling.py), before this process answers a
scrape, and at its end. Who is killed loses the last second of it, and nothing that was written.
"""

import functools
import threading
from collections import deque

from service.metrics.families import ENCODE_SECONDS, REQUEST_SECONDS, BulkHistogram

MOST = 256
"""Amounts that wait to be written."""


class Pending:
    """What one histogram has not been told yet. Any thread may add; nothing is lost or told twice."""

    def __init__(self, histogram: BulkHistogram) -> None:
        self._histogram = histogram
        self._amounts: deque[float] = deque()
        self._lock = threading.Lock()

    def add(self, amount: float) -> None:
        """Observe one amount."""
        self._amounts.append(amount)
        if len(self._amounts) >= MOST:
            self.flush()

    def flush(self) -> None:
        """Tell what is pending."""
        with self._lock:
            amounts = [self._amounts.popleft() for _ in range(len(self._amounts))]
        if amounts:
            self._histogram.observe_all(amounts)


ALL: list[Pending] = []


def pending(histogram: BulkHistogram) -> Pending:
    """One that `flush` knows."""
    made = Pending(histogram)
    ALL.append(made)
    return made


@functools.cache
def request_seconds(label: tuple[str, str], dialect: str) -> Pending:
    """Seconds of requests for a model and version in a dialect."""
    return pending(REQUEST_SECONDS.labels(*label, dialect))


@functools.cache
def encode_seconds(label: tuple[str, str]) -> Pending:
    """Seconds from outputs to bytes, of a model and version."""
    return pending(ENCODE_SECONDS.labels(*label))


def flush() -> None:
    """Write all that is pending in this process."""
    for one in ALL:
        one.flush()
