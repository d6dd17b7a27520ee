"""Why a version is not served, in words for a status and in one of few for a metric."""

from pathlib import Path
from typing import NamedTuple

from service import redact
from service.errors import ServiceError
from service.versions.store import Version

MEMORY = ("bad_alloc", "ResourceExhausted", "OOM when allocating", "Failed to allocate memory")
"""What engines say where there is not enough of it."""

AWAY = "away"
"""The reason that passes without anybody touching the version's files: who computes it is not there, or busy."""

REASONS = {
    "WrongAnswers": "wrong-answers",
    "Untrusted": "untrusted",
    "NotPulled": "not-pulled",
    "TooLarge": "memory",
    "DiedLoading": "died",
    "HungLoading": "hung",
    "FleetAway": AWAY,
    "ModelNotReady": AWAY,
    "QueueFull": AWAY,
    "DeadlineExceeded": AWAY,
}
"""The reasons that errors stand for, by their classes' names; MemoryError is one more, all others are "broken"."""


class Verdict(NamedTuple):
    """Why a version was refused, and the fingerprint of the files of which that is true."""

    reason: str
    detail: str
    files: str = ""


def reason(error: BaseException) -> str:
    """The word for a metric.

    >>> reason(MemoryError()), reason(OSError("no such file")), reason(RuntimeError("std::bad_alloc"))
    ('memory', 'broken', 'memory')
    """
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or any(word in text for word in MEMORY):
        return "memory"
    return REASONS.get(type(error).__name__, "broken")


def detail(error: BaseException, root: Path) -> str:
    """Why, in one line without the folders of this machine.

    >>> detail(FileNotFoundError("no /srv/qa/2/a.onnx, says /usr/lib/b.so"), Path("/srv"))
    'FileNotFoundError: no qa/2/a.onnx, says b.so'
    """
    told = redact.line(str(error).replace(f"{root}/", ""))
    return told if isinstance(error, ServiceError) else f"{type(error).__name__}: {told}"


class Unloadable(ServiceError):
    """A version cannot be loaded; the message says why without naming a folder."""

    def __init__(self, version: Version, error: Exception) -> None:
        super().__init__(detail(error, version.folder.parent.parent))
        self.version = version
        self.reason = reason(error)
