"""tensorflow.serving.ModelService: which versions there are, and in which state.

As tensorflow_serving/model_servers/{model_service_impl,get_model_status_impl}.cc have them.
"""

from typing import Any

from service.dialects.oip.repository import AdminOff
from service.errors import ModelNotFound, VersionNotFound
from service.grpc import requests
from service.grpc.calls import Call, Context
from service.grpc.messages import CODE, STATE, GetModelStatusResponse
from service.versions.served import Served, State
from service.wording import MOST_ECHOED


def get_model_status(request: Any, call: Call, context: Context) -> Any:
    """The state of every version of a model, or of one."""
    name, version = requests.target(context.catalog, request)
    try:
        versions = context.catalog.versions(name)
        if version is not None and version not in versions:
            raise VersionNotFound
    except (ModelNotFound, VersionNotFound) as error:
        wanted = "any versions" if version is None else f"version {version}"
        raise type(error)(f"Could not find {wanted} of model {name[:MOST_ECHOED]}") from None
    response = GetModelStatusResponse()
    for number, served in versions.items():
        if version in (None, number):
            describe(served, response.model_version_status.add())
    return response


def describe(served: Served, status: Any) -> None:
    """Fill a ModelVersionStatus, with the reason where the version was refused."""
    failed = served.state is State.END and served.error
    status.version = served.version.number
    status.state = STATE.values_by_name[served.state.value].number
    status.status.error_code = CODE.values_by_name["UNKNOWN" if failed else "OK"].number
    status.status.error_message = failed or ""


def handle_reload_config_request(request: Any, call: Call, context: Context) -> Any:
    """Nobody may."""
    raise AdminOff("admin calls are off in gRPC: models are loaded when the service starts, or over /v2/repository")
