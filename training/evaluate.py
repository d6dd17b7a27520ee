"""Each output judged on rows the model never saw, beside the trivial rule that its task names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import metrics
from training.encode import Encoder, length
from training.task import Number, Numbers, Output, Probabilities, Probability, Table


@dataclass(frozen=True)
class Judged:
    """One output's held-out rows: `truth` and `guess` are numbers or class numbers, `(n,)`, or arrays of numbers."""

    metrics: Mapping[str, Any]
    truth: NDArray[Any]
    guess: NDArray[Any]
    probability: NDArray[Any] | None = None
    """Of a two-class head: what it said for its second label."""


def evaluate(encoder: Encoder, train: Table, test: Table, predictions: Mapping[str, NDArray[Any]]) -> dict[str, Judged]:
    """Judge every output; its metrics hold the model's figures and, under "baseline", the trivial rule's."""
    judged = {}
    for name, output in encoder.task.outputs.items():
        rule, trivial = _baseline(encoder, name, train, test)
        truth = encoder.target(name, test)
        truth = truth if isinstance(output, Numbers) else truth.ravel()
        beside = {"baseline": {"name": rule, **_judge(output, truth, trivial).metrics}}
        found = _judge(output, truth, predictions[name], encoder.labels.get(name, ()))
        judged[name] = replace(found, metrics={**found.metrics, **beside})
    return judged


def _judge(output: Output, truth: NDArray[Any], said: NDArray[Any], labels: Sequence[str] = ()) -> Judged:
    """A trivial rule has no `labels`, and its most probable class is its answer, however improbable.

    `said` is `(n, 1)`, `(n, *dims)` for numbers, or `(n, classes)` for probabilities.
    """
    if isinstance(output, Numbers):
        return Judged(metrics.of_numbers(truth, said, ranked=False), truth, said.astype(float))
    if isinstance(output, Probabilities):
        guess = said.argmax(axis=1)
        if output.otherwise is not None and labels:
            guess[said.max(axis=1) < output.threshold] = labels.index(output.otherwise)
        return Judged(metrics.of_classes(truth, guess), truth, guess)
    numbers = said[:, 0].astype(float)
    if isinstance(output, Number):
        ranked = (output.minimum, output.maximum) == (0, 1)
        return Judged(metrics.of_numbers(truth, numbers, ranked=ranked), truth, numbers)
    classes, guess = truth.astype(int), (numbers >= output.threshold).astype(int)
    return Judged(metrics.of_probability(classes, numbers, output.threshold), classes, guess, numbers)


def _baseline(encoder: Encoder, name: str, train: Table, test: Table) -> tuple[str, NDArray[Any]]:
    """The rule's name and what it says for each test row, shaped like the model's own answer."""
    output, rule = encoder.task.outputs[name], encoder.task.baselines[name]
    rows = length(test)
    if callable(rule) and not isinstance(output, Probabilities):
        title = str(getattr(rule, "__name__", "rule")).strip("_").replace("_", " ")
        said = np.asarray(rule({column: test[column] for column in encoder.task.inputs}), dtype=float)
        return title, said.reshape(rows, -1) if said.ndim == 1 else said
    if isinstance(output, Number | Numbers) and rule in ("mean", "median"):
        column = encoder.target(name, train).astype(float)
        middle = np.mean(column, axis=0) if rule == "mean" else np.median(column, axis=0)
        return rule, np.broadcast_to(middle, (rows, *middle.shape))
    if isinstance(output, Probability | Probabilities) and rule == "majority":
        counts = Counter(train[name])
        shares = np.asarray([counts[label] / length(train) for label in encoder.labels[name]])
        return rule, np.tile(shares[1:] if isinstance(output, Probability) else shares, (rows, 1))
    raise ValueError(f"{name}: the baseline {rule!r} does not fit a {type(output).__name__}")
