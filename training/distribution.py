"""How the training's inputs and the model's answers to held-out rows lie: what the service later compares with.

Numbers fall into bins with about as many rows each, labels into one each but for the rare; the service's own code says
what is looked at (service/drift/features.py), so that both look at the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from service.drift import bins, psi
from service.drift.features import Array, Seen, Spec, measure
from training import card
from training.batches import pad
from training.encode import Encoder, Rows, length, select
from training.task import Table
from training.words import UNKNOWN_ID

Specs = Mapping[str, Spec]

MOST_BINS, MOST_LABELS = 10, 20
MOST_ROWS = 10_000
"""Of the training rows, evenly over all."""
AT_ONCE = 256


def distribution(encoder: Encoder, train: Table, said: Mapping[str, Array]) -> dict[str, Any]:
    """What the card says of it; `said` are the outputs for held-out rows, (n, …) each."""
    step = -(-length(train) // MOST_ROWS)
    rows = encoder.rows(select(train, range(0, length(train), step)))
    return of_rows(card.inputs(encoder), card.outputs(encoder), rows, said)


def of_rows(inputs: Specs, outputs: Specs, rows: Rows, said: Mapping[str, Array]) -> dict[str, Any]:
    """The same of rows and answers, by how the card describes inputs and outputs."""
    return {
        "inputs": {name: described(spec, of_input(spec, rows, name)) for name, spec in inputs.items()},
        "outputs": {name: described(spec, measure(spec, said[name])) for name, spec in outputs.items()},
    }


def of_input(spec: Spec, rows: Rows, name: str) -> dict[str, Seen]:
    """The features of all rows of an input, some rows at a time."""
    column = rows.inputs[name]
    parts = []
    for start in range(0, len(column), AT_ONCE):
        some = column[start : start + AT_ONCE]
        lengths = np.array([len(row) for row in some]) if None in spec.get("dims", ()) else None
        parts.append(measure(spec, pad(some), lengths))
    return {feature: together([part[feature] for part in parts]) for feature in parts[0]}


def together(parts: Sequence[Seen]) -> Seen:
    """One after another."""
    return Seen(np.concatenate([part.values for part in parts]), np.concatenate([part.weights for part in parts]))


def described(spec: Spec, features: Mapping[str, Seen]) -> list[dict[str, Any]]:
    """Every feature: its bins, and the rows in each."""
    return [one for feature, seen in features.items() for one in _described(spec, feature, seen)]


def _described(spec: Spec, feature: str, seen: Seen) -> Iterator[dict[str, Any]]:
    most = enough(seen)
    if feature == "label":
        chosen: dict[str, Any] = {"labels": frequent(list(spec["labels"]), seen.values, min(most, MOST_LABELS))}
    else:
        if not np.isfinite(seen.values).any():
            return
        chosen = {"edges": edges(feature, seen, min(most, MOST_BINS))}
    found = {"feature": feature, **chosen}
    counts = bins.count(bins.build(spec, found), seen)
    yield {**found, "counts": [round(count, 1) for count in counts.tolist()]}


def enough(seen: Seen) -> int:
    """So many bins that as many rows again, of the same distribution, say so."""
    rows = float(seen.weights.sum())
    fitting = [count for count in range(2, MOST_LABELS + 1) if psi.noise(count, rows, rows) <= psi.SHIFTED]
    return max(fitting, default=2)


def frequent(labels: list[str], values: Array, most: int) -> list[str]:
    """The labels seen most often, in the model's order; what is none, -1, is not among them."""
    counts = np.bincount(values[values >= 0].astype(np.intp), minlength=len(labels))
    kept = sorted(np.argsort(-counts, kind="stable")[:most].tolist())
    return [labels[number] for number in kept]


def edges(feature: str, seen: Seen, most: int) -> list[float]:
    """From the least to the largest value, with about as many rows between every two.

    >>> edges("value", Seen(np.array([3.0, 1, 2, 4, 5, 6]), np.ones(6)), 3)
    [1.0, 2.0, 4.0, 6.0]
    >>> edges("value", Seen(np.array([0.0, 0, 0, 1]), np.ones(4)), 10)  # 0 is a range of its own
    [0.0, 0.0, 1.0]
    """
    if feature in ("probability", "confidence"):
        inner = np.round(quantiles(seen, most), 2)
        return [0.0, *np.unique(inner[(inner > 0) & (inner < 1)]).tolist(), 1.0]
    if feature == "vocabulary":
        known = seen.values > UNKNOWN_ID
        seen = Seen(seen.values[known], seen.weights[known])
        return [UNKNOWN_ID, UNKNOWN_ID, *(np.unique(quantiles(seen, most)).tolist() if known.any() else ())]
    low = seen.values[np.isfinite(seen.values)].min()
    return [float(low), *np.unique(quantiles(seen, most)).tolist()]


def quantiles(seen: Seen, parts: int) -> Array:
    """The upper ends of so many parts of equal weight, (parts,): values that were seen, of the finite ones.

    >>> quantiles(Seen(np.array([4.0, 1, 3, 2]), np.ones(4)), 2).tolist()
    [2.0, 4.0]
    """
    finite = np.isfinite(seen.values)
    values, weights = seen.values[finite], seen.weights[finite]
    order = np.argsort(values, kind="stable")
    until = np.cumsum(weights[order])
    wanted = until[-1] * np.arange(1, parts + 1) / parts
    at = np.searchsorted(until, wanted * (1 - 1e-9))
    ends: Array = values[order][np.minimum(at, len(values) - 1)]
    return ends
