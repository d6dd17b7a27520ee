"""Golden rows: sample inputs and the SavedModel's own answers, which every engine must give before it serves."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from service import tensors
from service.engines.base import Engine
from service.errors import ServiceError
from service.tensors import Array, Kind

GOLDEN = Path("assets.extra/golden.npz")
TOLERANCE = 1e-4
"""Difference allowed, of numbers above 1 relative to them: the bound under which export keeps a twin."""

Group = tuple[dict[str, Array], dict[str, Array]]


class WrongAnswers(ServiceError):
    """The engine does not give the golden answers."""


def read(folder: Path) -> list[Group]:
    """Groups of rows of one kind: (inputs, outputs) by name; [] where the artifact has none."""
    if not (folder / GOLDEN).is_file():
        return []
    with np.load(folder / GOLDEN) as archive:
        groups: dict[int, Group] = {}
        for key in archive.files:
            group, side, name = key.split("/", 2)
            groups.setdefault(int(group), ({}, {}))[side == "outputs"][name] = taken(archive[key])
    return [groups[number] for number in sorted(groups)]


def stored(array: Array) -> Array:
    """An array as .npz keeps it without pickle: strings at one width, and no bfloat16.

    >>> stored(np.array(["café".encode(), "tea"], object)).tolist()
    ['café', 'tea']
    """
    return np.array(tensors.strings(array), np.str_) if array.dtype.kind == "O" else tensors.widened(array)


def taken(array: Array) -> Array:
    """An array as engines take it: strings as Python's own.

    >>> taken(np.array(["one", "two"]))
    array(['one', 'two'], dtype=object)
    """
    return array.astype(object) if array.dtype.kind == "U" else array


def differences(engine: Engine, groups: list[Group]) -> Iterator[tuple[str, float]]:
    """Per group and output, the largest difference of the engine's answer from the golden one."""
    for inputs, outputs in groups:
        known = (*engine.signature.inputs, *(lengths for lengths in engine.ragged.values() if lengths in inputs))
        answers = engine.run({name: inputs[name] for name in known})
        for name, expected in outputs.items():
            yield name, difference(answers[name], expected)


def mixed(engine: Engine, groups: list[Group]) -> list[Group]:
    """Golden rows of different lengths as the batches that the service would make of them."""
    lines: dict[Kind, list[Group]] = {}
    for inputs, outputs in groups:
        given = {name: inputs[name] for name in engine.signature.inputs}
        lines.setdefault(tensors.kind(given, engine.ragged), []).append((given, outputs))
    joined = [
        (
            dict(tensors.join([inputs for inputs, _ in line], engine.ragged)),
            dict(tensors.join([outputs for _, outputs in line])),
        )
        for line in lines.values()
    ]
    return [group for group in joined if any(lengths in group[0] for lengths in engine.ragged.values())]


def difference(actual: Array, expected: Array) -> float:
    """The largest difference, relative to expected numbers above 1 and absolute below: a year has no more digits.

    Infinite between unequal shapes, and between strings that are not equal.
    """
    if actual.shape != expected.shape:
        return float("inf")
    if actual.dtype.kind == "O":
        return 0.0 if tensors.strings(actual) == tensors.strings(expected) else float("inf")
    wanted = expected.astype(np.float64)
    with np.errstate(invalid="ignore"):  # of infinite numbers the difference is none
        off = np.abs(actual.astype(np.float64) - wanted) / np.maximum(1, np.abs(wanted))
    return float(np.max(off, initial=0.0))


def check(engine: Engine, groups: list[Group], tolerance: float = TOLERANCE) -> float:
    """The largest difference of all; WrongAnswers if it is beyond the tolerance, or no number."""
    worst = 0.0
    for name, off in differences(engine, groups):
        if not off <= tolerance:
            raise WrongAnswers(f"{engine.name} is {off:.2g} off the golden answers of {name}; {tolerance:g} is allowed")
        worst = max(worst, off)
    return worst
