"""What a person did wrong, as opposed to a bug: shown as one line on stderr, with exit code 2 and no traceback."""

from collections.abc import Sequence

SHOWN = 10


class Mistake(Exception):
    """The message is for the person at the terminal: what is wrong, and what would be right."""


class DataMistake(Mistake):
    """A data file that cannot be learnt from; `problems` holds every fault found, the message the first few."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = len(problems) - SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        super().__init__(f"{file}: {'; '.join(problems[:SHOWN])}{rest}")
