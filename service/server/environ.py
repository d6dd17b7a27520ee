"""The WSGI environment (PEP 3333) of a request, as gunicorn has parsed it."""

import functools
import io
import sys
from typing import Any

Environ = dict[str, Any]


def of_connection(transport: Any) -> Environ:
    """What all requests of a connection have in common."""
    server = transport.get_extra_info("sockname") or ("localhost", 80)
    client = transport.get_extra_info("peername") or ("",)
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1] if len(server) > 1 else ""),
        "REMOTE_ADDR": client[0] if isinstance(client, tuple) else "",
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def of_request(request: Any, connection: Environ, body: bytes, length: int) -> Environ:
    """A request with its body; `length` is what the client meant to send, which may be more than was read."""
    path, authority = request.path, None
    if not path.startswith("/") and "://" in path:  # as proxies are asked (RFC 9112, section 3.2.2)
        authority, _, path = path.partition("://")[2].partition("/")
        path = f"/{path}"
    environ = connection.copy()
    environ["REQUEST_METHOD"] = request.method
    environ["PATH_INFO"] = path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("latin1")
    environ["QUERY_STRING"] = request.query
    environ["SERVER_PROTOCOL"] = protocol(request.version)
    environ["wsgi.url_scheme"] = request.scheme
    environ["wsgi.input"] = io.BytesIO(body)
    for name, value in request.headers_bytes:
        key = environ_key(name)
        text = value.decode("latin1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    if authority is not None:
        environ["HTTP_HOST"] = authority
    environ["CONTENT_LENGTH"] = str(length)
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the chunks are joined; werkzeug would read no length beside it
    return environ


@functools.lru_cache(1024)
def environ_key(name: bytes) -> str:
    """A header's name in the environment.

    >>> environ_key(b"x-request-id"), environ_key(b"content-type")
    ('HTTP_X_REQUEST_ID', 'CONTENT_TYPE')
    """
    key = name.decode("latin1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


def protocol(version: tuple[int, int]) -> str:
    """The name of an HTTP version.

    >>> protocol((1, 1))
    'HTTP/1.1'
    """
    return f"HTTP/{version[0]}.{version[1]}"
