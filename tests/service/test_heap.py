"""What a version that has gone leaves behind: no object, and no arena of the thread that loaded it."""

import gc
import platform
import subprocess
import sys
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from service.batching.batcher import Batcher
from service.batching.drivers import MakeDriver, PoolDriver, ThreadDriver
from service.batching.queueing import Queue
from service.handle import ModelHandle
from service.versions.catalog import Catalog
from service.versions.store import Version
from service.versions.verdict import Unloadable
from tests.service.fakes import FakeEngine

ARENAS = """
import ctypes, sys, threading
from service import heap
if sys.argv[1] == "few":
    heap.few_arenas()
library = ctypes.CDLL(None)
library.fopen.restype = library.malloc.restype = ctypes.c_void_p
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
library.fclose.argtypes = [ctypes.c_void_p]
together = threading.Barrier(6)
def take():
    together.wait()
    library.malloc(1000)
    together.wait()
threads = [threading.Thread(target=take) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
file = library.fopen(sys.argv[2].encode(), b"w")
library.malloc_info(0, file)
library.fclose(file)
"""


class Weights:
    """Something that a load holds."""


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What goes must go by itself: what stood at the start is never looked at again, the rest hardly ever."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("driver", [ThreadDriver, partial(PoolDriver, threads=2)])
def test_nothing_holds_a_batcher_that_was_closed(no_collection: None, driver: MakeDriver):
    batcher = Batcher(FakeEngine(), Queue(8, 8), driver)
    gone = weakref.ref(batcher)
    batcher.close()
    batcher.close()
    del batcher
    assert gone() is None


def test_nothing_holds_what_a_failed_load_had_loaded(no_collection: None):
    loaded = []

    def load(version: Version) -> ModelHandle:
        weights = Weights()
        loaded.append(weakref.ref(weights))
        raise ValueError("not right")

    catalog = Catalog([], load, grace=0)
    with pytest.raises(Unloadable) as raised:
        catalog.swap("a", [Version("a", 1, Path())])
    assert loaded[0]() is not None
    del raised
    assert loaded[0]() is None


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_threads_share_two_arenas(tmp_path: Path):
    counted = {}
    for how in ("few", "many"):
        file = tmp_path / how
        subprocess.run([sys.executable, "-c", ARENAS, how, str(file)], check=True)
        counted[how] = file.read_text().count("<heap nr=")
    assert counted["few"] == 2
    assert counted["many"] > 2
