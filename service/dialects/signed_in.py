"""A browser's API key: it stays in a cookie, as who follows a link can send no header, and counts where that is safe.

It counts only for what our own pages ask, which a browser says in headers that no page can write: Sec-Fetch-Site, or,
where that is lacking, as it is without TLS, Origin. A link that is followed then has neither: it changes nothing, its
answer is for no other page to read, and SameSite=Strict keeps the cookie from links of other sites.
"""

from collections.abc import Mapping
from typing import Any

from flask import Request, Response

COOKIE = "manifold-key"
PREFIX = "__Host-"
"""Of its name where there is TLS: browsers take such a cookie from this host alone, not from its siblings."""
OURS = frozenset({"same-origin", "none"})
"""From our own page, or from whoever typed the address."""
SAFE = frozenset({"GET", "HEAD"})


def cookie_of(request: Request) -> str:
    """The name of the cookie, as this request is made."""
    return PREFIX + COOKIE if request.is_secure else COOKIE


def key_of(request: Request) -> str | None:
    """The key in a request's cookie, if it counts."""
    return request.cookies.get(cookie_of(request)) if is_ours(request.environ) else None


def is_ours(environ: Mapping[str, Any]) -> bool:
    """Whether a browser says that no other page than ours asks.

    >>> is_ours({"HTTP_SEC_FETCH_SITE": "cross-site"}), is_ours({"HTTP_SEC_FETCH_SITE": "same-origin"})
    (False, True)
    """
    site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
    if site is not None:
        return site in OURS
    if origin is None:
        return environ.get("REQUEST_METHOD") in SAFE
    host: str = environ.get("HTTP_HOST", "")
    own: bool = origin.partition("://")[2].lower() == host.lower()
    return own and host != ""


def keep(response: Response, key: str, request: Request) -> None:
    """Have a browser send a key from now on, until it is closed; no script can read it."""
    response.set_cookie(cookie_of(request), key, path="/", secure=request.is_secure, httponly=True, samesite="Strict")


def forget(response: Response, request: Request) -> None:
    """Have a browser send it no more."""
    response.delete_cookie(cookie_of(request), path="/", secure=request.is_secure, httponly=True, samesite="Strict")
