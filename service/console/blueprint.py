"""The console: pages on which people try the models, in a browser.

    GET /                                     the models
    GET /console/models/<model>               try one            ?version=
    GET /console/models/<model>/why           which words, or parts of a picture, decided
    GET /console/models/<model>/compare       two versions on the same row
    GET /console/models/<model>/report        what training found; …/report/<name>: one of its pictures
    GET /console/live                         what is going on
    POST /console/enter, /console/leave       sign in with an API key, and out; only where there are keys
    GET /console/assets/<name>                what the pages load

Rendered with Jinja, from templates/; their scripts begin in assets/pages/, and ask the native dialect, as any client
does. Nothing is loaded from elsewhere.
"""

import mimetypes
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort
from flask.blueprints import BlueprintSetupState

from service import schemas
from service.access.guard import Guard
from service.console import comparison, live, signing
from service.console.cards import card, cards
from service.console.facts import facts
from service.console.page import ConsolePage, page
from service.console.refused import problem
from service.console.report import routes as reports
from service.dialects.exchange import label
from service.dialects.guarded import may_see
from service.errors import ModelNotReady
from service.handle import ModelHandle
from service.pages import tagged
from service.settings import Settings
from service.versions.catalog import Catalog
from service.web import current_request

ASSETS = Path(__file__).parent / "assets"


def blueprint(catalog: Catalog, settings: Settings, guard: Guard | None = None) -> Blueprint:
    """The pages over a catalog; with a guard, those to sign in and out as well."""
    console = Blueprint("console", __name__, template_folder="templates")
    console.record_once(in_order)

    def find(model: str) -> ModelHandle:
        asked = schemas.query(current_request().args)
        handle = catalog.get(model, asked.version)
        label(handle)
        return handle

    def about(template: str, model: str) -> Response:
        """A page about one version."""
        return page(template, model=facts(find(model), catalog))

    @console.get("/console/models/<model>")
    def attempt(model: str) -> Response:
        return about("try.html", model)

    @console.get("/console/models/<model>/why")
    def why(model: str) -> Response:
        return about("why.html", model)

    @console.get("/console/models/<model>/compare")
    def compare(model: str) -> Response:
        asked = comparison.asked(current_request().args)
        first, second = comparison.pair(catalog, model, asked)
        label(first)
        other = second and facts(second, catalog)
        return page("compare.html", model=facts(first, catalog), other=other, card=card(model, catalog))

    @console.errorhandler(ModelNotReady)
    def wait(error: ModelNotReady) -> Response:
        model = (current_request().view_args or {})["model"]
        return problem(error, waits=card(model, catalog))

    if guard is not None:
        signing.mount(console, guard)

    reports.mount(console, catalog, find)
    live.mount(console, catalog, settings)

    @console.get("/console/assets/<path:name>")
    def asset(name: str) -> Response:
        if name not in assets():
            abort(404)
        return tagged(ConsolePage(read(name), mimetype=mimetypes.guess_type(name)[0]))

    return console


def in_order(setup: BlueprintSetupState) -> None:
    """What templates write as JSON stays in its order: inputs and outputs stand as the model has them."""
    setup.app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}


def home(catalog: Catalog) -> Response:
    """The models that one may see."""
    return page("models.html", models=cards(catalog, may_see, live.history().rates()), here="models")


@cache
def assets() -> frozenset[str]:
    """The names of all files that pages load."""
    return frozenset(file.relative_to(ASSETS).as_posix() for file in ASSETS.rglob("*.*"))


@cache
def read(name: str) -> bytes:
    """One of them; read when first asked for."""
    return (ASSETS / name).read_bytes()
