"""The store's folders: which versions are published, which number comes next, and publishing by one rename.

store/<model>/.tmp-<random>/  ─ rename ─▶  store/<model>/<version>/
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.mistakes import Mistake


def published(store: Path, model: str) -> list[int]:
    """The model's versions in the store, ascending."""
    folder = store / model
    if not folder.is_dir():
        return []
    return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isascii() and entry.name.isdigit())


@dataclass(frozen=True)
class Version:
    """One version's place: store/<model>/<number>."""

    store: Path
    model: str
    number: int

    @property
    def folder(self) -> Path:
        """Where it lies once it is published."""
        return self.store / self.model / str(self.number)


def number(store: Path, model: str, wanted: int | None, newest: int) -> int:
    """The version to publish: the one wanted, else the newest architecture's, else one above all that are there.

    Mistake if the wanted one is published already.
    """
    if wanted is None:
        taken = published(store, model)
        return newest if newest not in taken else max(taken) + 1
    refuse_published(store, model, wanted)
    return wanted


def refuse_published(store: Path, model: str, wanted: int) -> None:
    """Mistake if this version is published already."""
    taken = published(store, model)
    if wanted in taken:
        raise Mistake(f"{store / model / str(wanted)} is published already; the next free version is {max(taken) + 1}")


def refuse_unwritable(store: Path) -> None:
    """Mistake if no version can be written below `store`, which need not exist yet."""
    nearest = next(folder for folder in (store, *store.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise Mistake(f"cannot write to {store}: {nearest} is not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise Mistake(f"cannot write to {store}: no permission in {nearest}")


@contextlib.contextmanager
def publishing(version: Version) -> Iterator[Path]:
    """A fresh folder to write into; published when the block ends, gone without a trace if it fails."""
    draft = version.store / version.model / f".tmp-{secrets.token_hex(8)}"
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise Mistake(f"cannot write to {version.store}: {error.strerror}") from error
    try:
        yield draft
        if version.folder.exists():
            raise Mistake(f"{version.folder} was published meanwhile; nothing was overwritten")
        draft.rename(version.folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        _remove_if_empty(draft.parent)
        raise


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # Other versions live there.
        folder.rmdir()
