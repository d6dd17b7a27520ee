"""One connection to one server: bytes out, bytes in, or a Failed. The seam to gRPC, which the tests' fake takes."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import grpc

from service.engines.tf_serving.failures import UNREACHED, Failed
from service.telemetry.record import outgoing

Answer = Callable[[], bytes]
"""Waits for the response of a call that was begun; raises Failed."""

OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_http_proxy", 0),
    ("grpc.service_config_disable_resolution", 1),
]
"""A batch is as large as it is; a replica that comes back is found within a second; nothing goes through a proxy."""

PUSHBACK = {"grpc-retry-pushback-ms": 1000, "retry-after": 1}
"""Trailing metadata that says when to come back (gRFC A6, and service/grpc), and its parts of a second."""

LONGEST = 86400.0
"""Seconds; who says more, or what is no number of seconds, says nothing."""


class Link(Protocol):
    """What a replica needs of a connection."""

    def call(self, method: str, request: bytes, seconds: float) -> bytes:
        """The response within so many seconds, in the trace of the batch that is computed here; Failed."""

    def begin(self, method: str, request: bytes, seconds: float) -> Answer:
        """The same, under way; it raises nothing itself."""

    def close(self) -> None:
        """End it, and all that is under way."""


class Channel(Link):
    """A link over gRPC. Channels of one process to one address share a connection."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, OPTIONS)
        self._methods: dict[str, Any] = {}

    def call(self, method: str, request: bytes, seconds: float) -> bytes:
        return answered(lambda: self._method(method)(request, timeout=seconds, metadata=outgoing()))

    def begin(self, method: str, request: bytes, seconds: float) -> Answer:
        try:
            under_way = self._method(method).future(request, timeout=seconds)
        except ValueError:
            return lambda: self.call(method, request, seconds)
        return lambda: answered(under_way.result)

    def close(self) -> None:
        self._channel.close()

    def _method(self, method: str) -> Any:
        if method not in self._methods:
            self._methods[method] = self._channel.unary_unary(method)
        return self._methods[method]


def answered(call: Callable[[], bytes]) -> bytes:
    """The response; Failed."""
    try:
        return call()
    except grpc.RpcError as error:
        raise Failed(error.code().name, error.details() or "", after(error.trailing_metadata() or ())) from None
    except ValueError:  # another thread has closed the channel: nothing was sent
        raise Failed("UNAVAILABLE", f"{UNREACHED}: the connection was closed") from None


def after(metadata: Iterable[tuple[str, Any]]) -> float | None:
    """The seconds after which a server wants to be asked again, if it says so.

    >>> after([("retry-after", "2"), ("grpc-retry-pushback-ms", "1250")]), after([("retry-after", "soon")])
    (1.25, None)
    >>> after([("retry-after", "inf")]), after([("grpc-retry-pushback-ms", "-1")])
    (None, None)
    """
    said = dict(metadata)
    for name, parts in PUSHBACK.items():
        with contextlib.suppress(KeyError, ValueError):
            seconds = float(said[name]) / parts
            if 0 <= seconds <= LONGEST:
                return seconds
    return None
