"""Every metric, written at one place; Prometheus, and right under several worker processes.

`prometheus_client` decides when it is imported whether processes share their numbers: PROMETHEUS_MULTIPROC_DIR must be
set before, which `python -m service serve` does.
"""

import functools
import os
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

from service import remains

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class BulkHistogram(Histogram):
    """A histogram that takes many amounts at once."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """`observe` of each, in a fraction of the time."""
        buckets = [bisect_left(self._upper_bounds, amount) for amount in amounts]
        for bucket in set(buckets):
            self._buckets[bucket].inc(buckets.count(bucket))
        self._sum.inc(sum(amounts))


REQUESTS = Counter("manifold_requests_total", "Requests answered.", ["model", "version", "dialect", "status"])
KEY_REQUESTS = Counter("manifold_key_requests_total", "Requests by the name of their API key.", ["key", "status"])
PREDICTED_ROWS = Counter("manifold_rows_total", "Rows the engine answered.", ["model", "version"])
BATCH_ROWS = Histogram("manifold_batch_rows", "Rows the engine saw at once.", ["model", "version"], buckets=ROWS)
QUEUE_SECONDS = BulkHistogram("manifold_queue_seconds", "Seconds a job waited.", ["model", "version"], buckets=SECONDS)
ENGINE_SECONDS = Histogram(
    "manifold_engine_seconds", "Seconds of one engine call.", ["model", "version"], buckets=SECONDS
)
REFUSED = Counter("manifold_versions_refused_total", "Versions refused.", ["model", "version", "reason"])
NOT_FINITE = Counter(
    "manifold_not_finite_rows_total", "Rows of requests refused for NaN or infinity.", ["model", "version", "output"]
)
DIFFERENCES = (0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1, 10)
SHADOW_ROWS = Counter(
    "manifold_shadow_rows_total",
    "Rows that a shadow was to be asked: compared, failed, skipped (it was busy), unread (it reads other inputs).",
    ["model", "version", "shadow", "outcome"],
)
SHADOW_DIFFERENCE = Histogram(
    "manifold_shadow_difference",
    "Largest difference of a shadow's answer, relative to numbers above 1.",
    ["model", "version", "shadow", "output"],
    buckets=DIFFERENCES,
)
SHADOW_LABELS = Counter(
    "manifold_shadow_other_labels_total",
    "Rows for which a shadow has another label.",
    ["model", "version", "shadow", "output"],
)
SHADOW_MISMATCHES = Counter(
    "manifold_shadow_mismatches_total",
    "Inputs and outputs that a shadow lacks, has beyond, or has otherwise.",
    ["model", "version", "shadow", "name", "mismatch"],
)


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


@functools.lru_cache(1024)
def shadow_counter(model: str, version: int, shadow: int, outcome: str) -> Counter:
    """The counter of these labels, looked up once."""
    counter: Counter = SHADOW_ROWS.labels(model, str(version), str(shadow), outcome)
    return counter


def count_request(label: tuple[str, str], dialect: str, status: int) -> None:
    """One answered request for a model and version; those that are not served count as "", so that labels stay few."""
    request_counter(label, dialect, status).inc()


def count_refused(model: str, version: int, reason: str) -> None:
    """One version that was not taken."""
    REFUSED.labels(model, str(version), reason).inc()


@functools.lru_cache(1024)
def request_counter(label: tuple[str, str], dialect: str, status: int) -> Counter:
    """The counter of these labels, looked up once."""
    counter: Counter = REQUESTS.labels(*label, dialect, str(status))
    return counter


@functools.lru_cache(1024)
def key_counter(key: str, status: int) -> Counter:
    """The counter of requests that showed a key of this name, "" for none that is known."""
    counter: Counter = KEY_REQUESTS.labels(key, str(status))
    return counter


def exposition() -> tuple[bytes, str]:
    """All metrics of all worker processes in Prometheus' text format, and its content type."""
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        with remains.locked(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])):
            return generate_latest(registry), CONTENT_TYPE_LATEST
    return generate_latest(registry), CONTENT_TYPE_LATEST
