"""Fitting an architecture to a task's rows: reproducible by seed, stopped by the validation loss, best weights kept."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.architecture import Adapt, Architecture
from training.batches import dataset, order, sizes
from training.encode import Encoder, Rows
from training.mistakes import Mistake
from training.task import Preset, Splits

PREDICT_ROWS = 256
WARMUP_STEPS = 100


@dataclass(frozen=True)
class Trained:
    """A fitted model, what it was built from, and its curves: `history["val_loss"][epoch]`, the best epoch's number.

    A model that is served as it is built has no curves.
    """

    model: Any
    architecture: Architecture
    encoder: Encoder
    history: Mapping[str, list[float]]
    best: int

    @property
    def epochs(self) -> int:
        """How many passes over the training rows were made."""
        return len(self.history.get("loss", ()))


def fit(architecture: Architecture, encoder: Encoder, splits: Splits, preset: Preset, seed: int) -> Trained:
    """Train until the validation loss stops falling or the preset's epochs are over; Mistake if it is not finite.

    Equal arguments give equal weights on the same machine.
    """
    train, validation = encoder.rows(splits.train), encoder.rows(splits.validation)
    keras.utils.set_random_seed(seed)
    steps = -(-len(train) // preset.batch)
    model = architecture.compiled(optimizer(preset, steps), **encoder.sizes)
    if architecture.adapt:
        begin(architecture.adapt, model, train)
    if not preset.epochs:
        return Trained(model, architecture, encoder, {}, 0)
    # XLA compiles once per shape, minutes on a CPU where lengths vary; the plain graph serves every shape.
    model.jit_compile = False
    stop = keras.callbacks.EarlyStopping(patience=preset.patience, restore_best_weights=True)
    with _Progress(preset.epochs, steps) as progress:
        history = model.fit(
            dataset(train, preset.batch, np.random.default_rng(seed)),
            validation_data=dataset(validation, PREDICT_ROWS),
            epochs=preset.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[stop, keras.callbacks.TerminateOnNaN(), progress.callback()],
        ).history
    if not all(np.isfinite(history["loss"] + history.get("val_loss", [np.nan]))):
        raise Mistake(
            f"the loss became infinite or NaN in epoch {len(history['loss'])}; a smaller learning rate may help"
        )
    curves = {name: [float(value) for value in values] for name, values in history.items()}
    return Trained(model, architecture, encoder, curves, int(np.argmin(curves["val_loss"])))


def begin(adapt: Adapt, model: Any, train: Rows) -> None:
    """Set the weights that are computed; Mistake if the rows do not allow it."""
    try:
        adapt(model, train.inputs, train.targets)
    except ValueError as error:
        raise Mistake(str(error)) from error


def beginning_with(file: Path, architecture: Architecture) -> Architecture:
    """The architecture, trained on from the weights in a file; Mistake if it takes none, or not these."""
    load, adapt = architecture.load_weights, architecture.adapt
    if load is None:
        raise Mistake("this model takes no --weights")

    def adapt_and_load(model: Any, inputs: Any, targets: Any) -> None:
        if adapt:
            adapt(model, inputs, targets)
        try:
            load(model, file)
        except (OSError, ValueError) as error:
            raise Mistake(f"{file}: {str(error).splitlines()[0]}") from error

    return replace(architecture, adapt=adapt_and_load)


def optimizer(preset: Preset, steps: int) -> Any:
    """Adam for `steps` a pass; with `decay`, gradients longer than 1 are cut to it as well."""
    rate: Any = preset.learning_rate
    if preset.decay:
        total = steps * preset.epochs
        warmup = min(WARMUP_STEPS, total // 10)
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 100, total - warmup, warmup_target=rate, warmup_steps=warmup, alpha=0.001
        )
    return keras.optimizers.Adam(rate, clipnorm=1.0 if preset.decay else None)


def predict(model: Any, rows: Rows, names: list[str]) -> dict[str, NDArray[np.float32]]:
    """Every output for every row, `(n, …)`, in the rows' own order."""
    answers = model.predict(dataset(rows, PREDICT_ROWS), verbose=0)
    back = np.argsort(np.concatenate(order(sizes(rows), PREDICT_ROWS, None)))
    return {name: answers[name][back] for name in names}


class _Progress:
    """A bar on a terminal; in a log, one line an epoch."""

    def __init__(self, epochs: int, steps: int) -> None:
        self._epochs = epochs
        self._bar = tqdm(total=epochs * steps, unit="step", file=sys.stderr, disable=None, leave=False)
        self._start = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def callback(self) -> Any:
        """What Keras calls after each step and each epoch."""
        return keras.callbacks.LambdaCallback(on_train_batch_end=self._step, on_epoch_end=self._epoch)

    def _step(self, step: int, logs: Mapping[str, float]) -> None:
        self._bar.update()

    def _epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        seconds = time.monotonic() - self._start
        losses = f"loss {logs['loss']:.4f}  validation {logs.get('val_loss', float('nan')):.4f}"
        tqdm.write(f"epoch {epoch + 1:3d}/{self._epochs}  {losses}  {seconds:.0f} s", file=sys.stderr)
