"""How many lists and objects a body may hold: each takes fifty times the bytes in memory that it took on the way."""

from collections.abc import Callable
from typing import Any

from service.errors import BodyTooLarge

MOST = 1_000_000
"""Lists and objects of one body. Long lists of numbers are few, and pixels may come as pictures or tensors."""


def check(body: bytes) -> None:
    """BodyTooLarge if JSON has more, by its brackets; those within strings count, too.

    >>> check(b"[[], {}]")
    """
    if len(body) > MOST and body.count(b"[") + body.count(b"{") > MOST:
        raise too_many()


def counter() -> Callable[[Any], Any]:
    """What takes the lists and objects of one body as they are read, and raises BodyTooLarge of one too many."""
    left = MOST

    def count(value: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise too_many()
        return value

    return count


def too_many() -> BodyTooLarge:
    return BodyTooLarge(f"the body has more than {MOST} lists and objects; send fewer rows, or tensors whole")
