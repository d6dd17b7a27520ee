"""What a browser gets when the console refuses: a page that says why, and what to do. Others get problem+json."""

from http import HTTPStatus
from typing import Any

from flask import Response, current_app, has_request_context

from service import redact
from service.console.cards import Card
from service.console.links import asked, link
from service.console.page import page
from service.dialects import native, signed_in
from service.dialects.exchange import with_hint
from service.errors import InvalidInput, ModelNotFound, ServiceError, Unauthenticated
from service.pages import wants_page
from service.web import current_request

TITLES = {404: "There is no such page", 405: "This address takes another method", 500: "Something went wrong"}
"""Of what no error of ours names."""
ADVICE = {
    403: "Ask whoever runs this server for a key that may, or sign in with another one.",
    404: "Look at what is served now, and choose there.",
    413: "Send less at once.",
    422: "Mend the address of this page, or choose from what is served.",
    429: "Wait a moment, then load this page again.",
    500: "It is not your fault. Load this page again; if it stays so, tell whoever runs this server: its log says why.",
    503: "Wait a moment, then load this page again.",
}
OURS = ("model-not-found", "version-not-found", "forbidden", "invalid-input", "key-busy", "body-too-large")
"""Errors whose own titles and messages suit a reader; of 503s all do."""


def problem(error: ServiceError, waits: Card | None = None) -> Response:
    """The error as a page, where a browser asks and there are pages; else in the words of the native dialect.

    `waits` is the model that does not answer yet, if that is why.
    """
    if not (has_request_context() and "console" in current_app.blueprints and wants_page()):
        return varied(native.problem(error))
    if isinstance(error, Unauthenticated):
        return sign_in(error)
    status = error.status
    own = error.slug in OURS or status == HTTPStatus.SERVICE_UNAVAILABLE
    told = {
        "title": error.title if own else TITLES.get(status, error.title),
        "message": sentence(said(error)) if own else "",
        "advice": ADVICE.get(status, ADVICE[404]),
        "elsewhere": elsewhere(status),
        "waits": waits,
        "asked": asked(),
    }
    return with_hint(page("refused.html", status, **told), error)


def varied(response: Response) -> Response:
    """A response that depends on who asks for what."""
    if has_request_context():
        response.vary.add("Accept")
    return response


def said(error: ServiceError) -> str:
    """What is wrong, in one line, with places of an address by their names."""
    if isinstance(error, InvalidInput):
        return "; ".join(f"{fault.pointer.removeprefix('?/')}: {fault.detail}" for fault in error.faults)
    text = redact.line(str(error))
    return text.partition("; there is ")[0] if isinstance(error, ModelNotFound) else text


def sentence(text: str) -> str:
    """A message as a page has it.

    >>> sentence("qa is still loading"), sentence("")
    ('Qa is still loading.', '')
    """
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def elsewhere(status: int) -> str | None:
    """The same page about the version that answers now, if the address names another."""
    request = current_request()
    rule = request.url_rule
    wrong = status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY) and request.query_string
    return link(rule.endpoint, **(request.view_args or {})) if rule is not None and wrong else None


def sign_in(error: Unauthenticated | None = None, **more: Any) -> Response:
    """The page on which a key is asked for, in the place of the one that needs it."""
    request = current_request()
    told: dict[str, Any] = {"next": asked(), "fault": "", "strange": not signed_in.is_ours(request.environ)} | more
    if error is None:
        return page("signin.html", **told)
    if signed_in.cookie_of(request) in request.cookies and not told["fault"] and not told["strange"]:
        told["fault"] = "You are no longer signed in: the key has expired, or is not known here any more."
    return with_hint(page("signin.html", error.status, **told), error)
