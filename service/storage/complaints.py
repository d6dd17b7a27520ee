"""What is wrong, logged once for as long as it stays so."""

import logging


class Complaints:
    """Called with a matter and what is wrong with it, "" for nothing any more."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: dict[str, str] = {}

    def __call__(self, about: str, what: str) -> None:
        if what and self._last.get(about) != what:
            self._log.error("%s", what)
        self._last[about] = what
