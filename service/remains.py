"""What dead workers counted: added up in one file of each kind, or /metrics would take longer with every restart.

How things stood in them is forgotten.

The parent of the workers adds them up while nobody reads; it writes no mapped memory: a full disk would end it.
"""

import contextlib
import fcntl
import logging
import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

LOG = logging.getLogger("manifold.metrics")

FILE = re.compile(r"(counter|histogram)_([0-9]+)\.db")
STANDING = re.compile(r"gauge_live[a-z]*_([0-9]+)\.db")
"""What holds as long as its process lives."""
NOBODY = 0
"""The process whose files have what dead ones counted."""
PROCESSES = Path("/proc")


def merge(folder: Path) -> None:
    """Add up the files of processes that are gone; those that somebody reads just now wait for the next time."""
    try:
        with locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            for kind in ("counter", "histogram"):
                add_up(folder, kind)
            forget(folder)
    except BlockingIOError:
        pass
    except OSError as error:
        LOG.error("what dead workers counted stays in their own files: %s", error.strerror)


@contextlib.contextmanager
def locked(folder: Path, kind: int = fcntl.LOCK_SH) -> Iterator[None]:
    """While files are read nobody adds them up."""
    with (folder / "metrics.lock").open("w") as file:
        fcntl.flock(file, kind)
        yield


def add_up(folder: Path, kind: str) -> None:
    """Replace the files of the dead by one."""
    total: Counter[str] = Counter()
    files = dead(folder, kind)
    kept = folder / f"{kind}_{NOBODY}.db"
    if files in ([], [kept]):
        return
    for file in files:
        if file.stat().st_size:  # else it died as it made it
            found = MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
            total.update({key: value for key, value, *_ in found})
    written = folder / f"{kind}.new"
    written.write_bytes(packed(total))
    written.replace(kept)
    for file in files:
        if file != kept:
            file.unlink()


def dead(folder: Path, kind: str) -> list[Path]:
    """The files of that kind whose process is gone."""
    found = [(file, FILE.fullmatch(file.name)) for file in sorted(folder.iterdir())]
    return [file for file, match in found if match and match[1] == kind and not (PROCESSES / match[2]).exists()]


def forget(folder: Path) -> None:
    """Let go of the gauges of processes that are gone."""
    for file in folder.iterdir():
        match = STANDING.fullmatch(file.name)
        if match and not (PROCESSES / match[1]).exists():
            file.unlink(missing_ok=True)


def packed(values: Mapping[str, float]) -> bytes:
    """The values as prometheus_client's MmapedDict has them in a file."""
    parts = [b""]
    for key, value in values.items():
        name = key.encode()
        padded = name + b" " * (8 - (len(name) + 4) % 8)
        parts.append(struct.pack(f"i{len(padded)}sdd", len(name), padded, value, 0.0))
    parts[0] = struct.pack("ii", 8 + sum(map(len, parts)), 0)
    return b"".join(parts)
