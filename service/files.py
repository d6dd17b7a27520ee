"""Small files that others may change or replace: read without ever waiting, and never without end."""

import errno
import os
import stat
from pathlib import Path

MOST_BYTES = 16 * 2**20


def read(path: Path) -> bytes:
    """The bytes of a file; OSError, of a pipe, a device or a folder at once, and of what is too large."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        with os.fdopen(number, "rb", closefd=False) as file:
            found: bytes = file.read(MOST_BYTES + 1)
    finally:
        os.close(number)
    if len(found) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MOST_BYTES} bytes")
    return found
