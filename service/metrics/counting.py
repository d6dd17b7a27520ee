"""What is counted as it happens: requests, errors, batches, and how a shadow differs.

Labels are of what is served, of the dialects, statuses and errors there are: a client chooses none of them.
"""

import functools
from collections.abc import Sequence

from prometheus_client import Counter

from service.metrics.families import (
    BATCH_ROWS,
    DROPPED,
    ENGINE_SECONDS,
    ERRORS,
    KEY_REQUESTS,
    NOT_FINITE,
    PREDICTED_ROWS,
    QUEUE_SECONDS,
    REFUSED,
    REQUESTS,
    SHADOW_DIFFERENCE,
    SHADOW_LABELS,
    SHADOW_MISMATCHES,
    SHADOW_ROWS,
)

Label = tuple[str, str]
"""Model and version; "" and "" for none that is served."""

UNDER_WAY: set[object] = set()
"""The requests of this process that wait for their answer, whatever stands for each."""


class ModelMetrics:
    """The metrics of one model version; the batcher's observer."""

    def __init__(self, model: str, version: int) -> None:
        labels = (model, str(version))
        self._labels = labels
        self._rows = PREDICTED_ROWS.labels(*labels)
        self._batch_rows = BATCH_ROWS.labels(*labels)
        self._queue_seconds = QUEUE_SECONDS.labels(*labels)
        self._engine_seconds = ENGINE_SECONDS.labels(*labels)

    def batch(self, rows: int, queue_seconds: Sequence[float], engine_seconds: float) -> None:
        self._rows.inc(rows)
        self._batch_rows.observe(rows)
        self._engine_seconds.observe(engine_seconds)
        self._queue_seconds.observe_all(queue_seconds)

    def not_finite(self, outputs: Sequence[str], rows: int) -> None:
        for output in outputs:
            NOT_FINITE.labels(*self._labels, output).inc(rows)


class ShadowMetrics:
    """The metrics of one model version beside which another is asked."""

    def __init__(self, model: str, version: int, shadow: int) -> None:
        self._labels = (model, str(version), str(shadow))
        self._told: set[tuple[str, str]] = set()

    def difference(self, output: str, amount: float) -> None:
        SHADOW_DIFFERENCE.labels(*self._labels, output).observe(amount)

    def other_labels(self, output: str, rows: int) -> None:
        SHADOW_LABELS.labels(*self._labels, output).inc(rows)

    def mismatch(self, name: str, what: str) -> bool:
        """Whether it is the first of its kind."""
        first = (name, what) not in self._told
        self._told.add((name, what))
        SHADOW_MISMATCHES.labels(*self._labels, name, what).inc()
        return first


def count_shadow(model: str, version: int, shadow: int, outcome: str, rows: int) -> None:
    """What became of rows that a shadow was to be asked."""
    shadow_counter(model, version, shadow, outcome).inc(rows)


def count_request(label: Label, dialect: str, status: int) -> None:
    """One answered request for a model and version; those that are not served count as "", so that labels stay few."""
    request_counter(label, dialect, status).inc()


def count_error(label: Label, reason: str) -> None:
    """One request that got an error, by the slug of its class."""
    error_counter(label, reason).inc()


def count_refusal(label: Label, dialect: str, status: int, reason: str) -> None:
    """One more request that is refused as another was before."""
    count_request(label, dialect, status)
    count_error(label, reason)


def count_refused(model: str, version: int, reason: str) -> None:
    """One version that was not taken."""
    REFUSED.labels(model, str(version), reason).inc()


def count_dropped(what: str, number: int) -> None:
    """So many spans, or lines of the log, that nobody took in time."""
    DROPPED.labels(what).inc(number)


@functools.lru_cache(1024)
def shadow_counter(model: str, version: int, shadow: int, outcome: str) -> Counter:
    """The counter of these labels, looked up once."""
    counter: Counter = SHADOW_ROWS.labels(model, str(version), str(shadow), outcome)
    return counter


@functools.lru_cache(1024)
def request_counter(label: Label, dialect: str, status: int) -> Counter:
    """The counter of these labels, looked up once."""
    counter: Counter = REQUESTS.labels(*label, dialect, str(status))
    return counter


@functools.lru_cache(1024)
def error_counter(label: Label, reason: str) -> Counter:
    """The counter of these labels, looked up once."""
    counter: Counter = ERRORS.labels(*label, reason)
    return counter


@functools.lru_cache(1024)
def key_counter(key: str, status: int) -> Counter:
    """The counter of requests that showed a key of this name, "" for none that is known."""
    counter: Counter = KEY_REQUESTS.labels(key, str(status))
    return counter
