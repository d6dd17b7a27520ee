"""What an operator asks and changes while the service runs: the policy of a model, as serving.json has it.

    GET /admin/models/<model>/policy   the policy, and the versions that follow from it
    PUT /admin/models/<model>/policy   another policy, in the file and in every worker; answered when it stands here

Errors are problem+json (RFC 9457).
"""

from typing import Any

from flask import Blueprint, Response

from service.dialects import native
from service.dialects.exchange import json_response, read_json
from service.dialects.oip.repository import LOADING_SECONDS, AdminOff
from service.errors import Fault, InvalidInput, ServiceError
from service.handle import Wait
from service.schemas import MOST_FAULTS
from service.versions import policies
from service.versions.catalog import Catalog
from service.versions.policy import Policy
from service.versions.repository import Repository


def blueprint(catalog: Catalog, wait: Wait, repository: Repository | None) -> Blueprint:
    """The routes over a catalog; without a repository nothing is told or changed."""
    admin = Blueprint("admin", __name__, url_prefix="/admin")
    admin.register_error_handler(ServiceError, native.problem)

    @admin.get("/models/<model>/policy")
    def policy(model: str) -> Response:
        admitted()
        return json_response(shown(catalog, model))

    @admin.put("/models/<model>/policy")
    def rule(model: str) -> Response:
        repository = admitted()
        chosen = read(read_json())
        wait(repository.rule(model, lambda _: chosen), LOADING_SECONDS)
        return json_response(shown(catalog, model))

    def admitted() -> Repository:
        if repository is None:
            raise AdminOff("admin calls are off: they need MANIFOLD_KEYS, and a key of the scope admin")
        return repository

    return admin


def read(value: Any) -> Policy:
    """The policy that a body has; InvalidInput."""
    faults: list[Fault] = []
    policy = policies.build(value, "", faults)
    if faults:
        raise InvalidInput(faults[:MOST_FAULTS])
    return policy


def shown(catalog: Catalog, model: str) -> dict[str, Any]:
    """A model's policy and versions; ModelNotFound."""
    versions = [native.version(served) for served in catalog.versions(model).values()]
    return {"policy": policies.document(catalog.policy(model)), "versions": versions}
