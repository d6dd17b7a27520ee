"""A line of the log for each request, or for a share of them."""

import logging
from binascii import crc32
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from service.batching.jobs import Answer
from service.logs import Fields
from service.telemetry.record import Record, outcome

LOG = logging.getLogger("manifold.access")


class Access:
    """Logs this share of all requests, the same ones at every server that they pass; failures of the service always."""

    def __init__(self, share: float, log: Callable[[Fields], object] = LOG.info) -> None:
        self._most = round(share * 2**32)
        self._log = log

    def __call__(self, record: Record) -> None:
        if record.status >= HTTPStatus.INTERNAL_SERVER_ERROR or crc32(record.request_id.encode()) < self._most:
            self._log(Fields(fields(record)))


def fields(record: Record) -> Mapping[str, Any]:
    """What a request's line says; no query, no header and nothing of a body is in it."""
    found = [answer for job in record.jobs if isinstance(answer := outcome(job), Answer)]
    model, version = record.label
    told = {
        "message": f"{record.name} {record.status}",
        "method": record.method,
        "route": record.route,
        "path": record.path,
        "status": record.status,
        "dialect": record.dialect,
        "model": model,
        "version": version,
        "key": record.key,
        "rows": record.rows or "",
        "seconds": round(record.seconds, 6),
        "received_bytes": record.received,
        "sent_bytes": record.sent,
        "request_id": record.request_id,
        "trace_id": record.trace_id,
    }
    if found:
        told["queue_ms"] = round(1e3 * max(answer.queue_seconds for answer in found), 3)
        told["engine_ms"] = round(1e3 * max(answer.engine_seconds for answer in found), 3)
        told["batch_rows"] = max(answer.batch_rows for answer in found)
    return {name: value for name, value in told.items() if value != ""}
