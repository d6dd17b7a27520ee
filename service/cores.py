"""How many processors a process may use: those it may run on, and no more than its container's limit allows."""

import math
import os
from contextlib import suppress
from pathlib import Path

CONTROL = Path("/sys/fs/cgroup")
"""Where a container finds its control group, of version 2 or 1."""


def cores(control: Path = CONTROL) -> int:
    """At least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, limit(control))))


def limit(control: Path) -> float:
    """Processors that the kernel allows a control group, as `docker run --cpus` sets it; infinite without a limit.

    `cpu.max` in version 2, `cpu.cfs_quota_us` and `cpu.cfs_period_us` in version 1 (the kernel's cgroup-v2.rst and
    sched-bwc.rst): microseconds, of so many.
    """
    with suppress(OSError):
        quota, period = (control / "cpu.max").read_text().split()
        return math.inf if quota == "max" else int(quota) / int(period)
    with suppress(OSError):
        quota, period = ((control / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return math.inf if int(quota) < 0 else int(quota) / int(period)
    return math.inf
