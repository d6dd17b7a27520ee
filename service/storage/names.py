"""What a store at a URL may call its files, and why a version of it is not pulled."""

import re

from service.errors import ServiceError

UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")
"""Also half characters, which JSON may have and no file can be called."""
LONGEST = 200


class Unfit(ServiceError):
    """A version cannot be pulled as it is; `reason` is one of few words, for a metric."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def is_safe(name: str) -> bool:
    """Whether a name is that of one file or folder, in the folder where it is written.

    >>> is_safe("saved_model.pb"), is_safe(".."), is_safe("a/b"), is_safe(""), is_safe("a\\nb")
    (True, False, False, False, False)
    """
    return name not in ("", ".", "..") and len(name.encode(errors="replace")) <= LONGEST and not UNSAFE.search(name)


def is_safe_path(path: str) -> bool:
    """Whether all parts of a relative path are.

    >>> is_safe_path("variables/variables.index"), is_safe_path("/etc/passwd"), is_safe_path("a/../b")
    (True, False, False)
    """
    return all(is_safe(name) for name in path.split("/"))
