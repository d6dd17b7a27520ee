"""API keys over gRPC, in the metadata `authorization` or `x-api-key`. Health and reflection are open to all.

A method that is not in the table needs the scope admin.
"""

from collections.abc import Callable, Mapping
from typing import Any

from service import metrics
from service.access.guard import Guard
from service.access.keys import Key, Scope

SCOPES: Mapping[str, Scope] = {
    "Classify": Scope.PREDICT,
    "Regress": Scope.PREDICT,
    "Predict": Scope.PREDICT,
    "MultiInference": Scope.PREDICT,
    "GetModelMetadata": Scope.READ,
    "GetModelStatus": Scope.READ,
    "HandleReloadConfigRequest": Scope.ADMIN,
}
"""By method."""


def scope_of(method: str) -> Scope:
    """What a call of a method needs."""
    return SCOPES.get(method, Scope.ADMIN)


def identify(guard: Guard | None, rpc: Any) -> Key | None:
    """The key that a call shows, where one is needed; Unauthenticated."""
    if guard is None:
        return None
    shown = {name: value for name, value in rpc.invocation_metadata() or () if type(value) is str}
    return guard.identify(shown.get("authorization"), shown.get("x-api-key"))


def entered(
    guard: Guard | None, key: Key | None, scope: Scope, request: Callable[[], Any], answer: Callable[[], bytes]
) -> bytes:
    """What a call answers, if its key may ask; of a request nothing is read before. Forbidden, KeyBusy."""
    if guard is None or key is None:
        return answer()
    leave = guard.enter(key, scope, lambda: model_of(request()))
    try:
        return answer()
    finally:
        if leave is not None:
            leave()


def count(guard: Guard | None, key: Key | None, status: int) -> None:
    """Count a call for its key, where one is needed."""
    if guard is not None:
        metrics.key_counter(key.name if key else "", status).inc()


def model_of(request: Any) -> str | None:
    """The model that a request names, if it does."""
    name: str | None = request.model_spec.name if hasattr(request, "model_spec") else None
    return name
