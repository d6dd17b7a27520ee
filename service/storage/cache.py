"""The folder into which versions are pulled: a store like any other, in which a version is there whole or not at all.

    CACHE/<store>/<model>/<version>/     a version; or, with `not-pulled.txt` in it, why there is none
                 /serving.json           as the store has it
                 /.pulling/              what is on its way in or out, and nobody else sees
                 /.lock                  held by the one process that pulls

Every step that shows is one rename, after what it shows is on the disk.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from service.storage.names import Unfit
from service.storage.whole import MODEL, Part
from service.versions import refusal, store

SPARE = 64 * 2**20
"""Bytes of the disk that are left to others."""


class Cache:
    """The versions in `root`, which is made when something is put there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._draft = root / ".pulling"

    def models(self) -> list[str]:
        """The models that have a folder."""
        return list(store.models(self.root, [])) if self.root.is_dir() else []

    def numbers(self, model: str) -> set[int]:
        """The versions of a model that are there, whole or refused."""
        folder = self.root / model
        return {version.number for version in store.versions(folder)} if folder.is_dir() else set()

    def whole(self, model: str) -> set[int]:
        """The versions of a model that are there whole."""
        return {number for number in self.numbers(model) if not refusal.stands(self.folder(model, number))}

    def folder(self, model: str, number: int) -> Path:
        return self.root / model / str(number)

    @contextlib.contextmanager
    def put(self, model: str, number: int, parts: Mapping[str, Part]) -> Iterator["Incoming"]:
        """A version's files, one after another: it shows when all are there; Unfit without room, OSError."""
        needed = sum(part.size for part in parts.values()) + SPARE
        draft = self._new()
        try:
            free = shutil.disk_usage(draft).free
            if free < needed:
                raise Unfit("disk", f"it needs {needed:,} bytes of the disk, and {free:,} are free")
            incoming = Incoming(draft, parts)
            yield incoming
            self._show(draft, self.folder(model, number))
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def refuse(self, model: str, number: int, why: str) -> None:
        """Say in a version's place why it is not there; OSError."""
        draft = self._new()
        (draft / MODEL).touch()
        refusal.write(draft, why)
        self._show(draft, self.folder(model, number))

    def remove(self, model: str, number: int) -> None:
        """Take a version away, at once for all who look; OSError."""
        self._hide(self.folder(model, number))

    def write(self, name: str, content: bytes | None) -> None:
        """A small file beside the models, None for none; OSError."""
        path = self.root / name
        if content is None:
            path.unlink(missing_ok=True)
            return
        draft = self._new() / name
        draft.write_bytes(content)
        sync(draft)
        draft.replace(path)
        draft.parent.rmdir()

    def bytes(self) -> int:
        """The bytes of all that lies there."""
        return store.size(self.root) if self.root.is_dir() else 0

    def clean(self) -> None:
        """Throw away what was on its way when somebody died."""
        shutil.rmtree(self._draft, ignore_errors=True)

    def lock(self) -> int | None:
        """A file that is held while it is open, so that one process pulls; None while another does; OSError."""
        self.root.mkdir(parents=True, exist_ok=True)
        file = os.open(self.root / ".lock", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return file

    def _new(self) -> Path:
        folder = self._draft / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder

    def _show(self, draft: Path, place: Path) -> None:
        sync(*[path for path in draft.rglob("*") if path.is_dir()], draft)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():  # a refusal
            self._hide(place)
        draft.rename(place)
        sync(place.parent)

    def _hide(self, place: Path) -> None:
        away = self._new()
        place.rename(away / place.name)
        shutil.rmtree(away, ignore_errors=True)


class Incoming:
    """The files of one version on their way into a folder."""

    def __init__(self, folder: Path, parts: Mapping[str, Part]) -> None:
        self._folder = folder
        self._parts = parts

    def take(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file; Unfit if it is not what it should be."""
        path, part, digest, size = self._folder / name, self._parts[name], hashlib.sha256(), 0
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        if size != part.size:
            raise Unfit("incomplete", f"{name} has {size} bytes, not {part.size}")
        if part.sha256 not in (None, digest.hexdigest()):
            raise Unfit("checksum", f"{name} has another SHA-256 than the manifest says")
        sync(path)


def sync(*paths: Path) -> None:
    """Have files and folders on the disk before anybody relies on them."""
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
