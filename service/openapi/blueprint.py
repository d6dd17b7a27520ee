"""GET /openapi.json, the document of what is served now, and GET /docs, a page that shows it and asks for you.

The page is Swagger UI, from the files in the package flask-swagger-ui: nothing is loaded from elsewhere.
"""

import hashlib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import orjson
from flask import Blueprint, Response, abort, request

from service import security
from service.dialects import guarded
from service.openapi import access, document, models
from service.settings import Settings
from service.versions.catalog import Catalog

OWN = Path(__file__).parent
FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
    "page.css": "text/css",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts and styles from here alone; Swagger UI has pictures in its style sheet."""


class Page(Response):
    """The page, or what it loads."""

    always = security.page(POLICY)
    lasting = True


class Document:
    """The document in JSON, built anew when other models answer than before."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._settings = settings
        self._built: tuple[object, bytes] = (None, b"")

    def json(self) -> bytes:
        """As of now."""
        answering = [(one.version, one.handle is not None) for one in self._catalog.served()]
        known, text = self._built
        if known != answering:
            described = models.served(self._catalog)
            built = document.build(described, self._catalog.models(), self._settings)
            text = orjson.dumps(access.secured(built, guarded.scope_of_path) if self._settings.keys else built)
            self._built = answering, text
        return text


def blueprint(catalog: Catalog, settings: Settings) -> Blueprint:
    """/openapi.json and /docs over a catalog."""
    pages = Blueprint("openapi", __name__)
    current = Document(catalog, settings)
    page = (OWN / "page.html").read_bytes()

    @pages.get("/openapi.json")
    def openapi() -> Response:
        return tagged(current.json(), "application/json")

    @pages.get("/docs")
    def docs() -> Response:
        return tagged(page, "text/html")

    @pages.get("/docs/<name>")
    def part(name: str) -> Response:
        if name not in FILES:
            abort(404)
        return tagged(read(name), FILES[name])

    return pages


@lru_cache(len(FILES))
def read(name: str) -> bytes:
    """One of the page's files: ours, or Swagger UI's; read when first asked for, as most workers never are."""
    own = OWN / name
    return own.read_bytes() if own.is_file() else (files("flask_swagger_ui") / "dist" / name).read_bytes()


def tagged(body: bytes, mimetype: str) -> Response:
    """A response that need not be sent again to one who has it."""
    response = Page(body, mimetype=mimetype)
    response.set_etag(digest(body))
    response.make_conditional(request)
    return response


@lru_cache(len(FILES) + 4)
def digest(body: bytes) -> str:
    """What tells one body from another; of each it is computed once."""
    return hashlib.sha256(body).hexdigest()[:16]
