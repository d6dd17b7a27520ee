"""Versions on disk, and which to serve: STORE/<model>/<version>/saved_model.pb, the version a positive integer."""

import re
from dataclasses import dataclass
from pathlib import Path

from service.errors import ServiceError

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


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
        if re.fullmatch(r"[1-9][0-9]*", folder.name) and (folder / "saved_model.pb").is_file()
    ]
    return sorted(found, key=lambda version: version.number, reverse=True)


def to_serve(root: Path, models: list[str], newest: int) -> list[Version]:
    """The `newest` versions (0: all) of the named models, or of all; NothingToServe says what is missing."""
    if not root.is_dir():
        raise NothingToServe(f"the store {root} does not exist; train a model first: python -m training similarity")
    names = models or sorted(
        folder.name for folder in root.iterdir() if folder.is_dir() and MODEL_NAME.fullmatch(folder.name)
    )
    chosen = {name: versions(root / name)[: newest or None] if (root / name).is_dir() else [] for name in names}
    missing = [name for name in models if not chosen[name]]
    if missing:
        raise NothingToServe(f"the store {root} has no version of {', '.join(missing)}")
    served = [version for found in chosen.values() for version in found]
    if not served:
        raise NothingToServe(f"the store {root} holds no model; train one first: python -m training similarity")
    return served
