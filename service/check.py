"""`python -m service check MODEL_DIR`: is this version right, what does it cost, and which limits suit it."""

import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from service import card as cards
from service import golden, tensors
from service.engines.base import Engine
from service.engines.onnx import TWIN
from service.golden import Group
from service.loading import CannotServe, timed
from service.signature import Signature

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
WORTHWHILE = 1.1
"""A batch twice as large is worth it while it answers at least so many times the rows per second."""

UNKNOWN_SIZE = 8

Print = Callable[[str], None]


def main(folder: Path, say: Print = print) -> int:
    """Check a version's folder; 0 if all is well, 1 if an answer is wrong. ServiceError if it cannot be loaded."""
    card = cards.read(folder)
    engines = list(load_engines(folder))
    if not engines:
        raise CannotServe(f"{folder} holds neither a SavedModel that can be loaded here nor a twin")
    say(f"{folder}: {card.title or 'no card, served by its signature alone'}")
    describe(engines[0].signature, say)
    stored = golden.read(folder)
    groups = stored or [(sample(engines[0].signature), {})]
    verdicts = [verdict for engine in engines for verdict in verify(engine, groups)]
    if len(engines) > 1:
        verdicts.append(("the twin gives the SavedModel's answers", twin_difference(engines[0], engines[1], groups)))
    for text, difference in verdicts:
        say(f"  {'ok  ' if difference <= golden.TOLERANCE else 'BAD '} {text}: largest difference {difference:.1e}")
    if not stored:
        say("  note: no golden rows; checked on made-up numbers")
    for engine in engines:
        measure(engine, groups, say)
    return int(any(not difference <= golden.TOLERANCE for _, difference in verdicts))


def load_engines(folder: Path) -> Iterator[Engine]:
    """The SavedModel if TensorFlow is installed, and the twin if there is one."""
    if not (folder / "saved_model.pb").is_file():
        raise CannotServe(f"{folder} is no version's folder: it has no saved_model.pb")
    if importlib.util.find_spec("tensorflow"):
        from service.engines.saved_model import SavedModelEngine

        yield SavedModelEngine(folder)
    if (folder / TWIN).is_file():
        from service.engines.onnx import OnnxEngine

        yield OnnxEngine(folder)


def describe(signature: Signature, say: Print) -> None:
    """The signature, a line a tensor."""
    for side, specs in (("input", signature.inputs), ("output", signature.outputs)):
        for name, spec in specs.items():
            shape = ", ".join("any" if size is None else str(size) for size in spec.shape)
            say(f"  {side:6} {name}: {spec.dtype.name} ({shape})")
    unbatched = signature.unbatched()
    if unbatched:
        raise CannotServe(f"{', '.join(unbatched)} has no free first axis: rows cannot be batched")


def sample(signature: Signature) -> dict[str, tensors.Array]:
    """Eight made-up rows: normal floats, zeros for all else, unknown sizes 8."""
    random = np.random.default_rng(0)
    shapes = {name: [8, *(size or UNKNOWN_SIZE for size in spec.dims)] for name, spec in signature.inputs.items()}
    return {
        name: random.normal(size=shapes[name]).astype(spec.dtype)
        if spec.dtype.kind == "f"
        else np.full(shapes[name], "" if spec.dtype.kind == "O" else 0, spec.dtype)
        for name, spec in signature.inputs.items()
    }


def verify(engine: Engine, groups: Sequence[Group]) -> Iterator[tuple[str, float]]:
    """What must hold of one engine, with the largest difference found."""
    golden_groups = [group for group in groups if group[1]]
    if golden_groups:
        yield f"{engine.name} gives the golden answers", max(d for _, d in golden.differences(engine, golden_groups))
    yield (
        f"{engine.name} answers a row alone as in a batch",
        max(alone_or_together(engine, inputs) for inputs, _ in groups),
    )


def alone_or_together(engine: Engine, inputs: tensors.Tensors) -> float:
    """The largest difference between rows answered alone and in one batch."""
    together = engine.run(inputs)
    alone = [engine.run(row) for row in tensors.split(inputs, [1] * tensors.rows(inputs))]
    return distance(together, tensors.join(alone))


def twin_difference(model: Engine, twin: Engine, groups: Sequence[Group]) -> float:
    """The largest difference between two engines."""
    return max(distance(model.run(inputs), twin.run(inputs)) for inputs, _ in groups)


def distance(left: tensors.Tensors, right: tensors.Tensors) -> float:
    """The largest absolute difference of any output; infinite between unequal strings or shapes."""
    worst = 0.0
    for name, array in left.items():
        if array.shape != right[name].shape or array.dtype.kind == "O":
            worst = max(worst, 0.0 if np.array_equal(array, right[name]) else float("inf"))
        else:
            worst = max(worst, float(np.max(np.abs(array.astype(float) - right[name].astype(float)), initial=0.0)))
    return worst


def measure(engine: Engine, groups: Sequence[Group], say: Print) -> None:
    """Milliseconds per batch size, and the limits they suggest."""
    widest = max(groups, key=lambda group: sum(array[0].size for array in group[0].values()))[0]
    seconds = {size: best_of(engine, widest, size) for size in SIZES}
    shapes = ", ".join(f"{name} {list(array.shape[1:])}" for name, array in widest.items())
    say(f"  {engine.name}, rows of {shapes}:")
    for size, time_taken in seconds.items():
        say(f"    batch {size:4}: {time_taken * 1e3:8.2f} ms  {size / time_taken:9.0f} rows/s")
    size = suggest(seconds)
    queue = max(size, int(size / seconds[size]))
    say(f"    suggested: MANIFOLD_MAX_BATCH_ROWS={size} MANIFOLD_MAX_QUEUE_ROWS={queue} (one second of work)")


def best_of(engine: Engine, inputs: tensors.Tensors, size: int) -> float:
    """Seconds of one batch of so many rows: the best of several tries in a tenth of a second."""
    batch = {name: np.repeat(array[:1], size, axis=0) for name, array in inputs.items()}
    timed(engine, batch)
    tries, until = [timed(engine, batch)], time.perf_counter() + 0.1
    while time.perf_counter() < until:
        tries.append(timed(engine, batch))
    return min(tries)


def suggest(seconds: dict[int, float]) -> int:
    """The batch size beyond which more rows at once no longer pay.

    >>> suggest({1: 1.0, 2: 1.1, 4: 2.0, 8: 4.0})
    4
    """
    sizes = sorted(seconds)
    best = sizes[0]
    for smaller, larger in pairwise(sizes):
        gain = (larger / seconds[larger]) / (smaller / seconds[smaller])
        if gain < WORTHWHILE:
            break
        best = larger
    return best
