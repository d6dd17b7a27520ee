"""Links of pages, each relative to the page that has it: they lead there wherever a proxy has put the server.

Most proxies cut a prefix off a path and tell nobody, so a server cannot know where its root is; a browser does.
"""

from typing import Any
from urllib.parse import quote

from flask import current_app

from service.web import current_request


def root(path: str) -> str:
    """What leads from a page to the root of its server, without a slash at its end.

    >>> root("/"), root("/console/live"), root("/console/models/qa")
    ('.', '..', '../..')
    """
    return "/".join([".."] * (path.count("/") - 1)) or "."


def here() -> str:
    """The root, as the page that is asked for sees it."""
    return root(current_request().path)


def asked() -> str:
    """The address of the page that is asked for, from the root on."""
    request = current_request()
    query = request.query_string.decode("latin1")
    return quote(request.path) + (f"?{query}" if query else "")


def link(endpoint: str, **values: Any) -> str:
    """What leads from the page that is asked for to another; values that are no part of its path are a query."""
    path: str = current_app.url_map.bind("").build(endpoint, values)
    return here() + path
