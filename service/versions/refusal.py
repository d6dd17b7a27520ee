"""In the place of a version that could not be pulled: why, for all who would load it."""

from pathlib import Path

from service import files
from service.errors import ServiceError

FILE = "not-pulled.txt"


class NotPulled(ServiceError):
    """The version is not there, though it is in the store at a URL; the message says why."""


def stands(folder: Path) -> bool:
    """Whether a folder says so."""
    return (folder / FILE).is_file()


def write(folder: Path, why: str) -> None:
    (folder / FILE).write_text(why, encoding="utf-8")


def read(folder: Path) -> str:
    return files.read(folder / FILE).decode(errors="replace")


def check(folder: Path) -> None:
    """NotPulled, if a folder has that to say instead of a model."""
    if stands(folder):
        raise NotPulled(read(folder))
