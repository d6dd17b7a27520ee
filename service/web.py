"""Flask with less ado per request: the same views, hooks and error handlers, in less than half the time.

Left out is what no request of this service uses: sessions, signals, hooks of one blueprint, and the host in routing.
A route is looked up once for every path and method. All else is Flask's own.
"""

import functools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, Request, Response
from flask.ctx import AppContext, RequestContext
from flask.globals import _cv_app, _cv_request
from flask.sessions import NullSession
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

Environ = dict[str, Any]
Headers = tuple[tuple[str, str], ...]

MOST_PATHS = 1024
"""Paths and methods whose route is remembered."""
PLAIN = frozenset({200, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 501, 503, 504})
"""Statuses that leave the headers of a response as they are."""
NO_SESSION = NullSession()


class Context(RequestContext):
    """A request's context and its app's, pushed and popped as one."""

    app: "App"

    def __init__(self, app: "App", environ: Environ) -> None:
        self.app = app
        self.request: Request = app.request_class(environ)
        self.request.max_content_length = app.config["MAX_CONTENT_LENGTH"]
        self.flashes = None
        self._session = NO_SESSION
        self._after_request_functions = []
        self.began = time.perf_counter()

    @functools.cached_property
    def url_adapter(self) -> Any:  # type: ignore[override]
        """What routes with the request's host, and builds URLs; most requests need none."""
        return self.app.create_url_adapter(self.request)

    def push(self) -> None:
        self._tokens = _cv_app.set(AppContext(self.app)), _cv_request.set(self)
        request = self.request
        path = request.environ["PATH_INFO"]  # as it was sent: `request.path` has but one slash in front
        try:
            rule, arguments = self.app.route_of(path if path.isascii() else request.path, request.method)
            request.url_rule, request.view_args = rule, dict(arguments)
        except HTTPException:
            self.match_request()  # which may know of a redirection, and how it is written with this host

    def pop(self, exc: BaseException | None = None) -> None:
        try:
            if self.app.teardown_request_funcs:
                self.app.do_teardown_request(exc)
        finally:
            app_token, token = self._tokens
            _cv_request.reset(token)
            _cv_app.reset(app_token)
            self.request.environ["werkzeug.request"] = None  # the request would keep itself alive


def current_request() -> Request:
    """The request itself; `flask.request` looks it up anew for every attribute, which costs a microsecond each."""
    return _cv_request.get().request


def seconds_taken() -> float:
    """Since the current request came, whole."""
    context: Any = _cv_request.get()
    began: float = context.began
    return time.perf_counter() - began


class App(Flask):
    """A Flask app; every view is synchronous. Its answers have the headers `always`, or their own and those `besides`.

    Requests stand in the set `under_way` until they are answered.
    """

    always: Headers = ()
    besides: Headers = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.under_way: set[object] = set()
        self.route_of = functools.lru_cache(MOST_PATHS)(self._route_of)

    def _route_of(self, path: str, method: str) -> tuple[Rule, Mapping[str, Any]]:
        """The rule of a path and the arguments of its view; HTTPException where there is none."""
        return self.url_map.bind("").match(path, method, return_rule=True)

    def log_exception(self, exc_info: Any) -> None:
        """As Flask does, but the path, which its client has chosen, makes no lines of its own."""
        request = current_request()
        self.logger.error("Exception on %r [%s]", request.path, request.method, exc_info=exc_info)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def wsgi_app(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        context = Context(self, environ)
        error: Exception | None = None
        context.push()
        self.under_way.add(context)
        try:
            try:
                response = self.full_dispatch_request()
            except Exception as unforeseen:
                error = unforeseen
                response = self.handle_exception(unforeseen)
            own: Headers | None = getattr(response, "always", None)
            return deliver(response, environ, start_response, self.always if own is None else own + self.besides)
        finally:
            self.under_way.discard(context)
            context.pop(error)

    def dispatch_request(self) -> Any:
        request = current_request()
        if request.routing_exception is not None:
            self.raise_routing_exception(request)
        rule, arguments = request.url_rule, request.view_args
        assert rule is not None and arguments is not None, "there is a route, or why there is none"  # noqa: PT018
        if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
            return self.make_default_options_response()
        return self.view_functions[rule.endpoint](**arguments)

    def full_dispatch_request(self) -> Response:
        self._got_first_request = True
        try:
            answer = self.preprocess_request() if self.before_request_funcs else None
            if answer is None:
                answer = self.dispatch_request()
        except Exception as error:
            answer = self.handle_user_exception(error)
        return self.finalize_request(answer)

    def preprocess_request(self) -> Any:
        for hook in self.before_request_funcs.get(None, ()):
            answer = hook()
            if answer is not None:
                return answer
        return None

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        for hook in reversed(self.teardown_request_funcs.get(None, ())):
            hook(exc)

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Response:
        response = self.make_response(rv)
        try:
            for hook in reversed(self.after_request_funcs.get(None, ())):
                response = hook(response)
        except Exception:
            if not from_error_handler:
                raise
            self.logger.exception("the response to an error could not be finished")
        return response


def deliver(response: Response, environ: Environ, start_response: Any, always: Headers = ()) -> Iterable[bytes]:
    """The response as WSGI has it; what stands in memory needs none of werkzeug's care for what does not."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        return start_response(status, [*headers, *always], exc_info)

    if not (response.is_sequence and response.status_code in PLAIN and environ["REQUEST_METHOD"] in ("GET", "POST")):
        return response(environ, start)
    body = response.get_data()
    headers = response.headers.to_wsgi_list()
    if "Content-Length" not in response.headers:
        headers.append(("Content-Length", str(len(body))))
    headers += always
    start_response(response.status, headers)
    return [body]
