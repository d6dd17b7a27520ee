"""From a folder of the store to a handle: picks the engine, warms it, and lets it serve only right answers."""

import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from service import card as cards
from service import fields, golden, tensors
from service.batching import cost
from service.batching.admission import Room
from service.batching.batcher import Batcher, Clock, Observer
from service.batching.drivers import MakeDriver, PoolDriver
from service.batching.jobs import FindTerms, Terms
from service.batching.queueing import Allowed, Queue
from service.device.placement import has_tensorflow, visible_here
from service.engines.base import Engine
from service.engines.onnx import REDUCED, TWIN
from service.errors import ServiceError
from service.handle import ModelHandle, example
from service.metrics import ModelMetrics
from service.schemas import Rows
from service.settings import Settings
from service.signature import Signature
from service.text import Tokenizer
from service.versions import manifest, refusal, store
from service.versions.store import Version

LOG = logging.getLogger("manifold.loading")

ChooseDriver = Callable[[float], MakeDriver]
"""From the seconds of a full batch to what should drive the batcher."""

KINDS = 1024
"""Of so many kinds the terms are remembered."""
GUESS = 0.001
"""Seconds of a row of which nothing is known; what its batches take soon says more."""


class MakeBatcher(Protocol):
    """Puts a batcher in front of the engine of a version."""

    def __call__(
        self, version: Version, engine: Engine, queue: Queue, make_driver: MakeDriver, observer: Observer, /
    ) -> Batcher: ...


def plain(_: Version, engine: Engine, queue: Queue, make_driver: MakeDriver, observer: Observer) -> Batcher:
    """The batcher itself."""
    return Batcher(engine, queue, make_driver, observer)


class Shared(NamedTuple):
    """What the batchers of a worker have in common: the room for what they hold, and who makes them."""

    room: Room | None = None
    make_batcher: MakeBatcher = plain


class Worker(NamedTuple):
    """What a worker has for its models: what drives their batchers, and what these share."""

    choose_driver: ChooseDriver
    shared: Shared


class CannotServe(ServiceError):
    """The model loads, but this service cannot serve it."""


def load(
    version: Version,
    settings: Settings,
    choose_driver: ChooseDriver,
    devices: Mapping[str, Path] | None = None,
    shared: Shared = Shared(),  # noqa: B008 - it is frozen
) -> ModelHandle:
    """A handle that has answered its golden rows correctly; ServiceError or the engine's own exception says why not."""
    began = time.monotonic()
    refusal.check(version.folder)
    manifest.check(version.folder, version.folder.parent.parent, manifest.public_keys(settings.trusted))
    card = cards.read(version.folder)
    engine = fleet_engine(version, settings) if settings.fleet else load_engine(version.folder, card, settings, devices)
    try:
        handle = serve(version, card, engine, settings, Worker(choose_driver, shared))
        return replace(handle, load_seconds=time.monotonic() - began)
    except BaseException:
        engine.close()
        raise


def fleet_engine(version: Version, settings: Settings) -> Engine:
    """The version as the fleet of the settings has it, under the same name and number."""
    from service.engines.tf_serving.engine import engine

    return engine(version.model, version.number, settings.fleet_names, settings.request_timeout)


def load_engine(
    folder: Path, card: cards.Card, settings: Settings, devices: Mapping[str, Path] | None = None
) -> Engine:
    """The engine of the settings: where there are `devices`, by name and socket, the SavedModel on all of them.

    Otherwise `auto` takes a twin that agreed, unless TensorFlow is here and a GPU is visible. The engines' libraries
    are imported here, when one is needed: a service of twins alone, or of devices, never loads TensorFlow.
    """
    if devices:
        from service.engines.device import DeviceEngine

        return DeviceEngine(folder, devices, settings.request_timeout)
    if uses_twin(folder, card, settings):
        if not (folder / TWIN).is_file():
            raise CannotServe(f"engine is onnx, but {folder} has no {TWIN}")
        from service.engines.onnx import OnnxEngine

        return OnnxEngine(folder, settings.engine_thread_count, chosen_twin(folder, card, settings))
    if not has_tensorflow():
        raise CannotServe("this model needs TensorFlow, which is not installed here (deploy/requirements/full.txt)")
    from service.engines.saved_model import SavedModelEngine

    return SavedModelEngine(folder, settings.engine_thread_count, xla=settings.xla == "on")


def uses_twin(folder: Path, card: cards.Card, settings: Settings) -> bool:
    """Whether a worker's engine is the twin."""
    if settings.engine == "auto":
        return card.twin_agreed and (folder / TWIN).is_file() and not (visible_here() and has_tensorflow())
    return settings.engine == "onnx"


def weight(version: Version, settings: Settings) -> int:
    """The bytes of the files that the engine of a version holds in memory, at least; Untrusted, UnreadableCard."""
    manifest.confine(version.folder, version.folder.parent.parent)
    card = cards.read(version.folder)
    if settings.fleet:
        return 0
    if uses_twin(version.folder, card, settings):
        return store.size(version.folder / chosen_twin(version.folder, card, settings))
    return store.size(version.folder / "saved_model.pb") + store.size(version.folder / "variables")


def chosen_twin(folder: Path, card: cards.Card, settings: Settings) -> Path:
    """The full twin, or the reduced one where it is asked for and the card says that it was kept."""
    reduced = settings.precision == "reduced" and card.reduced_tolerance is not None and (folder / REDUCED).is_file()
    return REDUCED if reduced else TWIN


def tolerance(engine: Engine, folder: Path, card: cards.Card, settings: Settings) -> float:
    """How far this engine may be off the golden answers."""
    reduced = engine.name == "onnx" and chosen_twin(folder, card, settings) == REDUCED
    return (card.reduced_tolerance if reduced else None) or golden.TOLERANCE


def serve(version: Version, card: cards.Card, engine: Engine, settings: Settings, worker: Worker) -> ModelHandle:
    """A loaded engine as a handle: checked against its golden rows, warm, with a batcher in front."""
    refuse_unservable(engine.signature)
    strange = cards.disagreements(card, engine.signature)
    if strange:
        raise CannotServe(f"the card does not fit the model: {'; '.join(strange)}")
    groups = golden.read(version.folder)
    if not groups and card.document.get("verified"):
        raise CannotServe(f"the card tells of golden rows, but there is no {golden.GOLDEN}")
    allowed = tolerance(engine, version.folder, card, settings)
    golden.check(engine, groups, allowed)
    if engine.ragged and not right_at_any_length(engine, groups, allowed):
        LOG.warning("%s/%s: rows of different lengths will share no batch", version.model, version.number)
        engine.ragged = tensors.ALIKE
    terms, seconds = warm(engine, groups, settings)
    engine.settle()
    inputs = fields.build(
        engine.signature,
        card.inputs,
        lambda tokens: Tokenizer.read(version.folder / tokens.vocabulary, tokens.unknown_id),
    )
    return ModelHandle(
        model=version.model,
        version=version.number,
        card=card,
        engine=engine,
        batcher=worker.shared.make_batcher(
            version,
            engine,
            Queue(
                settings.max_batch_rows,
                settings.max_queue_rows,
                terms,
                worker.shared.room,
                Allowed(settings.max_queue_bytes, settings.max_wait),
            ),
            worker.choose_driver(seconds)
            if engine.parallel == 1
            else functools.partial(PoolDriver, threads=engine.parallel),
            ModelMetrics(version.model, version.number),
        ),
        rows=Rows(inputs, example(card, engine.signature)),
        max_batch_rows=settings.max_batch_rows,
        max_queue_rows=settings.max_queue_rows,
    )


def refuse_unservable(signature: Signature) -> None:
    """CannotServe if rows of this signature cannot be batched, or not be written in JSON."""
    unbatched = signature.unbatched()
    if unbatched:
        raise CannotServe(f"{', '.join(unbatched)} has no free first axis: rows cannot be batched")
    foreign = signature.foreign()
    if foreign:
        raise CannotServe(f"{', '.join(foreign)}: JSON has no such values")


def right_at_any_length(engine: Engine, groups: list[golden.Group], tolerance: float) -> bool:
    """Whether golden rows of different lengths, in one batch, get their golden answers; False if none can show it."""
    together = golden.mixed(engine, groups)
    return bool(together) and all(off <= tolerance for _, off in golden.differences(engine, together))


def warm(
    engine: Engine, groups: Sequence[golden.Group], settings: Settings, clock: Clock = time.perf_counter
) -> tuple[FindTerms, float]:
    """Rows and cost of each kind's batches, and the seconds of the longest full one, as measured on golden rows.

    Without golden rows nothing can be tried: no limit but the settings', a guess, and for ever.
    """
    if not groups:
        unknown = Terms(settings.max_batch_rows, row=GUESS)
        return lambda _: unknown, float("inf")
    samples = spread([{name: array[:1] for name, array in inputs.items()} for inputs, _ in groups])
    most, target = settings.max_batch_rows, settings.target_ms / 1000
    trials = cost.measure(engine, samples, most, clock)
    predicted, tried = cost.fit(trials), max(trial.rows for trial in trials)

    def rows(size: int) -> int:
        return cost.limit(predicted, size, most, target, tried)

    @functools.lru_cache(KINDS)
    def terms(kind: tensors.Kind) -> Terms:
        size = tensors.size(kind)
        return Terms(rows(size), *predicted.parts(size))

    seconds = max(predicted.seconds(rows(size), size) for size in samples)
    if 0 < target < seconds:
        LOG.warning("one row takes %.3g ms, more than the target of %.3g ms", 1000 * seconds, 1000 * target)
    return terms, seconds


def spread(rows: Sequence[tensors.Tensors]) -> dict[int, tensors.Tensors]:
    """By size: the largest row, the middle and the smallest.

    >>> import numpy as np
    >>> list(spread([{"x": np.zeros((1, length))} for length in (7, 3, 5, 4, 9)]))
    [9, 5, 3]
    """
    sized = {tensors.size(tensors.kind(row)): row for row in rows}
    sizes = sorted(sized)
    return {size: sized[size] for size in (sizes[-1], sizes[len(sizes) // 2], sizes[0])}
