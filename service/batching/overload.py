"""A refusal for want of room or time: what the worker learns of it, and may give to others as it is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

REFUSED = "manifold.refused"
"""Where the environment of a request that was refused so has a Refused."""


class Refused(NamedTuple):
    """For how many seconds all requests like it would be, and what has one more counted."""

    seconds: float
    told: Callable[[], None]


class Refusal(NamedTuple):
    """A response that is given again: all but its X-Request-Id. `told` has it counted, each time it is given."""

    status: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    told: Callable[[], None]
