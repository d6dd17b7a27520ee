"""Times and words of a report, as people read them."""

from datetime import datetime
from typing import Any


def lasting(seconds: float) -> str:
    """How long something took.

    >>> lasting(0.53), lasting(126.3), lasting(7384)
    ('0.5 s', '2 min 6 s', '2 h 3 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{seconds:.1f} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def day(time: str) -> str:
    """A time of a card.

    >>> day("2026-11-22T17:56:04Z")
    '22 November 2026, 17:56 UTC'
    """
    moment = datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - it says so itself
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def listed(words: Any) -> str:
    """Words in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    words = list(words)
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
