"""What a server's processes use, as /proc tells: a process and all its descendants."""

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
MEGABYTE = 1024 * 1024


def tree(pid: int) -> Iterator[int]:
    """A process and its descendants, as far as they live."""
    yield pid
    for children in PROC.glob(f"{pid}/task/*/children"):
        try:
            found = children.read_text().split()
        except OSError:
            continue
        for child in found:
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Seconds of the processor that a tree of processes has used."""
    return sum(ticks(stat) for stat in read(pid, "stat")) / TICKS


def ticks(stat: str) -> int:
    """User and system time in a line of /proc/PID/stat (proc(5)), whose second field may hold spaces.

    >>> ticks("7 (a b) S 1 7 7 0 -1 0 0 0 0 0 30 12 0 0")
    42
    """
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident(pid: int) -> dict[int, float]:
    """Resident megabytes of each process of a tree."""
    page = os.sysconf("SC_PAGE_SIZE")
    return {
        one: int(text.split()[1]) * page / MEGABYTE
        for one in tree(pid)
        for text in [text_of(PROC / str(one) / "statm")]
        if text
    }


def open_files(pid: int) -> int:
    """Open file descriptors of a tree."""
    return sum(entries(PROC / str(one) / "fd") for one in tree(pid))


def threads(pid: int) -> int:
    """Threads of a tree."""
    return sum(entries(PROC / str(one) / "task") for one in tree(pid))


def read(pid: int, name: str) -> list[str]:
    """A file of /proc of every process of a tree that still lives."""
    return [text for one in tree(pid) if (text := text_of(PROC / str(one) / name))]


def text_of(path: Path) -> str:
    """What a file holds, "" once it is gone."""
    try:
        return path.read_text()
    except OSError:
        return ""


def entries(folder: Path) -> int:
    """How many there are in a folder, 0 once it is gone."""
    try:
        return len(os.listdir(folder))  # noqa: PTH208 - the entries vanish while they are looked at
    except OSError:
        return 0
