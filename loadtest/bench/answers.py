"""Every answer compared with what the SavedModel says to that row alone."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loadtest.bench.forms import Form, Outputs
from loadtest.bench.reference import Reference

TOLERANCE = 1e-4
"""Largest difference of a right answer, relative to the largest number its output gives over all rows: as far as a twin
may be from its SavedModel."""

SHOWN = 300
"""Characters of a wrong answer that are kept."""


@dataclass(frozen=True)
class Told:
    """One distinct answer: the row's number as the header had it, the status, the body, and how often it came."""

    number: str
    status: int
    body: str
    times: int


@dataclass
class Verdict:
    """What was checked: answers, how many of them were wrong, the largest difference, and one that was wrong."""

    answers: int = 0
    wrong: int = 0
    worst: float = 0.0
    example: str = ""

    def add(self, difference: float, told: Told) -> None:
        """Count an answer as often as it came."""
        self.answers += told.times
        self.worst = max(self.worst, difference)
        if not difference <= TOLERANCE:
            self.wrong += told.times
            self.example = f"{told.status} {told.body[:SHOWN]}"


@dataclass
class Checker:
    """Compares a server's answers; a body seen before is not read again."""

    reference: Reference
    form: Form
    known: dict[tuple[str, int, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scales = scales(self.reference.answers)

    def check(self, told: Iterable[Told]) -> Verdict:
        """The verdict on these answers."""
        verdict = Verdict()
        for one in told:
            key = (one.number, one.status, one.body)
            if key not in self.known:
                self.known[key] = self.difference(one)
            verdict.add(self.known[key], one)
        return verdict

    def difference(self, told: Told) -> float:
        """How far an answer is off; infinite if it is none, or of a row that was not asked."""
        if told.status != 200:
            return math.inf
        try:
            answer = json.loads(told.body)
            expected = self.reference.answers[int(self.form.number(answer) or told.number) - 1]
            return largest(expected, self.form.read(answer, list(expected)), self.scales)
        except (ValueError, KeyError, IndexError, TypeError):
            return math.inf


def scales(answers: Sequence[Outputs]) -> dict[str, float]:
    """By output, the largest number over all rows.

    >>> scales([{"age": [20.0]}, {"age": [-60.0]}])
    {'age': 60.0}
    """
    return {
        name: max(float(np.max(np.abs(answer[name]), initial=0.0)) for answer in answers) or 1.0 for name in answers[0]
    }


def largest(expected: Outputs, actual: Mapping[str, Any], scales: Mapping[str, float]) -> float:
    """The largest difference of any output, relative to its scale; infinite where sizes or names differ.

    >>> largest({"age": [20.0]}, {"age": [20.5]}, {"age": 50.0})
    0.01
    """
    if expected.keys() != actual.keys():
        return math.inf
    return max(off(np.ravel(expected[name]), np.ravel(actual[name]), scales[name]) for name in expected)


def off(expected: "np.ndarray[Any, Any]", actual: "np.ndarray[Any, Any]", scale: float) -> float:
    """The largest difference of two flat tensors, in units of `scale`; infinite if one of them is no number."""
    if expected.shape != actual.shape or actual.dtype.kind not in "fiu":
        return math.inf
    difference = float(np.max(np.abs(actual - expected), initial=0.0)) / scale
    return math.inf if math.isnan(difference) else difference
