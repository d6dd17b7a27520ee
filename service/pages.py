"""What a browser gets: pages and their parts, each with a Content-Security-Policy of its own, sent once."""

import hashlib
from functools import lru_cache

from flask import Response, request

from service import security
from service.web import current_request


class Page(Response):
    """A page that loads scripts, styles and data from here alone; its subclasses allow more, or less."""

    POLICY = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    always = security.page(POLICY)
    lasting = True


KINDS = ("application/json", "text/html")


def wants_page() -> bool:
    """Whether the request is a browser's, for a page to look at; who takes anything gets data."""
    return current_request().accept_mimetypes.best_match(KINDS) == "text/html"


def tagged(response: Response) -> Response:
    """A response that need not be sent again to one who has it."""
    response.set_etag(digest(response.get_data()))
    response.make_conditional(request)
    return response


@lru_cache(256)
def digest(body: bytes) -> str:
    """What tells one body from another; of each it is computed once."""
    return hashlib.sha256(body).hexdigest()[:16]
