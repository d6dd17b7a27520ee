"""What is true of the rows, where their file has a column named as an output: labels learnt from it, figures told.

cells ─ labels ─▶ the card's ─ targets ─▶ judged beside a constant ─▶ figures, pictures
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from training.evaluate import Judged, beside, constant
from training.formats import checks
from training.mistakes import Mistake
from training.task import Number, Numbers, Output, Probabilities, Probability

Array = NDArray[Any]

KINDS: Mapping[str, Callable[..., Output]] = {
    "number": Number,
    "numbers": Numbers,
    "probability": Probability,
    "probabilities": Probabilities,
}

FEWEST = 2
"""Rows of a label from which its class is learnt."""
LUCK = 2.0
"""Standard deviations by which answers must be right more often than the most frequent label is."""


@dataclass(frozen=True)
class Truth:
    """Of one output: the cells of the rows that have one, and the model's answers to them, `(n, …)`."""

    name: str
    cells: Sequence[Any]
    answers: Array

    @property
    def texts(self) -> list[str]:
        """The cells as labels."""
        return [_text(cell) for cell in self.cells]


def told(targets: Mapping[str, Array], answers: Mapping[str, Array]) -> dict[str, Truth]:
    """The truth about every output that any row tells, and whose answers are all of one shape."""
    found = {}
    for name, cells in targets.items():
        places = [place for place, cell in enumerate(cells) if cell is not None]
        if places and name in answers:
            found[name] = Truth(name, [cells[place] for place in places], answers[name][places])
    return found


def are_words(truth: Truth) -> bool:
    """Whether it can only be labels: some cell is no number."""
    return any(_is_word(cell) for cell in truth.cells)


def labels(truth: Truth) -> list[str] | None:
    """The label of every class, as the rows tell; None if they name none, but count classes from 0.

    That label is a class's of whose rows the model says the class most, compared with how much it says it of all. One
    that no row has keeps its number. Mistake where that is not clear: a label has one row, or most of its rows are
    wrong then, or hardly more are right in all than by always saying the most frequent label.
    """
    shares = _shares(truth.answers)
    classes, known = shares.shape[1], sorted(set(truth.texts))
    if _counted(truth.texts, classes) is not None:
        return None
    if len(known) > classes:
        raise Mistake(f"the rows have {len(known)} labels of {truth.name}, the model tells {classes} apart")
    said = np.stack([shares[[text == label for text in truth.texts]].mean(axis=0) for label in known])
    lift = said / np.maximum(shares.mean(axis=0), np.finfo(float).tiny)
    rows, places = linear_sum_assignment(lift, maximize=True)
    named = {int(place): known[row] for row, place in zip(rows, places, strict=True)}
    right = Counter(
        text for text, place in zip(truth.texts, shares.argmax(axis=1), strict=True) if named.get(int(place)) == text
    )
    counts = Counter(truth.texts)
    clear = all(counts[label] >= FEWEST and 2 * right[label] > counts[label] for label in known)
    if not clear or (lift.argmax(axis=0)[places] != rows).any() or right.total() <= _by_luck(counts):
        raise Mistake(
            f"the answers to these rows do not tell which class of {truth.name} is {', '.join(known[: checks.SHOWN])}; "
            f"give --card FILE with its labels in their order"
        )
    return [named.get(place, str(place)) for place in range(classes)]


def _by_luck(counts: Counter[str]) -> float:
    """How many rows may be right that are not told apart: those of the most frequent label, and some more."""
    rows, most = counts.total(), max(counts.values())
    return most + LUCK * sqrt(most * (rows - most) / rows)


def judged(truths: Mapping[str, Truth], card: Mapping[str, Any]) -> dict[str, Judged]:
    """Every output judged beside what always says the same; `card` has what each means. Mistake for a wrong cell."""
    return {name: _judged(truth, meaning(card[name])) for name, truth in truths.items() if name in card}


def _judged(truth: Truth, output: Output) -> Judged:
    known = list(getattr(output, "labels", None) or ())
    targets = _targets(truth, output, known)
    rows = len(targets)
    usual = constant("majority" if known else "median", output, len(known), targets, rows)
    said = truth.answers if isinstance(output, Numbers | Probabilities) else truth.answers.reshape(rows, 1)
    return beside(usual, output, known, targets, said)


def meaning(members: Mapping[str, Any]) -> Output:
    """What the card says of an output, as training says it."""
    given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in members.items()}
    return KINDS[given.pop("kind")](**given)


def _targets(truth: Truth, output: Output, known: Sequence[str]) -> Array:
    """As the encoder has them: numbers `(n, 1)` or `(n, *dims)`, class numbers `(n,)`."""
    if isinstance(output, Number | Numbers) and are_words(truth):
        word = next(cell for cell in truth.cells if _is_word(cell))
        raise Mistake(
            f"the rows say of {truth.name} {checks.short(word)}, but the model gives numbers: "
            f"probabilities of labels come from a softmax or sigmoid at its end"
        )
    try:
        if isinstance(output, Number):
            return np.asarray([[checks.number(cell, output)] for cell in truth.cells])
        if isinstance(output, Numbers):
            return np.stack([checks.numbers(cell, output) for cell in truth.cells])
    except ValueError as error:
        raise Mistake(f"the truth about {truth.name} {error}") from error
    return _classes(truth, known)


def _classes(truth: Truth, known: Sequence[str]) -> Array:
    number = {label: place for place, label in enumerate(known)}
    strange = sorted(set(truth.texts) - number.keys())
    if not strange:
        return np.asarray([number[text] for text in truth.texts])
    counted = _counted(truth.texts, len(known))
    if counted is None:
        first = ", ".join(strange[: checks.SHOWN])
        raise Mistake(f"the rows say of {truth.name} {first}; its labels are {', '.join(known[: checks.SHOWN])}")
    return np.asarray(counted)


def _counted(texts: Sequence[str], classes: int) -> list[int] | None:
    """Numbers of classes, from 0, if they all are."""
    numbers = {str(place): place for place in range(classes)}
    return [numbers[text] for text in texts] if numbers.keys() >= set(texts) else None


def _shares(answers: Array) -> Array:
    """A column per class; of one probability the second is that, the first what is left."""
    return answers if answers.ndim == 2 and answers.shape[1] > 1 else np.column_stack([1 - answers, answers])


def _text(cell: Any) -> str:
    """A cell as a label.

    >>> _text(" car "), _text(2), _text(2.0), _text("007"), _text(True)
    ('car', '2', '2', '007', '1')
    """
    text = str(int(cell)) if isinstance(cell, bool) else str(cell).strip()
    return re.sub(r"^(\d+)\.0+$", r"\1", text)


def _is_word(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return not isinstance(cell, list)
    return False
