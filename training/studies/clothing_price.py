"""What each branch of the price knows alone, beside all three together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.clothing_price import ALONE, BRANCHES
from training.studies.finding import Finding
from training.task import Preset, Splits
from training.train import Trained, fit, predict


def branches(trained: Trained, splits: Splits, preset: Preset, seed: int) -> Sequence[Finding]:
    """Train each branch alone, on the same rows in half the epochs: it gains no more later. Errors on the test rows."""
    task = trained.encoder.task
    shorter = replace(preset, epochs=-(-preset.epochs // 2))
    errors = {"together": _error(trained, splits)}
    for name, architecture in ALONE.items():
        narrow = replace(task, inputs={column: task.inputs[column] for column in BRANCHES[name]})
        alone = fit(architecture, replace(trained.encoder, task=narrow), splits, shorter, seed)
        errors[f"{name} alone"] = _error(alone, splits)
    return [Finding("Mean absolute error with all branches and with each alone", errors, "EUR")]


def _error(trained: Trained, splits: Splits) -> float:
    rows = trained.encoder.rows(splits.test)
    price = predict(trained.model, rows, ["price"])["price"]
    return float(np.abs(price - rows.targets["price"]).mean())
