"""The pictures of a version's report: those that lie in its own folder, and can be read.

<version>/assets.extra/report/   report.json  learning_curves.png  layers.png  <output>.<what it shows>.png
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from service import files

FOLDER = Path("assets.extra/report")
RECORD = "report.json"
SUFFIX = ".png"

PNG = b"\x89PNG\r\n\x1a\n"
HEAD = 24
"""Bytes at the start of a picture that say how large it is."""
MOST = 100
"""Pictures of one report that are shown."""


class Picture(NamedTuple):
    """A picture's name, and its size in pixels."""

    name: str
    width: int
    height: int


def found(version: Path) -> list[Picture]:
    """The pictures of a version's report, by name; [] if there is none."""
    sizes = {name: measured(_body(version, name, HEAD)) for name in sorted(names(version))[:MOST]}
    return [Picture(name, *size) for name, size in sizes.items() if size]


def names(version: Path) -> frozenset[str]:
    """What the report's folder has of pictures; a link that leads out of the version is none."""
    home = version.resolve()
    try:
        return frozenset(
            file.name
            for file in (version / FOLDER).iterdir()
            if file.suffix == SUFFIX and is_small(file) and file.resolve().is_relative_to(home)
        )
    except (OSError, RuntimeError):
        return frozenset()


def is_small(file: Path) -> bool:
    """Whether it is a file that can be read whole."""
    return file.is_file() and file.stat().st_size <= files.MOST_BYTES


def read(version: Path, name: str) -> bytes:
    """A picture of a version's report; b"" if there is no such picture."""
    return _body(version, name) if name in names(version) else b""


def _body(version: Path, name: str, most: int | None = None) -> bytes:
    try:
        return files.read(version / FOLDER / name, most)
    except OSError:
        return b""


def measured(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, by how a file begins; None of what is no picture.

    >>> measured(PNG + b"\\0\\0\\0\\rIHDR\\0\\0\\0\\x1e\\0\\0\\0\\x14"), measured(b"GIF89a")
    ((30, 20), None)
    """
    if len(head) < HEAD or not head.startswith(PNG):
        return None
    width, height = struct.unpack(">II", head[16:HEAD])
    return width, height


def record(version: Path) -> Mapping[str, Any] | None:
    """What the report says in figures; {} if it says nothing, None if it cannot be read."""
    home = version.resolve()
    file = version / FOLDER / RECORD
    try:
        if not file.resolve().is_relative_to(home):
            return {}
        told = orjson.loads(files.read(file))
    except FileNotFoundError:
        return {}
    except (OSError, RuntimeError, ValueError):
        return None
    return told if isinstance(told, dict) else None
