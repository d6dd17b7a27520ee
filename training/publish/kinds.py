"""The card of a model of which nobody has said anything: kinds from dtypes, shapes, last layers, rows and answers.

What a person's own card says wins, member by member; a kind it names has that kind's members.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.card import ImageInput, shown
from service.signature import TensorSpec
from training.mistakes import Mistake
from training.publish import truths
from training.publish.pictures import encoded
from training.publish.truths import Truth

Array = NDArray[Any]
Members = dict[str, Any]
Known = list[str] | int | ImageInput | None
"""Of an input: its strings, how many ids there are, how it takes pictures."""
Draft = Callable[[TensorSpec, Sequence[Array], Any], Members]
"""From a tensor, its rows, and what is known: an input's labels, an output's activation."""

MOST_STEPS = 1_000
"""Of an axis of any length, or as many as a row has that is longer."""
SUM = 1e-3
"""How far probabilities of a row may be from 1 in all."""


def of_input(spec: TensorSpec, column: Sequence[Array], known: Known, said: Members) -> Members | None:
    """What the card says of an input; None where no kind fits."""
    kind = said.get("kind") or input_kind(spec, known)
    if kind is None:
        return None
    return _drafted(INPUTS, kind, spec, column, said.get("labels", known)) | said


def input_kind(spec: TensorSpec, known: Known) -> str | None:
    """The kind that shows an input best."""
    if isinstance(known, ImageInput):
        return "image"
    if spec.dtype.kind == "O":
        return None if not spec.single else "category" if known else "text"
    return "numbers" if spec.dtype.kind in "fiu" else None


def of_output(
    spec: TensorSpec, answers: Sequence[Array], activation: str | None, truth: Truth | None, said: Members
) -> Members | None:
    """What the card says of an output; None where no kind fits. Its activation, and what is true, may be known."""
    kind = said.get("kind") or output_kind(spec, answers, activation, words=bool(truth and truths.are_words(truth)))
    if kind is None:
        return None
    drafted = _drafted(OUTPUTS, kind, spec, answers, activation)
    labels = truths.labels(truth) if truth and "labels" in drafted and "labels" not in said else None
    return drafted | ({"labels": labels} if labels else {}) | said


def output_kind(spec: TensorSpec, answers: Sequence[Array], activation: str | None, *, words: bool) -> str | None:
    """The kind that shows an output best: its activation tells, else its answers, and whether its truth is `words`."""
    if spec.dtype.kind not in "fiuV":
        return None
    if spec.single:
        share = activation == "sigmoid" or (words and are_within(answers))
        return "probability" if share else "number"
    shares = activation == "softmax" or are_shares(answers)
    return "probabilities" if shares and len(spec.dims) == 1 else "numbers"


def are_shares(answers: Sequence[Array]) -> bool:
    """Whether every row's numbers are positive and sum to 1.

    >>> are_shares([np.array([[0.25, 0.75]])]), are_shares([np.array([[1.5, -0.5]])]), are_shares([np.ones((2, 1, 1))])
    (True, False, False)
    """
    return all(
        rows.ndim == 2 and (rows >= 0).all() and np.allclose(rows.sum(axis=1, dtype=float), 1, atol=SUM)
        for rows in answers
    )


def are_within(answers: Sequence[Array]) -> bool:
    """Whether every number may be a probability."""
    return all(((rows >= 0) & (rows <= 1)).all() for rows in answers)


def titled(name: str) -> str:
    """A name as a title.

    >>> titled("years_old"), titled("_")
    ('Years old', '_')
    """
    words = " ".join(name.replace("_", " ").split())
    return words[:1].upper() + words[1:] or name


def _drafted(drafts: Mapping[str, Draft], kind: str, spec: TensorSpec, rows: Sequence[Array], known: Any) -> Members:
    """The members of a kind; Mistake where the tensor cannot be of that."""
    try:
        return {"kind": kind, "title": titled(spec.name), **drafts.get(str(kind), _nothing)(spec, rows, known)}
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        raise Mistake(f"{spec.name} cannot be of the kind {kind}: it is {spec.type} {shown(spec.dims)}") from error


def _nothing(spec: TensorSpec, rows: Sequence[Array], _: Any) -> Members:
    return {}


def _text(spec: TensorSpec, column: Sequence[Array], _: Any) -> Members:
    return {"dims": list(spec.dims), "example": _string(column[0])}


def _category(spec: TensorSpec, column: Sequence[Array], known: list[str] | int | None) -> Members:
    values = [value.item() for value in column]
    if spec.dtype.kind == "O":
        labels = known if isinstance(known, list) else sorted(set(values))
    else:
        labels = known if isinstance(known, list) else [str(number) for number in range(known or max(values) + 1)]
        values = [labels[value] for value in values]
    return {"dims": list(spec.dims), "labels": labels, "example": next(filter(labels.__contains__, values), labels[0])}


def _string(value: Array) -> str:
    return str(value.item())


def _numbers(spec: TensorSpec, column: Sequence[Array], ids: int | None) -> Members:
    longest = max((len(value) for value in column), default=0) if spec.dims else 0
    # Numbers as short as their dtype allows: 0.1, and not 0.10000000149011612.
    first = column[0].ravel()[0] if spec.single else column[0]
    example = orjson.loads(orjson.dumps(first, option=orjson.OPT_SERIALIZE_NUMPY))
    bounds = {"minimum": 0, "maximum": ids - 1} if ids else {}
    return {**_quantities(spec), **bounds, "max_length": max(MOST_STEPS, longest), "example": example}


def _image(_: TensorSpec, column: Sequence[Array], picture: ImageInput) -> Members:
    size = {"height": picture.height, "width": picture.width, "channels": picture.channels}
    ends = {"range": list(picture.range)} if picture.range else {}
    return size | ends | {"example": encoded(column[0], picture)}


def _quantities(spec: TensorSpec) -> Members:
    return {"dims": list(spec.dims), "unit": None, "minimum": None, "maximum": None}


def _number(spec: TensorSpec, _: Sequence[Array], activation: str | None) -> Members:
    return {"unit": None, "minimum": None, "maximum": None}


def _numbers_said(spec: TensorSpec, _: Sequence[Array], activation: str | None) -> Members:
    return _quantities(spec) | ({"minimum": 0, "maximum": 1} if activation in ("sigmoid", "softmax") else {})


def _probability(spec: TensorSpec, _: Sequence[Array], activation: str | None) -> Members:
    return {"labels": ["0", "1"], "threshold": 0.5}


def _probabilities(spec: TensorSpec, answers: Sequence[Array], activation: str | None) -> Members:
    classes = answers[0].shape[-1]
    return {"labels": [str(number) for number in range(classes)], "threshold": 0.0, "otherwise": None}


INPUTS: Mapping[str, Draft] = {"text": _text, "category": _category, "numbers": _numbers, "image": _image}
OUTPUTS: Mapping[str, Draft] = {
    "number": _number,
    "numbers": _numbers_said,
    "probability": _probability,
    "probabilities": _probabilities,
}
