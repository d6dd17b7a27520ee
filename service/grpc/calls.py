"""One call: its bytes in, its method in a greenlet of the event loop, its bytes or its status out, counted once."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from service import metrics
from service.access.guard import Guard
from service.access.keys import Key, Scope
from service.dialects.tfs.errors import Malformed
from service.errors import DeadlineExceeded, ServiceError
from service.grpc import guarded
from service.handle import Label, ModelHandle, Prediction, Wait
from service.server import run
from service.settings import Settings
from service.tensors import Group
from service.versions.catalog import Catalog

LOG = logging.getLogger("manifold.grpc")

CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""gRPC's code of an HTTP status; INTERNAL of all others."""

OK, LATE, CANCELLED = 200, 504, 499
"""How a call is counted: answered, or given up by its client."""
GIVEN_UP = {LATE: DeadlineExceeded.slug, CANCELLED: "cancelled"}

MOST_BYTES = 2000
"""Of a message in a status: percent-encoded, three times as many still pass every client's limit on metadata, 8 KiB."""

Answer = Callable[[bytes, Any], Awaitable[bytes]]


class Call:
    """One call: when it must be answered, a time.monotonic() second, and for whom it is counted."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.label = Label()
        self.key: Key | None = None
        self.prediction: Prediction | None = None

    def ask(self, handle: ModelHandle, groups: Sequence[Group], context: "Context") -> Prediction:
        """Ask the handle, and remember when it had answered."""
        self.prediction = handle.predict_groups(groups, self.deadline, context.wait)
        return self.prediction

    def on(self, handle: ModelHandle) -> ModelHandle:
        """Count the call for this handle, whatever becomes of it."""
        self.label = handle.label
        return handle

    def during(self, answer: Callable[[], bytes]) -> bytes:
        """The answer, made in the greenlet of the call."""
        return answer()

    def end(self, status: int, sent: int) -> None:
        """It has been answered, with a status as HTTP has it, and so many bytes."""


MakeCall = Callable[[float, Any, str, int], Call]
"""From its deadline, the library's call, its method's path and the bytes of its request."""


def plain(deadline: float, _rpc: Any, _path: str, _received: int) -> Call:
    """A call of which nobody is told."""
    return Call(deadline)


@dataclass(frozen=True)
class Context:
    """What every method needs."""

    settings: Settings
    catalog: Catalog
    wait: Wait
    guard: Guard | None = None
    make_call: MakeCall = plain


Method = Callable[[Any, Call, Context], Any]
"""From a request to a response; raises ServiceError."""


class Unforeseen(ServiceError):
    """An error nobody foresaw; the log has more."""


def answering(
    method: Method, request_class: Any, context: Context, scope: Scope = Scope.ADMIN, path: str = ""
) -> Answer:
    """A method as grpc.aio calls it, with the bytes of a request; `scope` is what its caller's key needs."""

    async def answer(data: bytes, rpc: Any) -> bytes:
        try:
            return await counted(data, rpc)
        except ServiceError as error:
            await refuse(rpc, error)

    async def counted(data: bytes, rpc: Any) -> bytes:
        began = time.perf_counter()
        deadline = time.monotonic() + seconds(rpc.time_remaining(), context.settings)
        call = context.make_call(deadline, rpc, path, len(data))
        status, response = OK, b""
        metrics.UNDER_WAY.add(call)
        try:
            call.key = guarded.identify(context.guard, rpc)
            response = await run(lambda: call.during(lambda: entered(data, call)))
            measure(call, began)
        except ServiceError as error:
            status = error.status
            metrics.count_error(call.label, error.slug)
            raise
        except asyncio.CancelledError:
            status = LATE if rpc.time_remaining() == 0 else CANCELLED
            metrics.count_error(call.label, GIVEN_UP[status])
            raise
        finally:  # before the client hears of it, so that it finds itself counted
            metrics.UNDER_WAY.discard(call)
            metrics.count_request(call.label, "grpc", status)
            guarded.count(context.guard, call.key, status)
            call.end(status, len(response))
        return response

    def entered(data: bytes, call: Call) -> bytes:
        def answer() -> bytes:
            return respond(method, parse(request_class, data), call, context)

        return guarded.entered(context.guard, call.key, scope, lambda: parse(request_class, data), answer)

    return answer


def measure(call: Call, began: float) -> None:
    """Count what a call took that was answered, a time.perf_counter() second after it began, and its encoding."""
    now = time.perf_counter()
    metrics.request_seconds(call.label, "grpc").add(now - began)
    if call.prediction is not None:
        metrics.encode_seconds(call.label).add(now - call.prediction.made)


async def refuse(rpc: Any, error: ServiceError) -> NoReturn:
    """End a call with an error."""
    await rpc.abort(*described(error))
    raise AssertionError("abort raises. This is a bug.")


def seconds(remaining: float | None, settings: Settings) -> float:
    """The client's deadline, never later than the setting."""
    return settings.request_timeout if remaining is None else min(remaining, settings.request_timeout)


def parse(request_class: Any, data: bytes) -> Any:
    """A message from its bytes; Malformed."""
    try:
        return request_class.FromString(data)
    except DecodeError:
        raise Malformed(f"the request is no {request_class.DESCRIPTOR.full_name}") from None


def respond(method: Method, request: Any, call: Call, context: Context) -> bytes:
    """A method's response in bytes; ServiceError, whatever is raised."""
    try:
        data: bytes = method(request, call, context).SerializeToString()
    except ServiceError:
        raise
    except Exception as error:
        LOG.exception("%s failed", getattr(method, "__name__", method))
        raise Unforeseen("an error nobody foresaw; the server's log has more") from error
    return data


def described(error: ServiceError) -> tuple[grpc.StatusCode, str, tuple[tuple[str, str], ...]]:
    """Code, message and trailing metadata of an error; a client with a retry policy heeds the pushback (gRFC A6)."""
    retry: tuple[tuple[str, str], ...] = () if error.retry_after is None else (("retry-after", str(error.retry_after)),)
    if error.retry_ms is not None:
        retry += (("grpc-retry-pushback-ms", str(error.retry_ms)),)
    message = str(error).encode(errors="replace")[:MOST_BYTES].decode(errors="ignore")
    return CODES.get(error.status, grpc.StatusCode.INTERNAL), message, retry
