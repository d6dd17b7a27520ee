"""How far predictions are from the truth. Pure: arrays in, floats out; None where a figure is not defined."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score

Floats = NDArray[np.floating]
Metrics = dict[str, float | None]
BINS = 10


def of_numbers(truth: Floats, guess: Floats, *, ranked: bool) -> Metrics:
    """Mean absolute and root mean squared error in the output's unit, and the share of variance explained.

    With `ranked`, also Pearson's and Spearman's correlation, None where one side is constant.
    """
    error = np.asarray(guess, dtype=float) - np.asarray(truth, dtype=float)
    spread = float(np.sum((truth - np.mean(truth, dtype=float)) ** 2))
    metrics: Metrics = {
        "mae": float(np.mean(np.abs(error))),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "r2": 1 - float(np.sum(error**2)) / spread if spread else None,
    }
    if ranked:
        varied = len(truth) > 1 and np.ptp(truth) > 0 and np.ptp(guess) > 0
        metrics["pearson"] = float(stats.pearsonr(truth, guess).statistic) if varied else None
        metrics["spearman"] = float(stats.spearmanr(truth, guess).statistic) if varied else None
    return metrics


def of_probability(truth: NDArray[np.integer], probability: Floats, threshold: float) -> Metrics:
    """Accuracy at the threshold, area under the ROC curve (None with one class) and expected calibration error."""
    return {
        "accuracy": float(np.mean((probability >= threshold) == (truth == 1))),
        "roc_auc": float(roc_auc_score(truth, probability)) if len(np.unique(truth)) == 2 else None,
        "calibration_error": calibration_error(truth, probability),
    }


def of_classes(truth: NDArray[np.integer], guess: NDArray[np.integer]) -> Metrics:
    """The share of rows whose class is right."""
    return {"accuracy": float(np.mean(truth == guess))}


def confusion(truth: NDArray[np.integer], guess: NDArray[np.integer], classes: int) -> list[list[int]]:
    """Counts: a row per true class, a column per guessed one."""
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (truth, guess), 1)
    return [[int(count) for count in row] for row in counts]


def reliability(truth: NDArray[np.integer], probability: Floats) -> list[tuple[float, float, int]]:
    """Per filled bin of probability: the mean that was said, the share that came true, and how many rows."""
    bins = np.minimum((np.asarray(probability) * BINS).astype(int), BINS - 1)
    filled = [bins == number for number in range(BINS) if np.any(bins == number)]
    return [(float(probability[rows].mean()), float(truth[rows].mean()), int(rows.sum())) for rows in filled]


def calibration_error(truth: NDArray[np.integer], probability: Floats) -> float:
    """Expected calibration error over ten equal bins (Guo et al. 2017, section 3): mean |said - came true| per row."""
    bins = reliability(truth, probability)
    return sum(abs(said - came) * rows for said, came, rows in bins) / len(truth)
