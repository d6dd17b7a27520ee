"""python -m loadtest.crossing FOLDER: what a batch costs that crosses to a device's process, beside one computed here.

The SavedModel of a version's folder, once in this process and once in another on a logical device of the CPU, asked in
turns with its first golden row repeated: latency, and the processor's time in either process. Then how many batches a
second a device computes that takes 4 ms for each, while 2 MB cross for the next, one or two of them under way.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from service import golden
from service.device.host import Host
from service.engines.base import Engine
from service.engines.device import DeviceEngine
from service.signature import Signature, TensorSpec
from service.tensors import Array, Tensors

ROWS = (1, 32)
CALLS, SOME = 200, 30
COMPUTING, ELEMENTS = 0.004, 500_000
PATIENCE = 60.0


class Busy(Engine):
    """Computes one batch after another, as a GPU does, and leaves the processor alone meanwhile."""

    name, device = "busy", "cpu:0"
    signature = Signature(
        {"x": TensorSpec("x", np.dtype("float32"), (None, None))},
        {"y": TensorSpec("y", np.dtype("float32"), (None, 1))},
    )

    def __init__(self) -> None:
        self._one = threading.Lock()

    def run(self, tensors: Tensors) -> dict[str, Array]:
        with self._one:
            time.sleep(COMPUTING)
        return {"y": tensors["x"][:, :1]}

    def close(self) -> None:
        pass


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--xla", choices=("on", "off"), default="on")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        there, process = begin(Path(work) / "model.sock", given.folder, saved_model, given.xla == "on")
        cross(saved_model(given.folder, given.xla == "on"), there, process, given)
        process.kill()
        there, process = begin(Path(work) / "busy.sock", given.folder, busy, False)
        overlap(there, given.rounds)
        process.kill()


def saved_model(folder: Path, xla: bool) -> Engine:
    from service.engines.saved_model import SavedModelEngine

    return SavedModelEngine(folder, 1, "cpu:0", xla)


def busy(folder: Path, xla: bool) -> Engine:
    return Busy()


Make = Callable[[Path, bool], Engine]


def begin(path: Path, folder: Path, make: Make, xla: bool) -> tuple[Engine, multiprocessing.process.BaseProcess]:
    """The model in a process of its own, and the engine that asks it."""
    process = multiprocessing.get_context("spawn").Process(target=host, args=[path, make, xla], daemon=True)
    process.start()
    return DeviceEngine(folder, {"cpu:0": path}, PATIENCE), process


def host(path: Path, make: Make, xla: bool) -> None:
    """A device's process."""
    Host(path, lambda folder: make(folder, xla))
    threading.Event().wait()


def cross(here: Engine, there: Engine, process: multiprocessing.process.BaseProcess, given: argparse.Namespace) -> None:
    """Print what both cost, by rows."""
    row = golden.read(given.folder)[0][0]
    for rows in ROWS:
        batch = {name: np.repeat(row[name][:1], rows, axis=0) for name in here.signature.inputs}
        for engine in (here, there):
            calls(engine, batch, SOME)
        time.sleep(SOME / 5)  # what is compiled beside is ready
        taken: Mapping[str, list[tuple[float, float, float]]] = {"here": [], "there": []}
        for _ in range(given.rounds):
            for name, engine in (("here", here), ("there", there)):
                before = processor(os.getpid()), processor(process.pid or 0)
                latency = calls(engine, batch, CALLS)
                own, its = processor(os.getpid()) - before[0], processor(process.pid or 0) - before[1]
                taken[name].append((latency, own / CALLS, its / CALLS))
        for name, figures in taken.items():
            latency, own, its = (1e6 * statistics.median(column) for column in zip(*figures, strict=True))
            print(
                f"{rows:3} rows {name:5}: {latency:6.0f} µs; CPU {own:6.0f} µs in this process, {its:6.0f} in its own"
            )


def calls(engine: Engine, batch: Tensors, times: int) -> float:
    """The median seconds of so many calls."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        engine.run(batch)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def processor(pid: int) -> float:
    """Seconds that all threads of a process have run (proc(5), schedstat)."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in threads) / 1e9


def overlap(engine: Engine, rounds: int) -> None:
    """Print how many batches a second are computed with one under way, and with two."""
    batch = {"x": np.zeros((1, ELEMENTS), np.float32)}
    rates: Mapping[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for under_way, found in rates.items():
            with ThreadPoolExecutor(under_way) as pool:
                started = time.perf_counter()
                list(pool.map(engine.run, [batch] * CALLS))
                found.append(CALLS / (time.perf_counter() - started))
    ratio = statistics.median(two / one for one, two in zip(rates[1], rates[2], strict=True))
    for under_way, found in rates.items():
        print(f"{under_way} under way: {statistics.median(found):5.0f} batches/s of {1 / COMPUTING:.0f} at most")
    print(f"two instead of one: {ratio:.2f} ×")


if __name__ == "__main__":
    main()
