"""Where and with what was measured."""

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

OURS = ("flask", "greenlet", "gunicorn", "numpy", "onnxruntime", "orjson", "uvloop")


def describe() -> dict[str, Any]:
    """The machine, the date, and the versions of what serves and measures."""
    return {
        "processor": processor(Path("/proc/cpuinfo").read_text()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "system": platform.platform(),
        "load": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "commit": commit(),
        "python": platform.python_version(),
        "wrk": first_line(["wrk", "--version"]),
        "versions": {name: importlib.metadata.version(name) for name in OURS},
    }


def processor(cpuinfo: str) -> str:
    """The model's name.

    >>> processor("model name\\t: Some CPU @ 2.00GHz\\n")
    'Some CPU @ 2.00GHz'
    """
    found = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.machine()


def commit() -> str:
    """The commit that is measured, with a + if files differ from it."""
    return first_line(["git", "describe", "--always", "--dirty=+"])


def versions(python: Path, packages: Iterable[str]) -> dict[str, str]:
    """Versions of packages that another interpreter has."""
    code = "import sys; from importlib.metadata import version; print(*[version(name) for name in sys.argv[1:]])"
    names = list(packages)
    told = subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True).stdout
    return dict(zip(names, told.split(), strict=True))


def first_line(command: list[str]) -> str:
    """The first line that a command prints, "" if there is no such command."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    except FileNotFoundError:
        return ""
    return (ran.stdout.splitlines() or [""])[0].partition(" Copyright")[0]


def caption(machine: dict[str, Any]) -> str:
    """The machine in one line, for the small print."""
    return f"{machine['cores']} cores of {machine['processor']}; {machine['date']}; commit {machine['commit']}"


if __name__ == "__main__":
    sys.stdout.write(f"{describe()}\n")
