"""Headers with which every answer says what browsers must not make of it. They are constants: they cost nothing."""

Headers = tuple[tuple[str, str], ...]

NEVER_GUESS: Headers = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
DATA: Headers = (
    *NEVER_GUESS,
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)
"""Of an answer that is no page: nothing in it is run or shown in a frame, and nobody keeps it."""
ONLY_TLS: Headers = (("Strict-Transport-Security", "max-age=31536000"),)
"""Where there is TLS: browsers shall come without it no more, for a year."""


def transport(tls: bool) -> Headers:
    """Of all answers, pages as well."""
    return ONLY_TLS if tls else ()


def headers(tls: bool) -> Headers:
    """Of all answers but pages."""
    return DATA + transport(tls)


def page(policy: str, kept: str = "no-cache") -> Headers:
    """Of a page with a Content-Security-Policy of its own, which is asked for anew but not sent twice."""
    return (*NEVER_GUESS, ("Content-Security-Policy", policy), ("Cache-Control", kept))
