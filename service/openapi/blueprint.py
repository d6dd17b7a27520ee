"""GET /openapi.json, the document of what is served now, and GET /docs, a page that shows it and asks for you.

The page is Swagger UI, from the files in the package flask-swagger-ui: nothing is loaded from elsewhere.
"""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import orjson
from flask import Blueprint, Response, abort

from service.dialects import guarded
from service.openapi import access, document, models
from service.pages import Page, tagged
from service.settings import Settings
from service.versions.catalog import Catalog

OWN = Path(__file__).parent
FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
    "page.css": "text/css",
}


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
        return tagged(Page(current.json(), mimetype="application/json"))

    @pages.get("/docs")
    def docs() -> Response:
        return tagged(Page(page, mimetype="text/html"))

    @pages.get("/docs/<name>")
    def part(name: str) -> Response:
        if name not in FILES:
            abort(404)
        return tagged(Page(read(name), mimetype=FILES[name]))

    return pages


@lru_cache(len(FILES))
def read(name: str) -> bytes:
    """One of the page's files: ours, or Swagger UI's; read when first asked for, as most workers never are."""
    own = OWN / name
    return own.read_bytes() if own.is_file() else (files("flask_swagger_ui") / "dist" / name).read_bytes()
