"""The processors this process may use: those it may run on, and what its cgroup allows. Pure but for `count`."""

import os

from service.versions.memory import CGROUP, text

OLD = CGROUP / "cpu"


def count() -> int:
    """So many, at least one. A container's limit is a share of processor time, which no affinity tells."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    old = f"{text(OLD / 'cpu.cfs_quota_us')} {text(OLD / 'cpu.cfs_period_us')}"
    return limited(allowed, text(CGROUP / "cpu.max") or old)


def limited(allowed: int, quota: str) -> int:
    """As many as are allowed and a quota keeps busy: "QUOTA PERIOD" in µs, as cgroups write it; max or -1: no quota.

    >>> limited(64, "150000 100000"), limited(64, "max 100000"), limited(64, "-1 100000"), limited(64, " ")
    (2, 64, 64, 64)
    """
    numbers = quota.split()
    if len(numbers) == 2 and all(number.isdecimal() for number in numbers) and int(numbers[1]):
        return max(1, min(allowed, -(-int(numbers[0]) // int(numbers[1]))))
    return allowed
