"""What every dialect does with HTTP: a JSON body in, a deadline, JSON and headers out."""

import contextlib
import json
import math
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from flask import Request, Response, has_request_context
from werkzeug.exceptions import RequestEntityTooLarge

from service.batching.overload import REFUSED, Refused
from service.dialects.bodies import crowd, numbers
from service.dialects.bodies.coding import inflate
from service.errors import BodyTooLarge, Fault, InvalidInput, MalformedBody, ServiceError
from service.handle import Label, ModelHandle, Prediction
from service.metrics import count_error, count_refusal, encode_seconds
from service.outputs import JSON
from service.schemas import escape
from service.settings import Settings
from service.web import current_request

EXPLAINED_BYTES = 1_000_000
"""A larger body that is no JSON is refused without looking for the culprit twice."""


def is_real() -> bool:
    """Whether the rows of the request under way are: its client may say `X-Drift: off` of those that it made up."""
    return not has_request_context() or current_request().environ.get("HTTP_X_DRIFT") != "off"


def read_json() -> Any:
    """The request's body as JSON; BodyTooLarge or MalformedBody."""
    return parse(read_body())


def parse_rows(body: bytes) -> Any:
    """JSON in which the numbers of a row may stand as an array already; MalformedBody, BodyTooLarge."""
    crowd.check(body)
    if len(body) >= numbers.LARGE:
        with contextlib.suppress(Exception):  # it leaves to orjson what it cannot read
            return numbers.loads(body)
    return parse(body)


def read_body() -> bytes:
    """The request's body, inflated; BodyTooLarge, UnsupportedCoding, or MalformedBody where it breaks off."""
    request = current_request()
    limit = request.max_content_length or 0
    try:
        body = received(request, limit)
    except RequestEntityTooLarge:
        raise BodyTooLarge(f"the body is larger than {limit} bytes; send fewer rows at a time") from None
    except Exception as error:  # each WSGI server raises its own
        raise MalformedBody("the body cannot be read: it broke off, or its chunks are none") from error
    codings = request.environ.get("HTTP_CONTENT_ENCODING")
    return inflate(body, codings, limit) if codings else body


def received(request: Request, limit: int) -> bytes:
    """The bytes of a body; RequestEntityTooLarge, and whatever the WSGI server raises.

    Of a known length they are read at once: werkzeug's streams cost as much as a small model.
    """
    declared = request.environ.get("CONTENT_LENGTH", "")
    if declared.isdecimal() and int(declared) <= limit:
        body: bytes = request.environ["wsgi.input"].read(int(declared))
        if len(body) < int(declared):
            raise EOFError
        return body
    body = request.get_data()
    if len(body) == limit and request.content_length is None:
        request.stream.read(1)  # a body without a declared length was cut there; this raises
    return body


def parse(body: bytes) -> Any:
    """JSON; MalformedBody, BodyTooLarge, or InvalidInput of a number that is not finite."""
    crowd.check(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise explain(body, str(error)) from None


def explain(body: bytes, reason: str) -> ServiceError:
    """Why a body is no JSON; InvalidInput where it only fails for NaN, Infinity or a number beyond every float."""
    if not body.strip():
        return MalformedBody("the body is empty; send JSON")
    if "depth" in reason:
        return MalformedBody("the body is nested too deep")
    if len(body) <= EXPLAINED_BYTES:
        try:
            lenient = json.loads(body)
        except (ValueError, RecursionError):
            lenient = None
        pointer = non_finite(lenient)
        if pointer is not None:
            return InvalidInput([Fault(pointer, "expected a finite number")])
    return MalformedBody(f"the body is not JSON: {reason}")


def non_finite(value: Any) -> str | None:
    """The pointer of the first number that is not finite, if there is one."""
    waiting = [("", value)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, float) and not math.isfinite(value):
            return pointer.encode("utf-8", "replace").decode()
        if isinstance(value, dict):
            waiting += reversed([(f"{pointer}/{escape(key)}", inner) for key, inner in value.items()])
        elif isinstance(value, list):
            waiting += reversed([(f"{pointer}/{index}", inner) for index, inner in enumerate(value)])
    return None


def deadline(settings: Settings) -> float:
    """The time.monotonic() second at which the request gives up: X-Request-Timeout, never later than the setting."""
    text = current_request().environ.get("HTTP_X_REQUEST_TIMEOUT")
    seconds = settings.request_timeout
    if text is not None:
        try:
            asked = float(text)
        except ValueError:
            asked = math.nan
        if not asked > 0:
            raise InvalidInput([Fault("", f"expected X-Request-Timeout in seconds, above 0, got {text[:40]!r}")])
        seconds = min(asked, seconds)
    return time.monotonic() + seconds


LABEL = "manifold.label"
"""Where the environment has the label of who a request is counted for."""
NOBODY = Label()
"""Of requests for no model."""


def label(handle: ModelHandle) -> None:
    """Count the request for this handle, whatever becomes of it."""
    current_request().environ[LABEL] = handle.label


def json_response(value: Any, status: int = 200, mimetype: str = "application/json") -> Response:
    """JSON with NumPy arrays and numbers in it."""
    return Response(orjson.dumps(value, option=JSON), status, content_type=mimetype)


def with_hint(response: Response, error: ServiceError) -> Response:
    """A refusal that says when to try again, or how to show who one is, where that makes sense."""
    if error.challenge is not None:
        response.headers["WWW-Authenticate"] = error.challenge
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if error.retry_ms is not None:
        response.headers["Retry-After-Ms"] = str(error.retry_ms)
    if has_request_context():
        mark(error)
    return response


def mark(error: ServiceError) -> None:
    """Count an error by its reason, and tell the worker of a refusal for want of room or time."""
    request = current_request()
    counted = request.environ.get(LABEL, NOBODY)
    count_error(counted, error.slug)
    if error.retry_ms is not None:
        told = partial(count_refusal, counted, request.blueprint or "", error.status, error.slug)
        request.environ[REFUSED] = Refused(error.shut, told)


def bad_request(status: int) -> int:
    """A status in the protocols that call an invalid input a bad request."""
    return 400 if status == 422 else status


def describe(response: Response, handle: ModelHandle, prediction: Prediction) -> Response:
    """Say on the response which version answered, and what it took, in milliseconds (W3C Server-Timing).

    Its body stands by now: what that took is counted.
    """
    encode_seconds(handle.label).add(time.perf_counter() - prediction.made)
    queue, rows, infer = timing(prediction.answers)
    response.headers.add("X-Model-Version", handle.label.version)
    response.headers.add(
        "Server-Timing", f'queue;dur={queue * 1e3:.3f}, batch;desc="rows={rows}", infer;dur={infer * 1e3:.3f}'
    )
    return response


def timing(answers: Sequence[Any]) -> tuple[float, int, float]:
    """Of all jobs of a request: the longest wait, the largest batch, the longest engine call."""
    if len(answers) == 1:
        _, queue_seconds, batch_rows, engine_seconds = answers[0]
        return queue_seconds, batch_rows, engine_seconds
    return (
        max(answer.queue_seconds for answer in answers),
        max(answer.batch_rows for answer in answers),
        max(answer.engine_seconds for answer in answers),
    )
