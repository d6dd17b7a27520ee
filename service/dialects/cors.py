"""Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol): whose pages may read the answers.

Nobody's, unless a setting names them. Cookies and other credentials are never asked for, and never allowed.
"""

from collections.abc import Collection

from flask import Flask, Response, request

ANY = "*"
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "*, Authorization",  # which no star stands for
    "Access-Control-Max-Age": "7200",
}


def allow(app: Flask, origins: Collection[str]) -> None:
    """Have an app answer pages of these origins, "*" of all that came over HTTP."""

    def is_allowed(origin: str) -> bool:
        return origin in origins or (ANY in origins and origin.startswith(("http://", "https://")))

    def preflight() -> Response | None:
        """What a browser asks before it asks."""
        if request.method == "OPTIONS" and is_allowed(request.headers.get("Origin", "")):
            return Response(status=204, headers=PREFLIGHT)
        return None

    def share(response: Response) -> Response:
        """Let the page of an allowed origin read the response, and its headers."""
        origin = request.headers.get("Origin", "")
        if ANY not in origins:
            response.vary.add("Origin")
        if is_allowed(origin):
            response.headers["Access-Control-Allow-Origin"] = ANY if ANY in origins else origin
            response.headers["Access-Control-Expose-Headers"] = ANY
        return response

    app.before_request(preflight)
    app.after_request(share)
