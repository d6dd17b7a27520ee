"""The page of a report, and its pictures."""

from collections.abc import Callable
from pathlib import Path

from flask import Blueprint, Response, abort

from service import security
from service.console.facts import facts
from service.console.page import page
from service.console.report import pictures
from service.console.report.page import document
from service.errors import VersionNotFound
from service.handle import ModelHandle
from service.pages import Page
from service.versions.catalog import Catalog
from service.web import current_request


class ReportPicture(Page):
    """A picture of a report. It comes from a store, not from us: opened by itself, it may run and load nothing.

    The styles are the browser's own, with which it shows a picture in the middle of a page.
    """

    POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
    always = security.page(POLICY, "private, no-cache")


def mount(console: Blueprint, catalog: Catalog, find: Callable[[str], ModelHandle]) -> None:
    """Add both to the console; `find` has the version that is asked for."""

    @console.get("/console/models/<model>/report")
    def report(model: str) -> Response:
        handle = find(model)
        return page("report.html", model=facts(handle, catalog), report=document(handle, folder(catalog, handle)))

    @console.get("/console/models/<model>/report/<name>")
    def picture(model: str, name: str) -> Response:
        body = pictures.read(folder(catalog, find(model)), name)
        if not body:
            abort(404)
        response = ReportPicture(body, mimetype="image/png")
        response.add_etag()
        response.make_conditional(current_request())
        return response


def folder(catalog: Catalog, handle: ModelHandle) -> Path:
    """Where the files of a version lie; VersionNotFound if it has just gone."""
    served = catalog.versions(handle.model).get(handle.version)
    if served is None:
        raise VersionNotFound(f"{handle.model} is no longer served in version {handle.version}")
    return served.version.folder
