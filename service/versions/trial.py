"""Loading with care: nothing that cannot fit is begun, and what workers died of is not tried for ever.

A file stands for every load that goes on, locked by the worker that loads. The kernel unlocks what a dead worker held,
so that the files nobody holds are those of the dead.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from service.errors import ServiceError
from service.handle import ModelHandle
from service.versions.store import Version, fingerprint

DEATHS = 2
"""Workers that may die over a version that never loaded."""
DEATHS_PROVED = 5
"""Workers that may die in turn over one that has loaded before: it need not be to blame."""
FORGIVEN = 600.0
"""Seconds after which a death over such a one counts no more: else all would lack it for ever."""
REST = 10.0
"""Seconds between a death and the next try, so that who died serves again before another may die."""
PROVED = "proved"


class TooLarge(ServiceError):
    """The version does not fit into the memory there is."""


class DiedLoading(ServiceError):
    """Workers died while they loaded the version."""


class Trial:
    """Loads versions for `copies` workers that share `folder`; `weigh` tells a version's bytes, `available` the memory.

    Called as `load` is; raises TooLarge, DiedLoading, and what `load` raises.
    """

    def __init__(
        self,
        load: Callable[[Version], ModelHandle],
        folder: Path,
        weigh: Callable[[Version], int],
        available: Callable[[], int | None],
        copies: int = 1,
    ) -> None:
        self._load = load
        self._folder = folder
        self._weigh = weigh
        self._available = available
        self._copies = copies
        self._loading: set[Path] = set()

    def __call__(self, version: Version) -> ModelHandle:
        folder = self._place(version)
        proved = self.proved(version)
        deaths = len([file for file in self._dead(folder) if not proved or age(file) < FORGIVEN])
        if deaths >= (DEATHS_PROVED if proved else DEATHS):
            raise DiedLoading(f"{deaths} workers died while they loaded it")
        self._refuse_too_large(version, 1 if proved else self._copies)
        folder.mkdir(parents=True, exist_ok=True)
        with self._marked(folder):
            handle = self._load(version)
        with contextlib.suppress(OSError):  # it serves also where the disk is full
            (folder / PROVED).touch()
            for file in self._dead(folder):
                file.unlink(missing_ok=True)
        return handle

    def proved(self, version: Version) -> bool:
        """Whether any worker has loaded it, as its files are now."""
        return (self._place(version) / PROVED).exists()

    def known(self, version: Version) -> bool:
        """Whether any worker has loaded it, whatever its files were then: it may be serving still."""
        return any((self._folder / version.model).glob(f"{version.number}-*/{PROVED}"))

    def rests(self, version: Version) -> bool:
        """Whether a worker died over it just now."""
        return any(age(file) < REST for file in self._dead(self._place(version)))

    def close(self) -> None:
        """The process ends of itself: no load that it leaves undone is a death."""
        for file in list(self._loading):
            file.unlink(missing_ok=True)

    def _place(self, version: Version) -> Path:
        """Where the loads of a version stand, as its files are now."""
        return self._folder / version.model / f"{version.number}-{fingerprint(version.folder)}"

    def _refuse_too_large(self, version: Version, copies: int) -> None:
        needed, available = copies * self._weigh(version), self._available()
        if available is not None and needed > available:
            least = f"it takes at least {needed:,} bytes of memory in {copies} workers" if copies > 1 else ""
            least = least or f"it takes at least {needed:,} bytes of memory"
            raise TooLarge(f"{least}, and {available:,} are available")

    @contextlib.contextmanager
    def _marked(self, folder: Path) -> Iterator[None]:
        """While the file stands, this worker loads."""
        path = folder / secrets.token_hex(8)
        with path.with_suffix(".new").open("w") as file:
            file.write(str(os.getpid()))
            file.flush()
            fcntl.flock(file, fcntl.LOCK_EX)
            Path(file.name).rename(path)  # nobody sees it unlocked
            self._loading.add(path)
            try:
                yield
            finally:
                self._loading.discard(path)
                path.unlink(missing_ok=True)

    def _dead(self, folder: Path) -> list[Path]:
        """The files of those who died over a version."""
        if not folder.is_dir():
            return []
        return [file for file in folder.iterdir() if not file.suffix and file.name != PROVED and unheld(file)]


def unheld(path: Path) -> bool:
    """Whether nobody locks a file, which may be gone by now."""
    with contextlib.suppress(OSError), path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return path.exists()
    return False


def age(path: Path) -> float:
    """Seconds since a file was written, also by a clock that was set back since; for ever, once it is gone."""
    with contextlib.suppress(OSError):
        return abs(time.time() - path.stat().st_mtime)
    return float("inf")
