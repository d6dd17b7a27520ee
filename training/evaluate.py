"""Each output judged beside a trivial rule: on rows the model never saw, by the rule that its task names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

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


class Baseline(NamedTuple):
    """A trivial rule's name, and what it says for each row, shaped like the model's own answer."""

    rule: str
    said: NDArray[Any]


def evaluate(encoder: Encoder, train: Table, test: Table, predictions: Mapping[str, NDArray[Any]]) -> dict[str, Judged]:
    """Judge every output of a task as `beside` does."""
    judged = {}
    for name, output in encoder.task.outputs.items():
        baseline, labels = _baseline(encoder, name, train, test), encoder.labels.get(name, ())
        judged[name] = beside(baseline, output, labels, encoder.target(name, test), predictions[name])
    return judged


def beside(
    baseline: Baseline, output: Output, labels: Sequence[str], truth: NDArray[Any], said: NDArray[Any]
) -> Judged:
    """An output judged; its metrics hold the model's figures and, under "baseline", those of the trivial rule.

    `truth` is as the encoder's target; `said` is `(n, 1)`, `(n, *dims)` for numbers, or `(n, classes)` for
    probabilities.
    """
    truth = truth if isinstance(output, Numbers) else truth.ravel()
    found = _judge(output, truth, said, labels)
    # A trivial rule has no labels, and its most probable class is its answer, however improbable.
    figures = {"name": baseline.rule, **_judge(output, truth, baseline.said).metrics}
    return replace(found, metrics={**found.metrics, "baseline": figures})


def constant(rule: str, output: Output, classes: int, column: NDArray[Any], rows: int) -> Baseline:
    """The same answer for every row: the "mean" or "median" of a column of targets, its classes' shares ("majority").

    ValueError if the rule does not fit the output.
    """
    if isinstance(output, Number | Numbers) and rule in ("mean", "median"):
        middle = (np.mean if rule == "mean" else np.median)(column.astype(float), axis=0)
        return Baseline(rule, np.broadcast_to(middle, (rows, *middle.shape)))
    if isinstance(output, Probability | Probabilities) and rule == "majority":
        shares = np.bincount(column.ravel().astype(int), minlength=classes) / len(column)
        return Baseline(rule, np.tile(shares[1:] if isinstance(output, Probability) else shares, (rows, 1)))
    raise ValueError(f"the baseline {rule!r} does not fit a {type(output).__name__}")


def _judge(output: Output, truth: NDArray[Any], said: NDArray[Any], labels: Sequence[str] = ()) -> Judged:
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


def _baseline(encoder: Encoder, name: str, train: Table, test: Table) -> Baseline:
    output, rule = encoder.task.outputs[name], encoder.task.baselines[name]
    rows = length(test)
    if not callable(rule):
        return constant(rule, output, len(encoder.labels.get(name, ())), encoder.target(name, train), rows)
    title = str(getattr(rule, "__name__", "rule")).strip("_").replace("_", " ")
    said = np.asarray(rule({column: test[column] for column in encoder.task.inputs}), dtype=float)
    return Baseline(title, said.reshape(rows, -1) if said.ndim == 1 else said)
