"""What a browser gets of the console: a template, rendered, and the headers that go with it."""

from typing import Any

from flask import current_app, render_template

from service import VERSION, security
from service.console import links
from service.dialects import guarded
from service.pages import Page
from service.web import current_request


class ConsolePage(Page):
    """A page of the console, or a part of one; pictures may come from what was dropped or drawn."""

    POLICY = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    always = security.page(POLICY)


class LivePage(ConsolePage):
    """A page that says how things stand now."""

    lasting = False


class PrivatePage(LivePage):
    """A page that not everybody may see: no browser and no proxy keeps it."""

    always = security.page(ConsolePage.POLICY, "no-store")


def page(template: str, status: int = 200, **values: Any) -> LivePage:
    """A template, rendered; it knows of `keys`, whether there are any here, and of `key`, the one that is shown."""
    environ = current_request().environ
    keys = "guard" in current_app.extensions
    known = {
        "service_version": VERSION,
        "root": links.here(),
        "link": links.link,
        "keys": keys,
        "key": environ.get(guarded.KEY),
        "signed_in": environ.get(guarded.SIGNED_IN, False),
    }
    shown = PrivatePage if keys else LivePage
    response = shown(render_template(template, **known, **values), status, mimetype="text/html")
    response.vary.add("Accept")
    return response
