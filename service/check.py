"""`python -m service check MODEL_DIR`: is this version right, what does it cost, and which limits suit it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from service import card as cards
from service import golden, tensors
from service.batching import cost
from service.device.placement import has_tensorflow
from service.engines.base import Engine
from service.engines.onnx import TWIN
from service.golden import Group
from service.loading import CannotServe, refuse_unservable
from service.signature import Signature
from service.versions import manifest

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
UNKNOWN_SIZE = 8

Print = Callable[[str], None]


def main(folder: Path, say: Print = print) -> int:
    """Check a version's folder; 0 if all is well, 1 if an answer is wrong. ServiceError if it cannot be loaded."""
    if not (folder / "saved_model.pb").is_file():
        raise CannotServe(f"{folder} is no version's folder: it has no saved_model.pb (Keras' model.export writes it)")
    manifest.check(folder.absolute(), folder.absolute().parent.parent)
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
    if has_tensorflow():
        from service.engines.saved_model import SavedModelEngine

        try:
            yield SavedModelEngine(folder)
        except Exception as error:
            raise CannotServe(f"{folder} cannot be loaded: {error}") from error
    if (folder / TWIN).is_file():
        from service.engines.onnx import OnnxEngine

        yield OnnxEngine(folder)


def describe(signature: Signature, say: Print) -> None:
    """The signature, a line a tensor."""
    for side, specs in (("input", signature.inputs), ("output", signature.outputs)):
        for name, spec in specs.items():
            shape = ", ".join("any" if size is None else str(size) for size in spec.shape)
            say(f"  {side:6} {name}: {spec.type} ({shape})")
    refuse_unservable(signature)


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
        yield (
            f"{engine.name} gives the golden answers",
            largest(off for _, off in golden.differences(engine, golden_groups)),
        )
    together = golden.mixed(engine, golden_groups)
    if together:
        yield (
            f"{engine.name} gives them to rows of different lengths in one batch",
            largest(off for _, off in golden.differences(engine, together)),
        )
    yield (
        f"{engine.name} answers a row alone as in a batch",
        largest(alone_or_together(engine, inputs) for inputs, _ in groups),
    )


def alone_or_together(engine: Engine, inputs: tensors.Tensors) -> float:
    """The largest difference between rows answered alone and in one batch."""
    together = engine.run(inputs)
    alone = [engine.run(row) for row in tensors.split(inputs, [1] * tensors.rows(inputs))]
    return distance(together, tensors.join(alone))


def twin_difference(model: Engine, twin: Engine, groups: Sequence[Group]) -> float:
    """The largest difference between two engines."""
    return largest(distance(model.run(inputs), twin.run(inputs)) for inputs, _ in groups)


def distance(left: tensors.Tensors, right: tensors.Tensors) -> float:
    """The largest absolute difference of any output; infinite between unequal strings or shapes."""
    return largest(golden.difference(array, right[name]) for name, array in left.items())


def largest(differences: Iterable[float]) -> float:
    """The largest of all, or NaN if one is: Python's `max` would overlook it.

    >>> largest([0.5, float("nan"), 1.0])
    nan
    """
    return float(np.max(list(differences)))


def measure(engine: Engine, groups: Sequence[Group], say: Print) -> None:
    """Milliseconds per batch size, and the limits they suggest."""
    widest = max(groups, key=lambda group: sum(array[:1].size for array in group[0].values()))[0]
    row = {name: array[:1] for name, array in widest.items()}
    seconds = {size: cost.seconds(engine, row, size) for size in SIZES}
    shapes = ", ".join(f"{name} {list(array.shape[1:])}" for name, array in row.items())
    say(f"  {engine.name}, rows of {shapes}:")
    for size, taken in seconds.items():
        say(f"    batch {size:4}: {taken * 1e3:8.2f} ms  {size / taken:9.0f} rows/s")
    rows = cost.grow(seconds.__getitem__, SIZES[-1])
    queue = max(rows, int(rows / seconds[rows]))
    say(f"    suggested: MANIFOLD_MAX_BATCH_ROWS={rows} MANIFOLD_MAX_QUEUE_ROWS={queue} (one second of work)")
