"""What is looked at of a row, by the kind that its card gives an input or output; training and service do it alike.

tokens          words: how many; vocabulary: every word's id, so how rare it is, the words of a row weighing 1 together
text            words and characters: how many
category        label
image           brightness and contrast: mean and standard deviation of its pixels
number, numbers value; up to ten numbers each by itself, of more their mean and spread; of a series its steps as well
probability     probability
probabilities   label: the most probable; confidence: its probability
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Spec = Mapping[str, Any]
"""An input or output as the card describes it."""

DIGITS = 5
"""Significant digits of a number: what a twin rounds otherwise stays in its bin."""
MOST_ALONE = 10
"""So many numbers of a row are looked at each by itself; of more, mean and spread."""


class Seen(NamedTuple):
    """One feature of some rows: values (n,) and their weights (n,); those of one row sum to 1."""

    values: Array
    weights: Array


def measure(spec: Spec, rows: Array, lengths: Array | None = None) -> dict[str, Seen]:
    """The features of rows (n, …) by name; `lengths` (n,) are the rows' own where a series is padded."""
    return KINDS[spec["kind"]](spec, rows, lengths)


def rounded(values: Array) -> Array:
    """To five significant digits.

    >>> rounded(np.array([0.1234567, -1234567.0, 0.0, np.inf])).tolist()
    [0.12346, -1234600.0, 0.0, inf]
    """
    with np.errstate(all="ignore"):
        scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        near: Array = np.round(values * scale) / scale
    return np.where(np.isfinite(near), near, values)


def _one_each(values: Array) -> Seen:
    """A value per row."""
    values = rounded(values.astype(np.float64))
    return Seen(values, np.ones(len(values)))


def _tokens(spec: Spec, rows: Array, _: Array | None) -> dict[str, Seen]:
    is_word = rows != spec["pad_id"]
    words = is_word.sum(axis=1)
    weights = np.repeat(1 / np.maximum(words, 1), words)
    return {"words": _one_each(words), "vocabulary": Seen(rows[is_word].astype(np.float64), weights)}


def _text(_: Spec, rows: Array, __: Array | None) -> dict[str, Seen]:
    texts = _strings(rows)
    counts = {"words": [len(text.split()) for text in texts], "characters": [len(text) for text in texts]}
    return {feature: _one_each(np.array(each)) for feature, each in counts.items()}


def _category(spec: Spec, rows: Array, _: Array | None) -> dict[str, Seen]:
    rows = rows.reshape(len(rows))
    if rows.dtype.kind not in "iu":
        numbers = {label: number for number, label in enumerate(spec["labels"])}
        rows = np.array([numbers.get(label, -1) for label in _strings(rows)])
    return {"label": Seen(rows, np.ones(len(rows)))}


def _strings(rows: Array) -> list[str]:
    """One per row, as text where they are bytes."""
    return [text.decode(errors="replace") if isinstance(text, bytes) else text for text in rows.ravel().tolist()]


def _image(_: Spec, rows: Array, __: Array | None) -> dict[str, Seen]:
    mean, spread = _moments(rows, None)
    return {"brightness": mean, "contrast": spread}


def _numbers(spec: Spec, rows: Array, lengths: Array | None) -> dict[str, Seen]:
    dims = spec.get("dims", [1])
    if None in dims:
        steps = np.full(len(rows), rows.shape[1]) if lengths is None else lengths
        mean, spread = _moments(rows, lengths)
        return {"steps": _one_each(steps), "mean": mean, "spread": spread}
    if prod(dims) > MOST_ALONE:
        mean, spread = _moments(rows, None)
        return {"mean": mean, "spread": spread}
    columns = rows.reshape(len(rows), -1).T
    names = [",".join(map(str, place)) for place in np.ndindex(*dims)] if prod(dims) > 1 else ["value"]
    return {name: _one_each(column) for name, column in zip(names, columns, strict=True)}


def _moments(rows: Array, lengths: Array | None) -> tuple[Seen, Seen]:
    """Mean and standard deviation of every row, over its own steps only."""
    flat = rows.reshape(len(rows), prod(rows.shape[1:])).astype(np.float64)
    within: Any = True if lengths is None else _within(rows, lengths)
    count = flat.shape[1] if lengths is None else within.sum(axis=1)
    with np.errstate(all="ignore"):  # a row without steps has no mean
        mean = flat.sum(axis=1, where=within) / count
        spread = np.sqrt(((flat - mean[:, np.newaxis]) ** 2).sum(axis=1, where=within) / count)
    return _one_each(mean), _one_each(spread)


def _within(rows: Array, lengths: Array) -> Array:
    """Of every number of the rows, flat, whether it lies within the row's length."""
    steps = np.arange(rows.shape[1]) < lengths[:, np.newaxis]
    return np.repeat(steps, prod(rows.shape[2:]), axis=1)


def _probability(_: Spec, rows: Array, __: Array | None) -> dict[str, Seen]:
    return {"probability": _one_each(rows.reshape(len(rows)))}


def _probabilities(_: Spec, rows: Array, __: Array | None) -> dict[str, Seen]:
    rows = rows.reshape(len(rows), -1)
    return {"label": Seen(rows.argmax(axis=1), np.ones(len(rows))), "confidence": _one_each(rows.max(axis=1))}


KINDS: Mapping[str, Callable[[Spec, Array, Array | None], dict[str, Seen]]] = {
    "tokens": _tokens,
    "text": _text,
    "category": _category,
    "image": _image,
    "number": _numbers,
    "numbers": _numbers,
    "probability": _probability,
    "probabilities": _probabilities,
}
