"""The repository of the Open Inference Protocol: what there is, and, where there are API keys, loading and unloading.

POST /v2/repository/index, /v2/repository/models/<model>/load, …/unload
"""

from typing import Any

from flask import Blueprint, Response

from service.dialects.exchange import json_response, parse, read_body
from service.errors import Fault, InvalidInput, MalformedBody, ServiceError
from service.handle import Wait
from service.nested import show
from service.schemas import MOST_FAULTS, escape
from service.versions.catalog import Catalog
from service.versions.repository import Repository
from service.versions.served import Served, State
from service.wording import MOST_ECHOED

LOADING_SECONDS = 600.0
"""How long a call waits for a model to be loaded or unloaded."""


class AdminOff(ServiceError):
    """Models may not be loaded and unloaded by calls, unless MANIFOLD_KEYS has a key of the scope admin."""

    status = 403
    title = "Admin calls are off"
    slug = "admin-off"


def add_routes(oip: Blueprint, catalog: Catalog, wait: Wait, repository: Repository | None) -> None:
    """The routes over a catalog; without a repository nothing can be loaded or unloaded."""

    @oip.post("/repository/index")
    def index() -> Response:
        only_ready = index_filter(read_body())
        listed = [entry(served) for served in catalog.served()]
        return json_response([one for one in listed if one["state"] == "READY" or not only_ready])

    @oip.post("/repository/models/<model>/load")
    def load(model: str) -> Response:
        admin = admitted(model)
        check_parameters(read_body(), [])
        wait(admin.load(model), LOADING_SECONDS)
        return json_response({})

    @oip.post("/repository/models/<model>/unload")
    def unload(model: str) -> Response:
        admin = admitted(model)
        check_parameters(read_body(), ["unload_dependents"])
        wait(admin.unload(model), LOADING_SECONDS)
        return json_response({})

    def admitted(model: str) -> Repository:
        if repository is None:
            catalog.versions(model)
            raise AdminOff("admin calls are off: they need MANIFOLD_KEYS, and a key of the scope admin")
        return repository


def read(body: bytes) -> dict[str, Any]:
    """The object in a body, which may be empty; MalformedBody."""
    asked = parse(body) if body.strip() else {}
    if type(asked) is not dict:
        raise MalformedBody(f"expected an object, got {show(asked)}")
    return asked


def check_parameters(body: bytes, known: list[str]) -> None:
    """MalformedBody or InvalidInput, as of one who would have a model otherwise than it lies in the store."""
    parameters = read(body).get("parameters", {})
    if type(parameters) is not dict:
        raise InvalidInput([Fault("/parameters", f"expected an object, got {show(parameters)}")])
    strange = [name[:MOST_ECHOED] for name in parameters if name not in known][:MOST_FAULTS]
    if strange:
        detail = "there is no such parameter: what lies in the store is served as it is"
        raise InvalidInput([Fault(f"/parameters/{escape(name)}", detail) for name in strange])


def index_filter(body: bytes) -> bool:
    """Whether an index is to list the models that are ready only; MalformedBody, InvalidInput."""
    ready = read(body).get("ready", False)
    if type(ready) is not bool:
        raise InvalidInput([Fault("/ready", f"expected true or false, got {show(ready)}")])
    return ready


def entry(served: Served) -> dict[str, str]:
    """A version in the repository's index."""
    return {
        "name": served.version.model,
        "version": str(served.version.number),
        "state": "READY" if served.state is State.AVAILABLE else "UNAVAILABLE",
        "reason": reason(served),
    }


def reason(served: Served) -> str:
    """Why a version is unavailable."""
    if served.state is State.END:
        return served.error or "unloaded"
    return "" if served.state is State.AVAILABLE else served.state.value.lower()
