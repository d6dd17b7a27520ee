"""The memory there is: the machine's, and what the cgroup of this process may still take. Pure but for `read`."""

from collections.abc import Mapping
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
FILES = ("memory.max", "memory.current", "memory.stat")
OLD_FILES = ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat")


def read() -> int | None:
    """Bytes available to this process now; None where nothing says so."""
    limit, used, stat = (text(CGROUP / new) or text(CGROUP / old) for new, old in zip(FILES, OLD_FILES, strict=True))
    return available(text(Path("/proc/meminfo")), limit, used, stat)


def text(file: Path) -> str:
    """What a file says, "" if it is not there."""
    try:
        return file.read_text()
    except OSError:
        return ""


def available(meminfo: str, limit: str, used: str, stat: str) -> int | None:
    """The least of what the machine has available and what the cgroup has left; None if neither is told.

    Files that the kernel keeps in memory and nobody uses count for a cgroup, but it lets go of them.

    >>> available("MemTotal: 9 kB\\nMemAvailable: 8 kB", "6000", "5000", "anon 1\\ninactive_file 1000")
    2000
    """
    machine = numbers(meminfo.replace(":", "")).get("MemAvailable")
    found = [] if machine is None else [1024 * machine]
    if limit.strip().isdecimal() and used.strip().isdecimal():
        kept = numbers(stat)
        found.append(max(0, int(limit) - int(used) + kept.get("total_inactive_file", kept.get("inactive_file", 0))))
    return min(found, default=None)


def numbers(lines: str) -> Mapping[str, int]:
    """Lines of a name and a number."""
    words = [line.split() for line in lines.splitlines()]
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdecimal()}
