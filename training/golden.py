"""Sample rows with the answers they must get: real held-out rows, grouped by shape so that none is padded.

golden.npz   0/inputs/text (1, 37)   0/inputs/question (1, 4)   0/outputs/answer (1, 23)     one row
             1/inputs/text (4, 12)   …                                                       rows of equal shape
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.golden import difference as apart
from service.golden import stored
from training.encode import Array, Rows

Tensors = dict[str, NDArray[Any]]
Run = Callable[[Mapping[str, NDArray[Any]]], Tensors]

ROWS, GROUP_ROWS = 40, 4
MOST_BYTES = 2_000_000  # Of all the rows' inputs, so that asking them stays quick where a row is a picture.
CROWD = 32  # A batch as a busy server makes it.


@dataclass(frozen=True)
class Group:
    """Rows of one shape: their places in the test table, their inputs, and the SavedModel's outputs."""

    places: Sequence[int]
    inputs: Mapping[str, Array]
    outputs: Mapping[str, NDArray[Any]]


def choose(rows: Rows) -> list[list[int]]:
    """Places of about 40 rows in groups of equal shape, short and long alike; the first group is a single row."""
    by_shape: dict[tuple[tuple[int, ...], ...], list[int]] = defaultdict(list)
    for place in range(len(rows)):
        by_shape[tuple(column[place].shape for column in rows.inputs.values())].append(place)
    shapes = sorted(by_shape, key=lambda shape: (sum(map(prod, shape)), shape))
    wanted = min(ROWS, MOST_BYTES // sum(column[0].nbytes for column in rows.inputs.values()))
    first = by_shape[shapes[len(shapes) // 2]].pop(0)
    groups = [
        by_shape[shape][start : start + GROUP_ROWS]
        for shape in shapes
        for start in range(0, min(len(by_shape[shape]), -(-wanted // len(shapes))), GROUP_ROWS)
    ]
    groups = [group for group in groups if group]
    # Groups of several rows first: they show what a batch does to a row. Then evenly over the lengths.
    several = [group for group in groups if len(group) > 1] or groups
    count = min(len(several), max(1, (wanted - 1) // GROUP_ROWS))
    picked = sorted({round(float(place)) for place in np.linspace(0, len(several) - 1, count)}) if several else []
    return [[first], *(several[number] for number in picked)]


def answer(rows: Rows, run: Run) -> list[Group]:
    """The chosen rows and what `run` answers."""
    groups = []
    for places in choose(rows):
        inputs = {name: np.stack([column[place] for place in places]) for name, column in rows.inputs.items()}
        groups.append(Group(places, inputs, run(inputs)))
    return groups


def save(groups: Sequence[Group], path: Path) -> None:
    """Write golden.npz, in which nothing is pickled."""
    arrays: dict[str, Any] = {}
    for number, group in enumerate(groups):
        arrays |= {f"{number}/inputs/{name}": stored(tensor) for name, tensor in group.inputs.items()}
        arrays |= {f"{number}/outputs/{name}": stored(tensor) for name, tensor in group.outputs.items()}
    np.savez(path, **arrays)


def difference(expected: Mapping[str, NDArray[Any]], actual: Mapping[str, NDArray[Any]]) -> float:
    """The largest difference over all outputs, of numbers above 1 relative to them; infinite where one is no number."""
    worst = float(np.max([apart(actual[name], array) for name, array in expected.items()]))
    return worst if np.isfinite(worst) else float("inf")


def batch_difference(groups: Sequence[Group], run: Run) -> float:
    """How far a row's answer moves when it is asked alone, or in a crowd of its shape, instead of in its group."""
    worst = 0.0
    for group in groups:
        count = len(group.places)
        crowd = run({name: np.resize(tensor, (CROWD, *tensor.shape[1:])) for name, tensor in group.inputs.items()})
        for row in range(count):
            alone = run({name: tensor[row : row + 1] for name, tensor in group.inputs.items()})
            own = {name: tensor[row : row + 1] for name, tensor in group.outputs.items()}
            crowded = {name: tensor[row::count] for name, tensor in crowd.items()}
            each = {name: np.repeat(tensor, len(crowded[name]), axis=0) for name, tensor in own.items()}
            worst = max(worst, difference(own, alone), difference(each, crowded))
    return worst
