"""Files that others may read or replace meanwhile: read without ever waiting, replaced whole or not at all."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 16 * 2**20


def read(path: Path, most: int | None = None) -> bytes:
    """The bytes of a file, or no more than its first; OSError, of a pipe, a device or a folder at once, and of what is
    too large.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        with os.fdopen(number, "rb", closefd=False) as file:
            found: bytes = file.read(MOST_BYTES + 1 if most is None else most)
    finally:
        os.close(number)
    if len(found) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MOST_BYTES} bytes")
    return found


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` once it is whole and on the disk; if anything is raised, all is as before.

    It has the mode, and where that is allowed the owner, of what stood there; else `mode`, less the umask. OSError.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(number, "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                _as_before(number, path.stat())
            yield file
            file.flush()
            os.fsync(number)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _as_before(number: int, before: os.stat_result) -> None:
    """The mode and owner of what is replaced: whoever reads it, another user perhaps, goes on reading it."""
    os.fchmod(number, before.st_mode & 0o777)
    with contextlib.suppress(PermissionError):
        os.fchown(number, before.st_uid, before.st_gid)
