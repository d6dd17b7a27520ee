"""Who answers a request that names no version: precomputed per model, and replaced in one step."""

from collections.abc import Mapping
from typing import NamedTuple

from service.handle import ModelHandle
from service.versions.policy import Policy


class Route(NamedTuple):
    """The default, the canary with its share of the requests, from 0 to 1, and who is only compared."""

    default: ModelHandle
    canary: ModelHandle | None = None
    share: float = 0.0
    shadow: ModelHandle | None = None


def route(handles: Mapping[int, ModelHandle], policy: Policy) -> Route | None:
    """The route over the versions that answer; None if none does.

    The default is the newest that is neither canary nor shadow, unless those are all there is.
    """
    newest = sorted(handles, reverse=True)
    if not newest:
        return None
    default = next((number for number in newest if number not in policy.aside), newest[0])
    others = {number: handle for number, handle in handles.items() if number != default}
    canary, share = None, 0.0
    if policy.canary is not None and policy.canary.percent > 0:
        canary, share = others.get(policy.canary.version), policy.canary.percent / 100
    return Route(handles[default], canary, share if canary else 0.0, others.get(policy.shadow or 0))
