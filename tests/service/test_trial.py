"""Loading with care: what cannot fit, and what workers die of."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.handle import ModelHandle
from service.versions import memory
from service.versions.store import Version
from service.versions.trial import DEATHS_PROVED, FORGIVEN, DiedLoading, TooLarge, Trial
from service.versions.verdict import Verdict, reason
from tests.service.fakes import FakeEngine, Hand, handle
from tests.service.server import ROOT

LOADER = """
import sys, time
from pathlib import Path
from service.versions.store import Version
from service.versions.trial import Trial

def load(version):
    print("loading", flush=True)
    sys.stdin.read()

folder, model = Path(sys.argv[1]), Path(sys.argv[2])
trial = Trial(load, folder, lambda _: 0, lambda: None)
trial(Version("m", 1, model))
"""


class Bench:
    """A version m/1, and those who try it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.version = Version("m", 1, root / "store" / "m" / "1")
        self.version.folder.mkdir(parents=True)
        self.fails: Exception | None = None
        self.during: Callable[[], None] = lambda: None

    def marks(self) -> int:
        return len(list((self.root / "loading").rglob("[0-9a-f]" * 16)))

    def trial(self, copies: int = 1, available: int | None = None) -> Trial:
        def load(version: Version) -> ModelHandle:
            self.during()
            if self.fails:
                raise self.fails
            return handle(FakeEngine(), Hand())

        return Trial(load, self.root / "loading", lambda _: 100, lambda: available, copies)

    def die(self) -> None:
        """A process is killed while it loads."""
        arguments = [sys.executable, "-c", LOADER, str(self.root / "loading"), str(self.version.folder)]
        with subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"loading\n"
            process.send_signal(signal.SIGKILL)

    def place(self) -> Path:
        return next((self.root / "loading" / "m").iterdir())

    def forge(self, deaths: int, at: float | None = None) -> None:
        """As if so many had died, now or then."""
        for number in range(deaths):
            file = self.place() / f"dead{number}"
            file.touch()
            if at is not None:
                os.utime(file, (at, at))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class TestDeaths:
    def test_two_deaths_and_it_is_tried_no_more_until_its_files_change(self, bench: Bench):
        for _ in range(2):
            bench.die()
            assert bench.trial().rests(bench.version)
        with pytest.raises(DiedLoading, match="2 workers died while they loaded it"):
            bench.trial()(bench.version)
        (bench.version.folder / "weights").touch()
        assert bench.trial()(bench.version).version == 1

    def test_one_who_loads_it_in_the_end_clears_its_name(self, bench: Bench):
        bench.trial()(bench.version)
        bench.forge(DEATHS_PROVED - 1)
        assert bench.trial().rests(bench.version)
        bench.trial()(bench.version)
        assert not bench.trial().rests(bench.version)
        bench.forge(DEATHS_PROVED)
        with pytest.raises(DiedLoading):
            bench.trial()(bench.version)

    def test_a_death_over_one_that_has_loaded_before_is_forgiven(self, bench: Bench):
        bench.trial()(bench.version)
        bench.forge(DEATHS_PROVED, time.time() - FORGIVEN - 1)
        assert bench.trial()(bench.version).version == 1

    def test_a_clock_that_was_set_back_holds_up_nobody(self, bench: Bench):
        bench.trial()(bench.version)
        bench.forge(1, time.time() + 3600)
        assert not bench.trial().rests(bench.version)

    def test_a_full_disk_keeps_nothing_that_loaded_from_serving(self, bench: Bench):
        """Nor does it leave an engine behind that nobody knows of."""
        bench.during = lambda: bench.place().joinpath("proved").symlink_to("/nowhere/at/all")
        assert bench.trial()(bench.version).version == 1

    def test_one_who_loads_rests_not(self, bench: Bench):
        resting = []
        bench.during = lambda: resting.append(bench.trial().rests(bench.version))
        bench.trial()(bench.version)
        assert resting == [False]

    def test_one_that_fails_is_no_death(self, bench: Bench):
        bench.fails = MemoryError()
        for _ in range(3):
            with pytest.raises(MemoryError):
                bench.trial()(bench.version)
        assert not bench.trial().rests(bench.version)
        assert not bench.trial().proved(bench.version)

    def test_a_process_that_ends_of_itself_while_it_loads_leaves_no_mark(self, bench: Bench):
        trial = bench.trial()
        left = []

        def end() -> None:
            left.append(bench.marks())
            trial.close()
            left.append(bench.marks())

        bench.during = end
        trial(bench.version)
        assert left == [1, 0]


class TestMemory:
    def test_what_cannot_fit_in_all_workers_is_not_begun(self, bench: Bench):
        with pytest.raises(TooLarge, match="at least 200 bytes of memory in 2 workers, and 199 are available"):
            bench.trial(copies=2, available=199)(bench.version)
        bench.trial(copies=2, available=200)(bench.version)

    def test_once_it_has_loaded_every_worker_counts_itself(self, bench: Bench):
        bench.trial()(bench.version)
        bench.trial(copies=2, available=100)(bench.version)
        with pytest.raises(TooLarge, match="takes at least 100 bytes of memory, and 99 are available"):
            bench.trial(copies=2, available=99)(bench.version)

    @pytest.mark.parametrize(
        ("meminfo", "limit", "used", "stat", "available"),
        [
            ("", "", "", "", None),
            ("MemAvailable: 8 kB", "", "", "", 8192),
            ("MemAvailable: 8 kB", "max\n", "5000\n", "", 8192),
            ("MemAvailable: 8 kB", "9000\n", "5000\n", "inactive_file 0\n", 4000),
            ("", "9000", "5000", "inactive_file 300\n", 4300),
            ("", "9000", "5000", "inactive_file 300\ntotal_inactive_file 400\n", 4400),
            ("", "9000", "9500", "", 0),
            ("nonsense\nMemAvailable\n", "x", "y", "z", None),
        ],
    )
    def test_the_least_of_what_machine_and_cgroup_have(self, meminfo, limit, used, stat, available):
        assert memory.available(meminfo, limit, used, stat) == available

    def test_this_machine_has_some(self):
        assert (memory.read() or 0) > 10**6


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("[ONNXRuntimeError] : 6 : std::bad_alloc"), "memory"),
        (TooLarge("x"), "memory"),
        (DiedLoading("x"), "died"),
        (OSError("x"), "broken"),
    ],
)
def test_there_are_few_reasons(error, word):
    assert Verdict(reason(error), "").reason == word
