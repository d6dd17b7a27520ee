"""Calls that are told: in traces, as the semantic conventions have gRPC, and in the log."""

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from service.app import REQUEST_ID, request_id
from service.grpc.calls import CANCELLED, CODES, OK, Call, MakeCall
from service.telemetry.record import CURRENT
from service.telemetry.whole import Telemetry


class RecordedCall(Call):
    """A call with a record of it; its client may say which request of its own it is, as over HTTP."""

    def __init__(self, deadline: float, rpc: Any, path: str, received: int, telemetry: Telemetry) -> None:
        super().__init__(deadline)
        shown = {name: value for name, value in rpc.invocation_metadata() or () if type(value) is str}
        given = shown.get("x-request-id", "")
        self._telemetry = telemetry
        self._record = record = telemetry.begin(
            given if REQUEST_ID.fullmatch(given) else request_id(), shown.get("traceparent"), shown.get("tracestate")
        )
        record.dialect, record.received = "grpc", received
        record.route, record.name = path, path.removeprefix("/")
        record.method = path.rpartition("/")[2]

    def during(self, answer: Callable[[], bytes]) -> bytes:
        token = CURRENT.set(self._record)
        try:
            return answer()
        finally:
            CURRENT.reset(token)

    def end(self, status: int, sent: int) -> None:
        record, code = self._record, code_of(status).name
        record.label, record.status, record.sent = self.label, status, sent
        record.key = self.key.name if self.key else ""
        record.attributes = {
            "rpc.system.name": "grpc",
            "rpc.method": record.name,
            "rpc.response.status_code": code,
        } | ({} if code == "OK" else {"error.type": code})
        self._telemetry.end(record)


def code_of(status: int) -> grpc.StatusCode:
    """gRPC's code of a status, as a call is counted.

    >>> code_of(200).name, code_of(429).name, code_of(499).name
    ('OK', 'RESOURCE_EXHAUSTED', 'CANCELLED')
    """
    own = {OK: grpc.StatusCode.OK, CANCELLED: grpc.StatusCode.CANCELLED}
    return own.get(status) or CODES.get(status, grpc.StatusCode.INTERNAL)


def maker(telemetry: Telemetry) -> MakeCall:
    """Makes calls that are told."""
    return partial(RecordedCall, telemetry=telemetry)
