"""The population stability index of recent rows beside the training's, and what it says.

PSI = Σ (recentᵢ − trainingᵢ) · ln(recentᵢ / trainingᵢ) over the shares of all bins; below 0.1 nothing has moved, from
0.25 on much has (N. Siddiqi, Credit Risk Scorecards, 2006). Rows of one and the same distribution have a PSI of about
(1/N + 1/M) · χ² with one degree of freedom less than bins (B. Yurdakul, J. Naranjo, Statistical properties of the
population stability index, 2020): what chance alone brings in 999 of 1000 cases is `noise`, and no verdict.
"""

from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from service.drift.features import Array

MODERATE, SHIFTED = 0.1, 0.25
RARE = 3.09
"""The normal deviate that one of 1000 exceeds."""
HALF = 0.5
"""A row's part added to every bin, so that an empty one has a logarithm (Krichevsky and Trofimov's estimate)."""


class Verdict(Enum):
    """What a PSI says, from nothing to much."""

    FEW = "too few rows"
    STABLE = "stable"
    MODERATE = "moderate"
    SHIFTED = "shifted"


def shares(counts: Array) -> Array:
    """Of the bins (…, n) the parts of the whole; zeros without rows."""
    total = counts.sum(axis=-1, keepdims=True)
    parts: Array = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    return parts


def index(training: Array, recent: Array) -> Array:
    """The PSI (…) of counts (…, n) beside the training's (n,); bins that are empty in both count for nothing.

    >>> index(np.array([1000, 2000, 1000]), np.array([[1000, 2000, 1000], [2000, 1000, 1000]])).round(3).tolist()
    [0.0, 0.346]
    """
    used = (training > 0) | (recent > 0)
    expected, actual = (shares(np.where(used, counts + HALF, 0)) for counts in (training, recent))
    change = np.divide(actual, expected, out=np.ones(used.shape), where=used)
    found: Array = ((actual - expected) * np.log(change)).sum(axis=-1)
    return found


def noise(bins: ArrayLike, training_rows: ArrayLike, recent_rows: ArrayLike) -> Array:
    """The PSI that rows of the training's own distribution stay under in 999 of 1000 cases; infinite without rows.

    χ² by Wilson and Hilferty's approximation (1931).

    >>> round(float(noise(11, 1000, 1000)), 3)  # χ² of 10 degrees: 29.6
    0.06
    """
    freedom = np.maximum(np.subtract(bins, 1), 1)
    part = 2 / (9 * freedom)
    with np.errstate(divide="ignore"):
        found: Array = np.divide(1, training_rows) + np.divide(1, recent_rows)
    return freedom * (1 - part + RARE * np.sqrt(part)) ** 3 * found


def chance(training: Array, recent: Array) -> Array:
    """The noise (…) of counts (…, n) beside the training's (n,)."""
    used = np.count_nonzero((training > 0) | (recent > 0), axis=-1)
    return noise(used, training.sum(), recent.sum(axis=-1))


def verdict(psi: float, noise: float) -> Verdict:
    """What it says: never more than chance.

    >>> verdict(0.3, 0.02), verdict(0.12, 0.15), verdict(9.9, 0.3)
    (<Verdict.SHIFTED: 'shifted'>, <Verdict.STABLE: 'stable'>, <Verdict.FEW: 'too few rows'>)
    """
    if noise > SHIFTED:
        return Verdict.FEW
    if psi >= SHIFTED:
        return Verdict.SHIFTED
    return Verdict.MODERATE if psi >= max(MODERATE, noise) else Verdict.STABLE
