"""Does it matter which sample comes first? The answers to the test rows, and to the same rows with samples swapped."""

from collections.abc import Sequence

import numpy as np

from training.data.same_distribution import SAME
from training.studies.finding import Finding
from training.task import Preset, Splits, Table
from training.train import Trained


def swap(trained: Trained, splits: Splits, preset: Preset, seed: int) -> Sequence[Finding]:
    """How far the probability moves, and the share of rows whose label changes."""
    test = splits.test
    swapped: Table = {"first": test["second"], "second": test["first"]}
    answers, others = (
        trained.model.predict_on_batch({name: np.stack(table[name]) for name in swapped})["same"][:, 0]
        for table in (test, swapped)
    )
    moved = np.abs(answers - others)
    changed = (answers >= SAME.threshold) != (others >= SAME.threshold)
    return [
        Finding(
            "Swapping the samples moves the probability", {"mean": float(moved.mean()), "largest": float(moved.max())}
        ),
        Finding("Swapping the samples changes the label", {"test rows": float(100 * changed.mean())}, unit="%"),
    ]
