"""Signing in and out: POST /console/enter with a key has the browser keep it, POST /console/leave has it forgotten."""

import re
from http import HTTPStatus

from flask import Blueprint, Response, redirect

from service.access.guard import Guard
from service.console import links
from service.console.refused import sign_in
from service.dialects import guarded, signed_in
from service.errors import Forbidden, Unauthenticated
from service.web import current_request

HERE = re.compile(r"/(console(/(?!\.|%2[eE])[\w.~%-]+)+)?(\?[\w.~%=&+*,:;@/-]*)?", re.ASCII)
"""Pages to which one may be sent on: ours, and no step up from them."""
UNKNOWN = "This key does not open anything here. Is it whole, and has it not expired?"


def mount(console: Blueprint, guard: Guard) -> None:
    """Add both to the console."""

    @console.get("/console/enter")
    def ask() -> Response:
        return sign_in(next=target())

    @console.post("/console/enter")
    def enter() -> Response:
        request = current_request()
        check_ours()
        secret = request.form.get("key", "").strip()
        try:
            key = guard.identify(None, secret)
        except Unauthenticated as error:
            fault = UNKNOWN if secret else "Type or paste a key."
            return sign_in(error, next=target(), fault=fault, strange=False)
        request.environ[guarded.KEY] = key
        response = seen(links.here() + target())
        signed_in.keep(response, secret, request)
        return response

    @console.post("/console/leave")
    def leave() -> Response:
        check_ours()
        response = seen(links.link("index"))
        signed_in.forget(response, current_request())
        return response


def check_ours() -> None:
    """Forbidden, if another site's page has sent this."""
    if not signed_in.is_ours(current_request().environ):
        raise Forbidden("only a page of this server may sign you in or out")


def target() -> str:
    """Where one goes from here: to the page that wanted a key, or to the models."""
    wanted = current_request().values.get("next", "")
    return wanted if HERE.fullmatch(wanted) and not wanted.startswith("/console/enter") else "/"


def seen(path: str) -> Response:
    """Look there."""
    response = redirect(path, HTTPStatus.SEE_OTHER)
    assert isinstance(response, Response)
    return response
