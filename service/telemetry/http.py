"""Records of HTTP requests: around the WSGI app, and of those that were refused before the app heard of them."""

from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask, Request, Response

from service.access.keys import Key
from service.app import REQUEST_ID, request_id, spoken
from service.batching.overload import Refusal
from service.dialects.exchange import LABEL, NOBODY
from service.dialects.guarded import KEY, MOST_PATH, TFS
from service.dialects.tfs.paths import template
from service.telemetry.record import CURRENT, Record
from service.telemetry.whole import Telemetry
from service.web import current_request

RECORD = "manifold.record"
"""Where the environment has the request's record."""
METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""Those that a span may name; any other is HTTP's own word for it (semantic conventions)."""
PROBES = frozenset({"/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"})
"""What machines ask every few seconds, and nobody wants to read of."""

Environ = dict[str, Any]


def observe(app: Flask, telemetry: Telemetry) -> None:
    """Have an app's requests told."""
    app.after_request(note)
    app.wsgi_app = Http(app.wsgi_app, telemetry)  # type: ignore[method-assign]
    app.extensions["unheard"] = Unheard(telemetry)


def note(response: Response) -> Response:
    """Who has answered, which only Flask knows."""
    request = current_request()
    record: Record | None = request.environ.get(RECORD)
    if record is not None:
        record.dialect = request.blueprint or ""
        record.route = route_of(request)
    return response


def route_of(request: Request) -> str:
    """The route of a path, with names in the place of what varies; "" where there is none."""
    rule = request.url_rule
    if rule is None:
        return ""
    if rule.endpoint == TFS:
        return template((request.view_args or {})["rest"]) or rule.rule
    return str(rule.rule)


class Http:
    """The app, called with a record of the request."""

    def __init__(self, app: Callable[..., Iterable[bytes]], telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] in PROBES:
            return self._app(environ, start_response)
        given = environ.get("HTTP_X_REQUEST_ID")
        if not given or not REQUEST_ID.fullmatch(given):
            given = environ["HTTP_X_REQUEST_ID"] = request_id()
        record = self._telemetry.begin(given, environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_TRACESTATE"))
        environ[RECORD] = record

        def start(status: str, headers: Sequence[tuple[str, str]], exc_info: Any = None) -> Any:
            record.status = int(status[:3])
            record.sent = int(next((value for name, value in headers if name == "Content-Length"), 0))
            return start_response(status, headers, exc_info)

        token = CURRENT.set(record)
        try:
            return self._app(environ, start)
        except Exception:
            record.status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            fill(record, environ)
            self._telemetry.end(record)
            CURRENT.reset(token)


def fill(record: Record, environ: Environ) -> None:
    """What the environment knows of a request."""
    key: Key | None = environ.get(KEY)
    declared = environ.get("CONTENT_LENGTH", "")
    record.method = environ["REQUEST_METHOD"]
    record.path = environ["PATH_INFO"].encode("latin1", "replace").decode(errors="replace")[:MOST_PATH]
    record.label = environ.get(LABEL, NOBODY)
    record.key = key.name if key else ""
    record.received = int(declared) if declared.isdecimal() else 0
    name(record)
    if record.span is not None:
        record.attributes = attributes(record) | {
            "url.scheme": environ["wsgi.url_scheme"],
            "server.address": environ["SERVER_NAME"],
            "server.port": int(environ["SERVER_PORT"] or 0),
            "network.protocol.version": environ["SERVER_PROTOCOL"].removeprefix("HTTP/"),
        }


def name(record: Record) -> None:
    """As a span is named: of few values, whatever clients send."""
    method = record.method if record.method in METHODS else "HTTP"
    record.name = f"{method} {record.route}" if record.route else method


def attributes(record: Record) -> dict[str, Any]:
    """Semantic conventions for HTTP servers, version 1; the path only of what is served."""
    found: dict[str, Any] = {
        "http.request.method": record.method if record.method in METHODS else "_OTHER",
        "http.response.status_code": record.status,
        "http.request.body.size": record.received,
        "http.response.body.size": record.sent,
    }
    if record.route:
        found |= {"http.route": record.route, "url.path": record.path}
    if record.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        found["error.type"] = str(record.status)
    return found


class Unheard:
    """Tells of requests that got a refusal which had been made for others."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def __call__(self, request: Any, own_id: str, refusal: Refusal) -> None:
        refusal.told()
        headers = {bytes(name).lower(): value.decode("latin1") for name, value in request.headers_bytes}
        record = self._telemetry.begin(own_id, headers.get(b"traceparent"), headers.get(b"tracestate"))
        record.method, record.path = request.method, request.path[:MOST_PATH]
        record.status = int(refusal.status[:3])
        record.dialect = spoken(request.path)
        record.sent = len(refusal.body)
        name(record)
        if record.span is not None:
            record.attributes = attributes(record)
        self._telemetry.end(record)
