"""The engine's calls by themselves, in this process, on golden rows."""

import itertools
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from loadtest.bench.reference import Reference
from service import golden, tensors
from service.engines.base import Engine

ROWS = (1, 4, 16, 64)
"""Of a call."""
SECONDS = 0.05
"""Of calls that are timed together."""


def sample(folder: Path, engine: Engine) -> tuple[list[tensors.Tensors], Reference]:
    """Golden rows that may share a batch, and what is to be answered to each; SystemExit without any."""
    names = list(engine.signature.inputs)
    single = [
        (one({name: inputs[name] for name in names}, at), one(outputs, at))
        for inputs, outputs in golden.read(folder)
        for at in range(len(inputs[names[0]]))
    ]
    if not single:
        raise SystemExit(f"{folder} has no golden rows")
    kinds = [tensors.kind(inputs, engine.ragged) for inputs, _ in single]
    common = max(kinds, key=kinds.count)
    chosen = [one for one, kind in zip(single, kinds, strict=True) if kind == common]
    inputs = {
        name: {"dtype": spec.dtype.name, "dims": list(spec.dims)} for name, spec in engine.signature.inputs.items()
    }
    listed = [[{name: array[0].tolist() for name, array in side.items()} for side in pair] for pair in chosen]
    return [row for row, _ in chosen], Reference(inputs, [row for row, _ in listed], [answer for _, answer in listed])


def one(group: tensors.Tensors, at: int) -> tensors.Tensors:
    """One of the rows, with a batch axis of 1."""
    return {name: array[at : at + 1] for name, array in group.items()}


def engine_us(engine: Engine, rows: Sequence[tensors.Tensors], rounds: int) -> dict[int, float]:
    """Microseconds of processor time of a call, by rows: the median of rounds that take turns."""
    batches = {
        count: tensors.join(list(itertools.islice(itertools.cycle(rows), count)), engine.ragged) for count in ROWS
    }
    seen: dict[int, list[float]] = {count: [] for count in ROWS}
    for _, (count, batch) in itertools.product(range(rounds + 1), batches.items()):
        started, calls = time.process_time(), 0
        while time.process_time() < started + SECONDS:
            engine.run(batch)
            calls += 1
        seen[count].append((time.process_time() - started) / calls * 1e6)
    return {count: round(statistics.median(us[1:]), 1) for count, us in seen.items()}
