"""From a folder of the store to a handle: picks the engine, warms it, and lets it serve only right answers."""

import importlib.util
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from service import card as cards
from service import cost, fields, golden
from service.batcher import Batcher, MakeDriver
from service.engines.base import Engine
from service.engines.onnx import REDUCED, TWIN
from service.errors import ServiceError
from service.handle import ModelHandle, example
from service.metrics import ModelMetrics
from service.queueing import Queue
from service.schemas import Rows
from service.settings import Settings
from service.signature import Signature
from service.store import Version
from service.text import Tokenizer

ChooseDriver = Callable[[float], MakeDriver]
"""From the seconds of a full batch to what should drive the batcher."""


class CannotServe(ServiceError):
    """The model loads, but this service cannot serve it."""


def load(version: Version, settings: Settings, choose_driver: ChooseDriver) -> ModelHandle:
    """A handle that has answered its golden rows correctly; ServiceError or the engine's own exception says why not."""
    card = cards.read(version.folder)
    engine = load_engine(version.folder, card, settings)
    try:
        return serve(version, card, engine, settings, choose_driver)
    except BaseException:
        engine.close()
        raise


def load_engine(folder: Path, card: cards.Card, settings: Settings) -> Engine:
    """The engine of the settings; `auto` takes a twin that agreed, unless TensorFlow is here and a GPU is visible.

    The engines' libraries are imported here, when one is needed: a service of twins alone never loads TensorFlow.
    """
    use_twin = settings.engine == "onnx"
    if settings.engine == "auto":
        use_twin = card.twin_agreed and (folder / TWIN).is_file() and not (gpu_visible() and has_tensorflow())
    if use_twin:
        if not (folder / TWIN).is_file():
            raise CannotServe(f"engine is onnx, but {folder} has no {TWIN}")
        from service.engines.onnx import OnnxEngine

        return OnnxEngine(folder, settings.engine_thread_count, chosen_twin(folder, card, settings))
    if not has_tensorflow():
        raise CannotServe("this model needs TensorFlow, which is not installed here (deploy/requirements/full.txt)")
    from service.engines.saved_model import SavedModelEngine

    return SavedModelEngine(folder, settings.engine_thread_count)


def chosen_twin(folder: Path, card: cards.Card, settings: Settings) -> Path:
    """The full twin, or the reduced one where it is asked for and the card says that it was kept."""
    reduced = settings.precision == "reduced" and card.reduced_tolerance is not None and (folder / REDUCED).is_file()
    return REDUCED if reduced else TWIN


def tolerance(engine: Engine, folder: Path, card: cards.Card, settings: Settings) -> float:
    """How far this engine may be off the golden answers."""
    reduced = engine.name == "onnx" and chosen_twin(folder, card, settings) == REDUCED
    return (card.reduced_tolerance if reduced else None) or golden.TOLERANCE


def has_tensorflow() -> bool:
    """Whether TensorFlow is installed, without loading it to ask."""
    return importlib.util.find_spec("tensorflow") is not None


def gpu_visible() -> bool:
    """Whether an NVIDIA driver shows a GPU, without loading TensorFlow to ask."""
    return any(Path("/proc/driver/nvidia/gpus").glob("*"))


def serve(
    version: Version, card: cards.Card, engine: Engine, settings: Settings, choose_driver: ChooseDriver
) -> ModelHandle:
    """A loaded engine as a handle: checked against its golden rows, warm, with a batcher in front."""
    refuse_unservable(engine.signature)
    strange = cards.disagreements(card, engine.signature)
    if strange:
        raise CannotServe(f"the card does not fit the model: {'; '.join(strange)}")
    groups = golden.read(version.folder)
    golden.check(engine, groups, tolerance(engine, version.folder, card, settings))
    rows, seconds = warm(engine, groups, settings.max_batch_rows)
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
        batcher=Batcher(
            engine,
            Queue(rows, settings.max_queue_rows),
            choose_driver(seconds),
            ModelMetrics(version.model, version.number),
        ),
        rows=Rows(inputs, example(card, engine.signature)),
        max_batch_rows=rows,
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


def warm(engine: Engine, groups: Sequence[golden.Group], most: int) -> tuple[int, float]:
    """Rows of a full batch, as many as pay, and its seconds, measured on the first golden row.

    Without golden rows nothing can be tried: `most` rows, and for ever.
    """
    if not groups:
        return most, float("inf")
    row = {name: array[:1] for name, array in groups[0][0].items()}
    return cost.grow(partial(cost.seconds, engine, row), most)
