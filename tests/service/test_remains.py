"""What dead workers counted is kept, in fewer files."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from service import remains
from service.metrics import families

GONE = [10_000_000 + number for number in range(3)]
"""Above any process id that Linux gives."""


def count(folder: Path, process: int, **amounts: float) -> None:
    """As a worker does."""
    for name, amount in amounts.items():
        kind = "histogram" if name.startswith("seconds") else "counter"
        file = MmapedDict(str(folder / f"{kind}_{process}.db"))
        family = "seconds" if kind == "histogram" else name
        labels = {"model": "é", "le": "+Inf"} if name == "seconds_bucket" else {"model": "é"}
        file.write_value(mmap_key(family, name, list(labels), list(labels.values()), "Help."), amount, 0.0)
        file.close()


def exposed(folder: Path) -> set[bytes]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    return set(generate_latest(registry).splitlines())


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("*.db")}


def test_nothing_is_lost_and_the_files_of_the_dead_are_one(tmp_path: Path):
    for process in (*GONE, os.getpid()):
        count(tmp_path, process, rows_total=2.5, requests_total=1, seconds_sum=0.25, seconds_bucket=3)
    before = exposed(tmp_path)
    assert b'rows_total{model="\xc3\xa9"} 10.0' in before
    remains.merge(tmp_path)
    assert exposed(tmp_path) == before
    own = {f"counter_{os.getpid()}.db", f"histogram_{os.getpid()}.db"}
    assert files(tmp_path) == {"counter_0.db", "histogram_0.db", *own}
    count(tmp_path, GONE[0], rows_total=1, more_total=7)
    after = exposed(tmp_path)
    remains.merge(tmp_path)
    remains.merge(tmp_path)
    assert exposed(tmp_path) == after
    assert b'rows_total{model="\xc3\xa9"} 11.0' in after
    assert files(tmp_path) == {"counter_0.db", "histogram_0.db", *own}


def test_how_things_stood_goes_with_its_process(tmp_path: Path):
    for process in (GONE[0], os.getpid()):
        for mode in ("livesum", "liveall", "livemin"):
            file = MmapedDict(str(tmp_path / f"gauge_{mode}_{process}.db"))
            file.write_value(mmap_key(mode, mode, [], [], "Help."), 1.0, 0.0)
            file.close()
    assert b"livesum 2.0" in exposed(tmp_path)
    remains.forget(tmp_path)
    assert b"livesum 1.0" in exposed(tmp_path)
    assert files(tmp_path) == {f"gauge_{mode}_{os.getpid()}.db" for mode in ("livesum", "liveall", "livemin")}


def test_every_gauge_is_of_the_living():
    """Whatever else would linger when its worker has died."""
    modes = {one._multiprocess_mode for one in vars(families).values() if isinstance(one, Gauge)}
    assert {mode[:4] for mode in modes} == {"live"}


def test_only_who_sets_a_gauge_has_it(tmp_path: Path):
    """A process that pulls, or that of a device, is no worker that is not ready."""
    variables = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for then in ("", "; families.READY.set(1)"):
        subprocess.run([sys.executable, "-c", f"from service.metrics import families{then}"], env=variables, check=True)
    assert {file.partition("_")[0] for file in files(tmp_path)} == {"counter", "histogram", "gauge"}
    assert b"manifold_ready 1.0" in exposed(tmp_path)


def test_what_somebody_reads_waits(tmp_path: Path):
    count(tmp_path, GONE[0], rows_total=1)
    with remains.locked(tmp_path):
        remains.merge(tmp_path)
        with remains.locked(tmp_path):
            assert files(tmp_path) == {f"counter_{GONE[0]}.db"}
    remains.merge(tmp_path)
    assert files(tmp_path) == {"counter_0.db"}


def test_a_file_without_anything_in_it_goes(tmp_path: Path):
    """Its worker was killed as it made it; nobody could read any metric any more."""
    count(tmp_path, GONE[0], rows_total=1)
    (tmp_path / f"counter_{GONE[1]}.db").touch()
    remains.merge(tmp_path)
    assert b'rows_total{model="\xc3\xa9"} 1.0' in exposed(tmp_path)


@pytest.mark.parametrize("trouble", ["gone", "full"])
def test_what_cannot_be_added_up_stops_nobody(tmp_path: Path, trouble, caplog):
    folder = tmp_path / "metrics"
    if trouble == "full":
        folder.mkdir()
        count(folder, GONE[0], rows_total=1)
        (folder / "counter.new").symlink_to("/dev/full")
    remains.merge(folder)
    assert "stays in their own files" in caplog.text
    assert trouble == "gone" or files(folder) == {f"counter_{GONE[0]}.db"}


def test_readers_do_not_wait_for_each_other(tmp_path: Path):
    with remains.locked(tmp_path), remains.locked(tmp_path, fcntl.LOCK_SH | fcntl.LOCK_NB):
        pass
