"""What is true of the rows, where their file has a column named as an output: labels learnt from it, figures told.

cells ─ labels ─▶ the card's ─ targets ─▶ judged beside a constant ─▶ figures, pictures
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
DOUBT = 0.1
"""How much of an answer is put down to chance: so no single row says all."""
ENOUGH = 1.9
"""How many times the spread of what the rows say, so that it is clear: as two of each do that are all sure."""


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

    Together they fit the answers best, where a class counts by how much more the model says it than of all rows. One
    that no row has keeps its number. Mistake where two classes might as well change places.
    """
    shares = _shares(truth.answers)
    classes, known = shares.shape[1], sorted(set(truth.texts))
    if len(known) > classes:
        raise Mistake(
            f"the rows have {len(known)} labels of {truth.name}, {_listed(known)}; the model tells {classes} apart"
        )
    places = _places(shares, truth.texts, known)
    if _counted(truth.texts, classes) is not None:
        _refuse_miscounted(truth.name, places)
        return None
    if not places:
        raise Mistake(
            f"the answers to these rows do not tell which class of {truth.name} is {_listed(known)}; "
            f"give more rows of each, or --card FILE with its labels in their order"
        )
    named = {place: label for label, place in places.items()}
    return [named.get(place, str(place)) for place in range(classes)]


def _refuse_miscounted(name: str, places: Mapping[str, int]) -> None:
    """Mistake if numbers of classes are clearly not those of the model."""
    for label, place in places.items():
        if label != str(place):
            raise Mistake(
                f"the rows say {label} of {name} where the model says its class {place}, counted from 0; "
                f"if that is its label, give --card FILE with all labels in their order"
            )


def _places(shares: Array, texts: Sequence[str], known: Sequence[str]) -> dict[str, int]:
    """The class of every label; {} where that is not clear."""
    said = _lifts(shares)
    groups = [said[[text == label for text in texts]] for label in known]
    _, places = linear_sum_assignment([group.sum(axis=0) for group in groups], maximize=True)
    return dict(zip(known, places.tolist(), strict=True)) if _clear(groups, places) else {}


def _lifts(shares: Array) -> Array:
    """How much more each row says each class than all rows do, as logarithms."""
    more = shares / np.maximum(shares.mean(axis=0), np.finfo(float).tiny)
    more /= np.maximum(more.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    lifts: Array = np.log((1 - DOUBT) * more + DOUBT / shares.shape[1])
    return lifts


def _clear(groups: Sequence[Array], places: Array) -> bool:
    """Whether the rows of each label speak for its class, and against that any other changes places with it."""
    classes = groups[0].shape[1]
    ahead, spread = np.zeros((2, classes, classes))
    for rows, place in zip(groups, places, strict=True):
        gaps = rows[:, [place]] - rows
        ahead[place], spread[place] = gaps.sum(axis=0), (gaps**2).sum(axis=0)
    clear = ahead + ahead.T > ENOUGH * np.sqrt(spread + spread.T)
    np.fill_diagonal(clear, val=True)
    return bool(clear[places].all())


def _listed(known: Sequence[str]) -> str:
    return ", ".join(known[: checks.SHOWN])


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
        raise _no_classes(truth, word)
    if isinstance(output, Numbers) and not isinstance(truth.cells[0], list) and truth.answers[0].size > 1:
        raise _no_classes(truth, truth.cells[0])
    try:
        if isinstance(output, Number):
            return np.asarray([[checks.number(cell, output)] for cell in truth.cells])
        if isinstance(output, Numbers):
            return np.stack([checks.numbers(cell, output) for cell in truth.cells])
    except ValueError as error:
        raise Mistake(f"the truth about {truth.name} {error}") from error
    return _classes(truth, known)


def _no_classes(truth: Truth, cell: Any) -> Mistake:
    return Mistake(
        f"the rows say of {truth.name} {checks.short(cell)}, but the model gives numbers: "
        f"probabilities of labels come from a softmax or sigmoid at its end (docs/own.md adds one)"
    )


def _classes(truth: Truth, known: Sequence[str]) -> Array:
    number = {label: place for place, label in enumerate(known)}
    strange = sorted(set(truth.texts) - number.keys())
    if not strange:
        return np.asarray([number[text] for text in truth.texts])
    counted = _counted(truth.texts, len(known))
    if counted is None:
        raise Mistake(f"the rows say of {truth.name} {_listed(strange)}; its labels are {_listed(known)}")
    return np.asarray(counted)


def _counted(texts: Sequence[str], classes: int) -> list[int] | None:
    """Numbers of classes, from 0, if they all are."""
    numbers = {str(place): place for place in range(classes)}
    return [numbers[text] for text in texts] if numbers.keys() >= set(texts) else None


def _shares(answers: Array) -> Array:
    """A column per class; of one probability the second is that, the first what is left."""
    return answers if answers.ndim == 2 and answers.shape[1] > 1 else np.column_stack([1 - answers, answers])


def _text(cell: Any) -> str:
    """A cell as a label; of a list with one 1 among zeros its place.

    >>> _text(" car "), _text(-2.0), _text("007"), _text(True), _text([0, 0.0, 1]), _text([4])
    ('car', '-2', '007', '1', '2', '4')
    """
    if isinstance(cell, list):
        if len(cell) == 1:
            return _text(cell[0])
        if cell.count(1) == 1 and cell.count(0) == len(cell) - 1:
            return str(cell.index(1))
    text = str(int(cell)) if isinstance(cell, bool) else str(cell).strip()
    return re.sub(r"^(-?\d+)\.0+$", r"\1", text)


def _is_word(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return not isinstance(cell, list)
    return False
