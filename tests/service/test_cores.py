"""A container's limit counts as its processors, in either version of control groups."""

import math
import os
from pathlib import Path

import pytest

from service.cores import cores, limit

LIMITS = [("150000", "100000", 1.5), ("50000", "100000", 0.5), ("6400000", "100000", 64.0)]
HERE = len(os.sched_getaffinity(0))


def version_2(folder: Path, quota: str, period: str) -> None:
    (folder / "cpu.max").write_text(f"{quota} {period}\n")


def version_1(folder: Path, quota: str, period: str) -> None:
    (folder / "cpu").mkdir()
    (folder / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (folder / "cpu" / "cpu.cfs_period_us").write_text(f"{period}\n")


@pytest.mark.parametrize("write", [version_1, version_2])
@pytest.mark.parametrize(("quota", "period", "processors"), LIMITS)
def test_a_limit_is_time_by_time(write, quota: str, period: str, processors: float, tmp_path: Path):
    write(tmp_path, quota, period)
    assert limit(tmp_path) == processors
    assert cores(tmp_path) == max(1, min(HERE, math.ceil(processors)))


@pytest.mark.parametrize(("write", "none"), [(version_1, "-1"), (version_2, "max")])
def test_no_limit_is_none(write, none: str, tmp_path: Path):
    write(tmp_path, none, "100000")
    assert limit(tmp_path) == math.inf
    assert cores(tmp_path) == HERE


def test_without_control_groups_there_is_no_limit(tmp_path: Path):
    assert limit(tmp_path) == math.inf
