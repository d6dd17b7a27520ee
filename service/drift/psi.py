"""The population stability index of recent rows beside the training's, and what it says.

PSI = Σ (recentᵢ − trainingᵢ) · ln(recentᵢ / trainingᵢ) over the shares of all bins; below 0.1 nothing has moved, from
0.25 on much has (N. Siddiqi, Credit Risk Scorecards, 2006). Rows of one and the same distribution have a PSI of about
(1/N + 1/M) · χ² with one degree of freedom less than bins (B. Yurdakul, J. Naranjo, Statistical properties of the
population stability index, 2020): what chance alone brings in 999 of 1000 cases is `noise`, and no verdict.
"""

import math
from enum import Enum

import numpy as np

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
    """Of the bins (n,) the parts of the whole; zeros without rows."""
    total: float = counts.sum()
    return counts / total if total > 0 else np.zeros(len(counts))


def index(training: Array, recent: Array) -> float:
    """The PSI of two rows of counts (n,); bins that are empty in both count for nothing.

    >>> round(index(np.array([1000, 2000, 1000]), np.array([1000, 2000, 1000])), 3)
    0.0
    """
    used = (training > 0) | (recent > 0)
    expected, actual = shares(training[used] + HALF), shares(recent[used] + HALF)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def noise(bins: int, training_rows: float, recent_rows: float) -> float:
    """The PSI that rows of the training's own distribution stay under in 999 of 1000 cases; infinite without rows.

    χ² by Wilson and Hilferty's approximation (1931).

    >>> round(noise(11, 1000, 1000), 3)  # χ² of 10 degrees: 29.6
    0.06
    """
    if min(training_rows, recent_rows) <= 0:
        return math.inf
    freedom = max(bins - 1, 1)
    part = 2 / (9 * freedom)
    return freedom * (1 - part + RARE * math.sqrt(part)) ** 3 * (1 / training_rows + 1 / recent_rows)


def chance(training: Array, recent: Array) -> float:
    """The noise of two rows of counts."""
    used = np.count_nonzero((training > 0) | (recent > 0))
    return noise(int(used), float(training.sum()), float(recent.sum()))


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
