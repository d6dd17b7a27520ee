"""Words that messages to clients share: bounds, and what a wrong name may have meant."""

import difflib
from collections.abc import Sequence

MOST_ECHOED = 60
"""Characters of a client's own text that an answer repeats."""
MOST_LISTED = 200
"""Characters of a list of labels in an answer."""


def between(low: float | None, high: float | None) -> str:
    """Bounds in a message; at least one is there.

    >>> between(0.0, 1), between(0.5, None), between(None, 100)
    ('from 0 to 1', 'of at least 0.5', 'of at most 100')
    """
    if high is None:
        return f"of at least {low:.15g}"
    return f"of at most {high:.15g}" if low is None else f"from {low:.15g} to {high:.15g}"


def nearest(word: str, known: Sequence[str], things: str) -> str:
    """The known word that an unknown one may have meant, or all of them, to end a message with.

    >>> nearest("Dres", ["dress", "shirt"], "labels"), nearest("hat", ["dress", "shirt"], "labels")
    (", did you mean 'dress'?", '; the labels are dress, shirt')
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:MOST_ECHOED].casefold(), list(folded), n=1)
    if near:
        return f", did you mean {folded[near[0]]!r}?"
    listed = ", ".join(known)
    return f"; the {things} are {listed if len(listed) <= MOST_LISTED else listed[: MOST_LISTED - 1] + '…'}"
