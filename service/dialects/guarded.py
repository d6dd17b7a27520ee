"""API keys over HTTP: which route needs which scope, and what is done before and after each request.

A route that is not in the table needs the scope admin. Answers to OPTIONS say nothing of a model, and are open.
"""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from flask import Flask, Request, Response, current_app

from service import metrics
from service.access.audit import Audit
from service.access.guard import Guard, is_bearer
from service.access.keys import Key, Scope
from service.dialects import signed_in
from service.dialects.tfs import paths
from service.pages import wants_page
from service.telemetry.record import GONE
from service.web import current_request

READ, PREDICT, ADMIN = Scope.READ, Scope.PREDICT, Scope.ADMIN

TFS = "tfs.route"
"""TensorFlow Serving's paths are one route, whose method decides."""

SCOPES: Mapping[str, Scope | None] = {
    "index": READ,
    "native.predict": PREDICT,
    "native.models": READ,
    "native.model": READ,
    "native.tokens": READ,
    "native.drift": READ,
    "oip.server": READ,
    "oip.live": None,
    "oip.ready": None,
    "oip.model": READ,
    "oip.model_ready": READ,
    "oip.infer": PREDICT,
    "oip.index": READ,
    "oip.load": ADMIN,
    "oip.unload": ADMIN,
    "admin.policy": ADMIN,
    "admin.rule": ADMIN,
    "health.live": None,
    "health.ready": None,
    "health.exposition": READ,
    "openapi.openapi": READ,
    "openapi.docs": None,
    "openapi.part": None,
    "console.attempt": READ,
    "console.why": READ,
    "console.compare": READ,
    "console.watch": READ,
    "console.samples": READ,
    "console.events": READ,
    "console.report": READ,
    "console.picture": READ,
    "console.asset": None,
    "console.ask": None,
    "console.enter": None,
    "console.leave": None,
}
"""By endpoint; None: open to all. The page /docs shows nothing until it may read /openapi.json."""
OWN = frozenset({"index"})
"""What shows a browser the models of its key, and no others: a page of all models is for everybody who may read."""

KEY, LEAVE, CHANGES = "manifold.key", "manifold.leave", "manifold.changes"
"""Where the environment has a request's key, what to call when it is answered, and whether it changes something."""
SIGNED_IN = "manifold.signed-in"
"""Where it has whether the key stood in a cookie."""

OUTCOMES: Mapping[int, str] = {401: "refused", 403: "refused", 429: "refused", GONE: "unknown"}
"""What became of a change, by status; of others it was done, or failed."""
MOST_PATH = 300
"""Characters of a path that stand in the record."""


@lru_cache(256)
def scope_of(endpoint: str, method: str) -> Scope | None:
    """What a request needs; None: nothing."""
    if method == "OPTIONS":
        return None
    if endpoint == TFS:
        return PREDICT if method == "POST" else READ
    return SCOPES.get(endpoint, ADMIN)


def scope_of_path(path: str, method: str) -> Scope | None:
    """What a request for a path of the current app needs."""
    endpoint, _ = current_app.url_map.bind("").match(path, method)
    return scope_of(endpoint, method)


def model_of(endpoint: str, arguments: Mapping[str, Any]) -> str | None:
    """The model that a request is about; None: none, or all of them."""
    found: str | None = paths.model_in(arguments["rest"]) if endpoint == TFS else arguments.get("model")
    return found


def protect(app: Flask, guard: Guard, audit: Audit, console: bool) -> None:
    """Have an app admit requests by their keys, count them, and put changes on record.

    With a console a key may stand in a cookie: there are pages on which one signs in.
    """
    app.extensions["guard"] = guard

    def admit() -> None:
        admitted(guard, current_request(), console)

    def count(response: Response) -> Response:
        request = current_request()
        key: Key | None = request.environ.get(KEY)
        status = response.status_code
        if key is not None or status == HTTPStatus.UNAUTHORIZED:
            metrics.key_counter(key.name if key else "", status).inc()
        if request.environ.pop(CHANGES, False):
            put_on_record(audit, request, key, status, response.headers.get("X-Request-Id", ""))
        return response

    def leave(_: BaseException | None) -> None:
        request = current_request()
        done = request.environ.get(LEAVE)
        if done is not None:
            done()
        if CHANGES in request.environ:  # whose client has left; what it wanted goes on
            put_on_record(audit, request, request.environ.get(KEY), GONE, "")

    app.before_request(admit)
    app.after_request(count)
    app.teardown_request(leave)


def may_see(model: str) -> bool:
    """Whether the current request's key, if it needs one, is for this model."""
    key: Key | None = current_request().environ.get(KEY)
    return key is None or key.models is None or model in key.models


def admitted(guard: Guard, request: Request, console: bool) -> None:
    """Let a request in by its key, where it needs one; Unauthenticated, Forbidden, KeyBusy."""
    rule = request.url_rule
    if rule is None:  # there is no such path, or it takes another method
        return
    endpoint, arguments = rule.endpoint, request.view_args or {}
    scope = scope_of(endpoint, request.method)
    if scope is None:
        return
    environ = request.environ
    if scope is ADMIN:
        environ[CHANGES] = True
    authorization, secret = environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_API_KEY")
    if console and secret is None and "HTTP_COOKIE" in environ and not is_bearer(authorization) and scope is not ADMIN:
        secret = signed_in.key_of(request)
        environ[SIGNED_IN] = secret is not None
    key = guard.identify(authorization, secret)
    environ[KEY] = key
    model = None if console and endpoint in OWN and wants_page() else lambda: model_of(endpoint, arguments)
    environ[LEAVE] = guard.enter(key, scope, model)


def put_on_record(audit: Audit, request: Request, key: Key | None, status: int, request_id: str) -> None:
    """Who wanted to change what, and whether that was done."""
    audit.record(
        key.name if key else "",
        request.environ.get("REMOTE_ADDR", ""),
        f"{request.method} {request.path[:MOST_PATH]}",
        OUTCOMES.get(status, "done" if status < HTTPStatus.BAD_REQUEST else "failed"),
        status=status,
        request=request_id,
    )
