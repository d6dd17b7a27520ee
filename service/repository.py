"""Models loaded and unloaded while they and others are asked, in every worker of a server alike.

    POST …/load ─▶ store ─▶ catalog.swap ─▶ FOLDER/<model>      the worker that is asked
                            catalog.swap ◀─ FOLDER/<model>      the others, LOOK seconds later, and their successors

A file names the versions of a model that shall be served, behind a word that is new each time. Who changes a model
holds its lock, who follows shares it: changes come one after another, and the last one stands.
"""

import contextlib
import fcntl
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from service import redact, store
from service.catalog import Catalog
from service.errors import ModelNotFound, ServiceError
from service.future import Future
from service.store import MODEL_NAME, NothingToServe, Version

LOG = logging.getLogger("manifold.repository")

LOOK = 0.3
"""Seconds between two looks at what other workers were told."""

LONGEST = 200
"""Characters of a model's name: it is that of a file, too."""


class CannotLoad(ServiceError):
    """The model cannot be loaded, and what was served of it before still is; the message says why."""

    status = 400
    title = "Cannot be loaded"
    slug = "cannot-load"


class Repository:
    """Loads and unloads the models of a catalog from the store at `root`, as every worker with this folder does."""

    def __init__(self, catalog: Catalog, root: Path, newest: int, folder: Path) -> None:
        self._catalog = catalog
        self._root = root
        self._newest = newest
        self._folder = folder
        self._done: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> threading.Thread:
        """Load everything on a thread, as `Catalog.start` does, but what was told before; then follow."""
        thread = threading.Thread(target=self._begin, name="loader", daemon=True)
        thread.start()
        return thread

    def load(self, model: str) -> "Future[Any]":
        """Serve what the store has of a model now; ModelNotFound, CannotLoad."""
        return in_background(lambda: self._load(model))

    def unload(self, model: str) -> "Future[Any]":
        """Serve nothing of a model; done when what was accepted is answered. ModelNotFound."""
        self._catalog.versions(model)
        return in_background(lambda: self._change(model, list))

    def follow(self) -> None:
        """Do what any worker was told since the last look; what cannot be loaded is logged."""
        for file in self._folder.iterdir():
            if MODEL_NAME.fullmatch(file.name) and file.read_text() != self._done.get(file.name):
                with self._lock(file.name, fcntl.LOCK_SH):
                    self._obey(file)

    def _begin(self) -> None:
        self.follow()
        self._catalog.load_all()
        threading.Thread(target=self._follow_on, name="follower", daemon=True).start()

    def _follow_on(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # the server ends, and its folder with it
            while True:
                self.follow()
                time.sleep(LOOK)

    def _load(self, model: str) -> None:
        self._stored(model)  # no lock for what is not there
        self._change(model, lambda: self._stored(model))

    def _change(self, model: str, choose: Callable[[], Sequence[Version]]) -> None:
        """Swap, and tell the others; they are told nothing of what cannot be."""
        with self._lock(model, fcntl.LOCK_EX):
            versions = choose()
            try:
                self._catalog.swap(model, versions)
            except Exception as error:
                raise CannotLoad(f"{model} cannot be loaded: {reason(error, self._root)}") from error
            told = " ".join([secrets.token_hex(8), *(str(version.number) for version in versions)])
            written = self._folder / f".{model}.new"
            written.write_text(told)
            written.replace(self._folder / model)
            self._done[model] = told

    def _obey(self, file: Path) -> None:
        """Swap to what the file says."""
        self._done[file.name] = told = file.read_text()
        versions = [Version(file.name, int(number), self._root / file.name / number) for number in told.split()[1:]]
        try:
            self._catalog.swap(file.name, versions)
        except Exception as error:
            LOG.error("%s stays as it is in this worker: %s", file.name, error)

    def _stored(self, model: str) -> list[Version]:
        """The versions to serve of a model; ModelNotFound."""
        with contextlib.suppress(NothingToServe):
            if MODEL_NAME.fullmatch(model) and len(model) <= LONGEST:
                return store.to_serve(self._root, [model], self._newest)
        raise ModelNotFound(f"no model {model[:LONGEST]!r} is in the store")

    @contextlib.contextmanager
    def _lock(self, model: str, kind: int) -> Iterator[None]:
        """Hold or share the lock of a model, across threads and workers."""
        with (self._folder / f".{model}.lock").open("w") as file:
            fcntl.flock(file, kind)
            yield


def reason(error: Exception, root: Path) -> str:
    """Why, in one line without the folders of this machine.

    >>> reason(FileNotFoundError("no /srv/qa/2/a.onnx, says /usr/lib/b.so"), Path("/srv"))
    'FileNotFoundError: no qa/2/a.onnx, says b.so'
    """
    told = redact.line(str(error).replace(f"{root}/", ""))
    return told if isinstance(error, ServiceError) else f"{type(error).__name__}: {told}"


def in_background(call: Callable[[], None]) -> "Future[Any]":
    """Run on a thread of its own; who no longer waits does not stop it."""
    done: Future[Any] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            call()
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    threading.Thread(target=run, name="repository", daemon=True).start()
    return done
