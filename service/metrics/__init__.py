"""What the service counts and measures, for Prometheus, and right under several worker processes.

    what is counted   counting.py ─╮
    what is timed     pending.py  ─┼─▶ families.py ─▶ a file per process ─▶ exposition.py ─▶ scrapes.py ─▶ GET /metrics
    what stands now   sampling.py ─╯                                        models.py ────▶

Counters and histograms of a process that has ended are kept (service/remains.py); what stood in it is gone with it.
"""

from service.metrics.counting import (
    UNDER_WAY,
    ModelMetrics,
    ShadowMetrics,
    count_dropped,
    count_error,
    count_refusal,
    count_refused,
    count_request,
    count_shadow,
    key_counter,
)
from service.metrics.pending import encode_seconds, flush, request_seconds

__all__ = [
    "UNDER_WAY",
    "ModelMetrics",
    "ShadowMetrics",
    "count_dropped",
    "count_error",
    "count_refusal",
    "count_refused",
    "count_request",
    "count_shadow",
    "encode_seconds",
    "flush",
    "key_counter",
    "request_seconds",
]
