"""The Flask application: the one place that puts catalog, settings and dialects together."""

import random
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from service import metrics, security
from service.access.audit import Audit
from service.access.guard import Guard
from service.batching.overload import Refusal
from service.console import refused
from service.dialects import admin, cors, guarded, health, native
from service.dialects.bodies.coding import INFLATERS
from service.dialects.bodies.compression import compress
from service.dialects.exchange import LABEL, NOBODY, json_response
from service.dialects.oip import routes as oip
from service.dialects.tfs import routes as tfs
from service.errors import ServiceError
from service.handle import Wait
from service.openapi import blueprint as openapi
from service.pages import wants_page
from service.settings import Settings
from service.versions.catalog import Catalog
from service.versions.repository import Repository
from service.web import App, current_request, seconds_taken

REQUEST_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)


def create_app(
    settings: Settings,
    catalog: Catalog,
    wait: Wait,
    repository: Repository | None = None,
    guard: Guard | None = None,
) -> Flask:
    """The WSGI app over a catalog, which need not have loaded yet.

    Only a repository can change what it serves, and only where a guard knows by whom: without one, all may ask.
    """
    app = App(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.merge_slashes = False
    app.under_way = metrics.UNDER_WAY
    tls = bool(settings.certificate)
    app.always, app.besides = security.headers(tls), security.transport(tls)
    app.register_blueprint(native.blueprint(catalog, settings, wait))
    app.register_blueprint(tfs.blueprint(catalog, settings, wait))
    changes = repository if guard else None
    app.register_blueprint(oip.blueprint(catalog, settings, wait, changes))
    app.register_blueprint(admin.blueprint(catalog, wait, changes))
    app.register_blueprint(health.blueprint(catalog, wait))
    app.register_blueprint(openapi.blueprint(catalog, settings))
    home = None
    if settings.console == "on":
        from service.console import blueprint as console

        app.register_blueprint(console.blueprint(catalog, settings, guard))
        home = console.home
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(ServiceError, service_error)
    if guard is not None:
        guarded.protect(app, guard, Audit(settings.audit), console=settings.console == "on")
    app.after_request(finish)
    app.after_request(compress)  # the last comes first
    if settings.origins:
        cors.allow(app, settings.origins)

    app.extensions["refusal"] = lambda path, error: refusal(path, error, app.always)

    @app.get("/")
    def index() -> Response:
        if home is not None and wants_page():
            return home(catalog)
        paths = {"models": "/models", "docs": "/docs", "ready": "/readyz", "metrics": "/metrics"}
        predict = [f"/predict/{name}" for name in catalog.models()]
        return refused.varied(json_response({"service": "manifold", **paths, "predict": predict}))

    return app


ERRORS = {"v1": tfs.failed, "v2": oip.failed, "": refused.problem, "console": refused.problem}
"""How errors are told, by how a path begins; of all others, as the native dialect has it."""
NO_PATH = "there is no such path; GET / lists those that people ask, and none ends in a slash"


class HttpError(ServiceError):
    """What Flask itself refuses: an unknown path, a wrong method; or an error nobody foresaw."""

    def __init__(self, error: HTTPException) -> None:
        super().__init__(told(error))
        if error.code not in (None, self.status):
            self.status = error.code
            self.title = error.name
            self.slug = error.name.lower().replace(" ", "-")


def told(error: HTTPException) -> str:
    """What Flask's own error says to a browser, said to a client."""
    if isinstance(error, MethodNotAllowed):
        return f"the path takes {' or '.join(sorted({*(error.valid_methods or ())} - {'HEAD', 'OPTIONS'}))}"
    return NO_PATH if isinstance(error, NotFound) else error.description or error.name


def http_error(error: HTTPException) -> Response:
    """Flask's own errors in the body of the dialect the path belongs to."""
    response = dialect(current_request().path)(HttpError(error))
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def service_error(error: ServiceError) -> Response:
    """What is refused before a dialect has a request, in the body of the dialect that would have had it."""
    return dialect(current_request().path)(error)


def dialect(path: str) -> Callable[[ServiceError], Response]:
    """The error body of the dialect to which a path belongs."""
    return ERRORS.get(path.split("/")[1], native.problem)


def spoken(path: str) -> str:
    """The name of that dialect.

    >>> spoken("/v2/models/qa/infer"), spoken("/predict/qa")
    ('oip', 'native')
    """
    return {"v1": "tfs", "v2": "oip"}.get(path.split("/")[1], "native")


def refusal(path: str, error: ServiceError, always: security.Headers) -> Refusal:
    """What a request gets that nobody has heard, in the words of the dialect to which its path belongs."""
    response = dialect(path)(error)
    body = response.get_data()
    headers = [*response.headers.to_wsgi_list(), ("Content-Length", str(len(body))), *always]
    told = partial(metrics.count_refusal, NOBODY, spoken(path), error.status, error.slug)
    return Refusal(response.status, headers, body, told)


def finish(response: Response) -> Response:
    """Every response carries its request's id and is counted once, and its time if it is no error."""
    request = current_request()
    environ = request.environ
    given = environ.get("HTTP_X_REQUEST_ID")
    response.headers.add("X-Request-Id", given if given and REQUEST_ID.fullmatch(given) else request_id())
    if response.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        response.headers["Accept-Encoding"] = ", ".join(INFLATERS)
    label, dialect, status = environ.get(LABEL, NOBODY), request.blueprint or "", response.status_code
    metrics.count_request(label, dialect, status)
    if status < HTTPStatus.BAD_REQUEST:
        metrics.request_seconds(label, dialect).add(seconds_taken())
    return response


def request_id() -> str:
    """An id that no other request has, as far as chance goes; it protects nothing."""
    return f"{random.getrandbits(64):016x}"
