"""What the threshold does: how many questions need no person, and how many of their answers are right."""

from collections.abc import Sequence

import numpy as np

from training.evaluate import evaluate
from training.studies.finding import Finding
from training.task import Preset, Splits
from training.train import Trained, predict


def answered(trained: Trained, splits: Splits, preset: Preset, seed: int) -> Sequence[Finding]:
    """Of the test rows; a row is answered if its label is not `otherwise`."""
    encoder = trained.encoder
    said = predict(trained.model, encoder.rows(splits.test), ["resolution"])
    judged = evaluate(encoder, splits.train, splits.test, said)["resolution"]
    kept = judged.guess != encoder.labels["resolution"].index("escalate")
    figures = {"answered": float(np.mean(kept))}
    if kept.any():
        figures["right where answered"] = float(np.mean(judged.guess[kept] == judged.truth[kept]))
    return [Finding("Questions answered without a person", figures, "share")]
