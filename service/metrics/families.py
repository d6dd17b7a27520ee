"""Every metric that is kept between two scrapes, in one list; docs/metrics.md explains each, by a test.

`prometheus_client` decides when it is imported whether processes share their numbers: PROMETHEUS_MULTIPROC_DIR must be
set before, which `python -m service serve` does. A gauge is of processes that live: one of the modes `live…`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.samples import Sample

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
DIFFERENCES = (0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1, 10)


class Standing(Gauge):
    """A gauge of those processes that set it.

    One that only imports it, as that of a device or the one that pulls, would else have it at 0: the least of all.
    """

    def _metric_init(self) -> None:
        """`set` does so, the first time."""

    def set(self, value: float) -> None:
        if not hasattr(self, "_value"):
            super()._metric_init()
        super().set(value)

    def _child_samples(self) -> Iterable[Sample]:
        return super()._child_samples() if hasattr(self, "_value") else ()


class BulkHistogram(Histogram):
    """A histogram that takes many amounts at once."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """`observe` of each, in a fraction of the time."""
        buckets = [bisect_left(self._upper_bounds, amount) for amount in amounts]
        for bucket in set(buckets):
            self._buckets[bucket].inc(buckets.count(bucket))
        self._sum.inc(sum(amounts))


MODEL = ("model", "version")
SHADOW = (*MODEL, "shadow")

REQUESTS = Counter("manifold_requests_total", "Requests answered.", [*MODEL, "dialect", "status"])
ERRORS = Counter("manifold_errors_total", "Requests answered with an error, by its kind.", [*MODEL, "reason"])
KEY_REQUESTS = Counter("manifold_key_requests_total", "Requests by the name of their API key.", ["key", "status"])
REQUEST_SECONDS = BulkHistogram(
    "manifold_request_seconds",
    "Seconds from a whole request to its answer, of those that got no error.",
    [*MODEL, "dialect"],
    buckets=SECONDS,
)
QUEUE_SECONDS = BulkHistogram("manifold_queue_seconds", "Seconds a job waited.", MODEL, buckets=SECONDS)
ENGINE_SECONDS = Histogram("manifold_engine_seconds", "Seconds of one engine call.", MODEL, buckets=SECONDS)
ENCODE_SECONDS = BulkHistogram(
    "manifold_encode_seconds", "Seconds from a request's outputs to the bytes of its answer.", MODEL, buckets=SECONDS
)
PREDICTED_ROWS = Counter("manifold_rows_total", "Rows the engine answered.", MODEL)
BATCH_ROWS = Histogram("manifold_batch_rows", "Rows the engine saw at once.", MODEL, buckets=ROWS)
NOT_FINITE = Counter(
    "manifold_not_finite_rows_total", "Rows of requests refused for NaN or infinity.", [*MODEL, "output"]
)
REFUSED = Counter("manifold_versions_refused_total", "Versions refused.", [*MODEL, "reason"])

DROPPED = Counter("manifold_telemetry_dropped_total", "Spans and log lines that nobody took.", ["what"])

SHADOW_ROWS = Counter(
    "manifold_shadow_rows_total",
    "Rows that a shadow was to be asked: compared, failed, skipped (it was busy), unread (it reads other inputs).",
    [*SHADOW, "outcome"],
)
SHADOW_DIFFERENCE = Histogram(
    "manifold_shadow_difference",
    "Largest difference of a shadow's answer, relative to numbers above 1.",
    [*SHADOW, "output"],
    buckets=DIFFERENCES,
)
SHADOW_LABELS = Counter(
    "manifold_shadow_other_labels_total", "Rows for which a shadow has another label.", [*SHADOW, "output"]
)
SHADOW_MISMATCHES = Counter(
    "manifold_shadow_mismatches_total",
    "Inputs and outputs that a shadow lacks, has beyond, or has otherwise.",
    [*SHADOW, "name", "mismatch"],
)

READY = Standing("manifold_ready", "1 if every worker is ready.", multiprocess_mode="livemin")
IN_FLIGHT = Standing("manifold_in_flight", "Requests that wait for their answer.", multiprocess_mode="livesum")
QUEUE_ROWS = Standing("manifold_queue_rows", "Rows that wait.", MODEL, multiprocess_mode="livesum")
ROOM = Standing(
    "manifold_room_used_ratio",
    "Share of what the fullest worker may hold, in rows or bytes.",
    ["of"],
    multiprocess_mode="livemax",
)
DEVICE_MEMORY = Standing(
    "manifold_device_memory_bytes",
    "Bytes that TensorFlow has on an accelerator, now (current) and at most so far (peak).",
    ["device", "kind"],
    multiprocess_mode="livesum",
)

WORKERS = Standing("manifold_workers", "HTTP workers that live.", multiprocess_mode="livesum")
WORKER_STARTS = Counter("manifold_worker_starts_total", "HTTP workers that have loaded.")
WORKER_CPU = Counter("manifold_worker_cpu_seconds_total", "Processor seconds of the HTTP workers.")
WORKER_LAG = Histogram(
    "manifold_worker_loop_lag_seconds",
    "Seconds that a worker's event loop let a callback wait, tried once a second.",
    buckets=SECONDS,
)
WORKER_MEMORY = Standing("manifold_worker_resident_bytes", "Memory of a worker.", multiprocess_mode="liveall")
WORKER_FILES = Standing("manifold_worker_open_files", "Files a worker has open.", multiprocess_mode="liveall")

FLEET_CALLS = Counter(
    "manifold_fleet_calls_total", "Batches sent to a replica, by gRPC's code of the answer.", ["replica", "code"]
)
FLEET_SECONDS = Histogram("manifold_fleet_seconds", "Seconds of a batch on a replica.", ["replica"], buckets=SECONDS)
FLEET_UP = Standing(
    "manifold_fleet_replica_up",
    "1 if a replica said how it is when every worker last asked it.",
    ["replica"],
    multiprocess_mode="livemin",
)

STORAGE_UP = Standing(
    "manifold_storage_up",
    "Whether the last look at a store at a URL reached it.",
    ["store"],
    multiprocess_mode="livemostrecent",
)
STORAGE_SUCCESS = Standing(
    "manifold_storage_last_success_timestamp_seconds",
    "When a look at a store at a URL last reached it, or the process began that looks.",
    ["store"],
    multiprocess_mode="livemostrecent",
)
STORAGE_CACHE = Standing(
    "manifold_storage_cache_bytes",
    "Bytes of what lies here of a store at a URL.",
    ["store"],
    multiprocess_mode="livemostrecent",
)
PULLED_VERSIONS = Counter("manifold_storage_pulled_versions_total", "Versions pulled from a store at a URL.", ["model"])
PULLED_BYTES = Counter("manifold_storage_pulled_bytes_total", "Bytes of the versions pulled.", ["model"])
NOT_PULLED = Counter(
    "manifold_storage_refused_total",
    "Versions not pulled: incomplete, checksum, unsafe, unreadable, disk.",
    [*MODEL, "reason"],
)
