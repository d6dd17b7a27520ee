"""Who is refused without being heard, and how long a connection rests that was refused.

Under a flood most requests are refused, and what that costs is lost to those that are answered. So a refusal that holds
for all requests of a path is kept for a moment, and given to who comes meanwhile as it is: after his head is parsed,
before Flask. And whoever is refused is not read for a while: the longer, the more there are, so that no more than
1 / EACH are refused in a second, however hard they knock. Pure: time is an argument, in seconds on any one clock.
"""

import random
import re
from collections.abc import Callable
from typing import Any

from service.batching.overload import Refusal

EACH = 0.002
"""Seconds that a refused connection rests for each that does: 500 refusals a second take some 3 % of a core."""
LONGEST = 1.0
"""Seconds of a first rest, at most: as many as Retry-After asks for, at least."""
MOST_KNOCKS = 2
"""Rests grow so often: to four seconds."""
MOST_PATHS = 256
"""Refusals that are kept; of more, all are forgotten."""

NEVER = (float("-inf"), None)
REQUEST_ID = re.compile(rb"[\w.:/+=-]{1,128}")


class Door:
    """Of one worker."""

    def __init__(self) -> None:
        self.resting = 0
        self.tell: Callable[[Any, str, Refusal], None] = tell
        """Called with each request that is refused so, and its id."""
        self.kept: dict[tuple[str, str], tuple[float, Refusal]] = {}
        """By path and query, each until when it holds."""

    def keep(self, request: Any, until: float, refusal: Refusal) -> None:
        """Give it to all requests like this one until then."""
        if len(self.kept) >= MOST_PATHS:
            self.kept.clear()
        self.kept[request.path, request.query] = until, refusal

    def refusal(self, request: Any, came: float) -> Refusal | None:
        """What a request that came then gets before it is heard, None if it is heard.

        Who was not read for a while came before the last one was refused, and would only be answered late.
        """
        if request.method != "POST":
            return None
        until, found = self.kept.get((request.path, request.query), NEVER)
        return found if came < until else None

    def rest(self, knocks: int) -> float:
        """Seconds for one more connection to rest, which has knocked so often while it did: twice as many each time."""
        self.resting += 1
        return min(EACH * self.resting, LONGEST) * 2.0 ** min(knocks, MOST_KNOCKS)


def tell(_request: Any, _id: str, refusal: Refusal) -> None:
    """Have a refusal counted."""
    refusal.told()


def own_id(request: Any) -> str:
    """A refused request's id: its client's, or one drawn by chance."""
    given = next((value for name, value in request.headers_bytes if name.lower() == b"x-request-id"), b"")
    return given.decode() if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"
