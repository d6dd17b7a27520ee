"""Stores at a URL for tests: a file system in memory that fails as it is told, and what is published in one."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fsspec.implementations.memory import MemoryFileSystem

from service.storage.remote import Remote
from service.versions.manifest import NAME, SIGNATURE

ROOT = "/bucket/models"
FILES = {
    "saved_model.pb": b"a model",
    "variables/variables.index": b"",
    "assets.extra/card.json": b"{}",
}


class Flaky(MemoryFileSystem):
    """Files in memory of its own; `fails` says what reading one, or listing a folder, does instead."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.store: dict[str, Any] = {}
        self.pseudo_dirs = [""]
        self.fails: dict[str, str] = {}
        self.reads: list[str] = []
        self.written: list[str] = []
        self.away = False

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        if self.away:
            raise ConnectionError("no route to http://store\nand a stack")
        return super().ls(path, detail, **options)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        if self.away:
            raise ConnectionError("no route")
        self.reads.append(path)
        found: bytes = super().cat_file(path, start, end, **options)
        how = self.fails.get(path.rpartition("/")[2], "")
        if how == "raises":
            raise TimeoutError("too slow")
        if how == "is gone":
            raise FileNotFoundError(path)
        if how == "grows":
            self.pipe_file(f"{path}.more", b"")
            return found
        if how == "kills":
            raise SystemExit
        return {"": found, "is short": found[:-1], "is other": found[::-1]}[how]

    def put_file(self, lpath: str, rpath: str, **options: Any) -> None:
        self.written.append(rpath)
        super().put_file(lpath, rpath, **options)


class Bucket:
    """A remote store that tests write into, by path."""

    def __init__(self) -> None:
        self.system = Flaky()
        self.remote = Remote(self.system, ROOT)

    def write(self, files: Mapping[str, bytes], under: str = "") -> None:
        for name, content in files.items():
            self.system.pipe_file(f"{ROOT}/{under}/{name}" if under else f"{ROOT}/{name}", content)

    def publish(self, model: str, number: int, described: bool = True, **more: Any) -> None:
        """A whole version, with a manifest if it is `described`."""
        files = content(model, number)
        self.write(files | ({NAME: manifest(model, number, files)} if described else {}), f"{model}/{number}")

    def remove(self, path: str) -> None:
        self.system.rm(f"{ROOT}/{path}", recursive=True)


def content(model: str, number: int) -> dict[str, bytes]:
    """The files of a version, which differ from those of all others."""
    return {name: text + f" of {model}/{number}".encode() for name, text in FILES.items()}


def manifest(model: str, number: int, files: Mapping[str, bytes]) -> bytes:
    listed = {
        name: {"size": len(text), "sha256": sha256(text).hexdigest()}
        for name, text in files.items()
        if name not in (NAME, SIGNATURE)
    }
    return json.dumps({"model": model, "version": number, "files": listed}).encode()
