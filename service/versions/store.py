"""Versions on disk, and which to serve: STORE/<model>/<version>/saved_model.pb, the version a positive integer."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from service.errors import ServiceError

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VERSION = re.compile(r"[1-9][0-9]{0,17}")
"""As many digits as 64 bits hold, of which gRPC's versions are."""


class NothingToServe(ServiceError):
    """The store holds no model, or not one that was asked for."""


@dataclass(frozen=True)
class Version:
    """One model version in the store."""

    model: str
    number: int
    folder: Path


def versions(model_folder: Path) -> list[Version]:
    """A model's complete versions, newest first; half-written ones have other names and are not seen."""
    found = [
        Version(model_folder.name, int(folder.name), folder)
        for folder in model_folder.iterdir()
        if VERSION.fullmatch(folder.name) and (folder / "saved_model.pb").is_file()
    ]
    return sorted(found, key=lambda version: version.number, reverse=True)


def models(root: Path, names: list[str]) -> dict[str, list[Version]]:
    """The complete versions of the named models, or of all, newest first; NothingToServe without a store."""
    if not root.is_dir():
        raise NothingToServe(f"the store {root} does not exist; train a model first: python -m training similarity")
    names = names or sorted(
        folder.name for folder in root.iterdir() if folder.is_dir() and MODEL_NAME.fullmatch(folder.name)
    )
    return {name: versions(root / name) if (root / name).is_dir() else [] for name in names}


def stored(root: Path, names: list[str]) -> dict[str, list[Version]]:
    """The same of models that have any; NothingToServe says what is missing."""
    found = models(root, names)
    missing = [name for name in names if not found[name]]
    if missing:
        lacks = f"the store {root} has no version of {', '.join(missing)}"
        raise NothingToServe(f"{lacks}, such as {missing[0]}/1/saved_model.pb")
    if not any(found.values()):
        raise NothingToServe(f"the store {root} holds no model; train one first: python -m training similarity")
    return {name: versions for name, versions in found.items() if versions}


def to_serve(root: Path, names: list[str], newest: int) -> list[Version]:
    """The `newest` versions (0: all) of the named models, or of all; NothingToServe says what is missing."""
    return [version for found in stored(root, names).values() for version in found[: newest or None]]


def fingerprint(folder: Path) -> str:
    """Of the names, sizes and times of all files: another one as soon as any file is another."""
    digest = hashlib.blake2b(digest_size=8)
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(parent, name)  # noqa: PTH118 - looked at every second
            try:
                found = os.stat(path)  # noqa: PTH116 - so is this
            except OSError:
                continue  # it goes just now: the next look finds another fingerprint
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def size(path: Path) -> int:
    """The bytes of a file, or of all files in a folder; 0 if it is not there."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
