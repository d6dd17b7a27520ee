"""Everything that can go wrong on a request's way, one class per reason; each knows its HTTP status.

    bytes ─▶ dialect ──▶ catalog ──────▶ schemas ─────▶ batcher ─────────▶ engine
             MalformedBody  ModelNotFound    InvalidInput   QueueFull         EngineFailed
             BodyTooLarge   VersionNotFound                 Overloaded        NotFinite
             UnsupportedCoding  ModelNotReady               DeadlineUnreachable
             Overloaded                                     Draining
             Unauthenticated, Forbidden, KeyBusy            DeadlineExceeded
             StreamsTaken                                   EngineHung

Errors cut across on the way back: one handler per dialect turns them into that dialect's body.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self


class ServiceError(Exception):
    """The root; `str(error)` is what the client reads. `slug` names the problem in URNs, metrics and docs."""

    status = 500
    title = "Internal error"
    slug = "internal"
    retry_after: int | None = None
    """Seconds after which trying again makes sense, where it does: whole ones, as HTTP wants them, and at least 1."""
    retry_ms: int | None = None
    """The same in milliseconds, where it was computed."""
    shut: float = 0.0
    """Seconds for which every request of this model is refused alike."""

    challenge: str | None = None
    """How a client may show who it is, where that would help (RFC 9110, section 11.6.1)."""

    def wait(self, seconds: float) -> Self:
        """This error, which says that trying again makes sense after so many seconds.

        >>> error = QueueFull("too many").wait(1.2345)
        >>> error.retry_after, error.retry_ms
        (2, 1235)
        """
        self.retry_after = max(1, math.ceil(seconds))
        self.retry_ms = math.ceil(1000 * seconds)
        return self


class Unauthenticated(ServiceError):
    """A key is needed and there is none, or one that is not known or has expired."""

    status = 401
    title = "Unauthenticated"
    slug = "unauthenticated"
    challenge = 'Bearer realm="manifold"'


class Forbidden(ServiceError):
    """The key lacks the scope this needs, or is for other models."""

    status = 403
    title = "Forbidden"
    slug = "forbidden"


class KeyBusy(ServiceError):
    """As many requests of the key are being answered as may be at once."""

    status = 429
    title = "Key busy"
    slug = "key-busy"
    retry_after: int | None = 1


class MalformedBody(ServiceError):
    """The body is not JSON, or not of the shape the path asks for."""

    status = 400
    title = "Malformed body"
    slug = "malformed-body"

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class BodyTooLarge(ServiceError):
    """The body is larger than `max_body_bytes`."""

    status = 413
    title = "Body too large"
    slug = "body-too-large"


class UnsupportedCoding(ServiceError):
    """The body comes in a Content-Encoding that is not read here."""

    status = 415
    title = "Unsupported content coding"
    slug = "unsupported-coding"


class ModelNotFound(ServiceError):
    """No model of that name is configured."""

    status = 404
    title = "Model not found"
    slug = "model-not-found"


class VersionNotFound(ServiceError):
    """The model is served, but not in that version."""

    status = 404
    title = "Version not found"
    slug = "version-not-found"


class ModelNotReady(ServiceError):
    """The model is still loading, or could not be loaded."""

    status = 503
    title = "Model not ready"
    slug = "model-not-ready"
    retry_after: int | None = 1


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a body: where (a JSON pointer, RFC 6901) and what."""

    pointer: str
    detail: str


def placed(pointer: str, detail: str) -> str:
    """What is wrong, after where; the whole body needs no place.

    >>> placed("/x/0", "expected a number"), placed("", "expected an object")
    ('/x/0: expected a number', 'expected an object')
    """
    return f"{pointer}: {detail}" if pointer else detail


class InvalidInput(ServiceError):
    """The body is JSON, but not what the model takes; all faults at once, and an example that would have worked."""

    status = 422
    title = "Invalid input"
    slug = "invalid-input"

    def __init__(self, faults: Sequence[Fault], example: Any = None) -> None:
        super().__init__("; ".join(placed(fault.pointer, fault.detail) for fault in faults))
        self.faults = tuple(faults)
        self.example = example


class QueueFull(ServiceError):
    """More waits for this model than may: rows, bytes, or seconds of computing."""

    status = 429
    title = "Queue full"
    slug = "queue-full"
    retry_after = 1


class Overloaded(ServiceError):
    """The worker holds as much as it may, for all models and bodies together."""

    status = 429
    title = "Overloaded"
    slug = "overloaded"
    retry_after = 1


class DeadlineUnreachable(ServiceError):
    """What waits and the request itself take longer than the request allows, by what the last batches took."""

    status = 503
    title = "Deadline out of reach"
    slug = "deadline-unreachable"
    retry_after = 1


class StreamsTaken(ServiceError):
    """The worker has as many streams of events as it may; what they tell can be asked for, too."""

    status = 503
    title = "No stream free"
    slug = "streams-taken"
    retry_after = 30


class Draining(ServiceError):
    """The model is being unloaded or the server is stopping; another replica may answer."""

    status = 503
    title = "Shutting down"
    slug = "draining"
    retry_after = 1


class DeadlineExceeded(ServiceError):
    """The answer was not there in the time the request allows."""

    status = 504
    title = "Deadline exceeded"
    slug = "deadline-exceeded"


class EngineFailed(ServiceError):
    """The model itself raised, or returned something other than its signature promises."""

    status = 500
    title = "The model failed"
    slug = "engine-failed"


class NotFinite(ServiceError):
    """An output is NaN or infinite, which the model's policy refuses."""

    status = 500
    title = "Not a finite answer"
    slug = "not-finite"


class EngineHung(ServiceError):
    """A call of the engine does not come back; the worker that made it is replaced."""

    status = 503
    title = "The model hangs"
    slug = "engine-hung"
    retry_after = 1
