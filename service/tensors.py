"""Rows in and out of batches: pure functions over named arrays whose first axis is the row."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.signature import BRAIN

Array = NDArray[Any]
Tensors = Mapping[str, Array]
Row = Mapping[str, Array]
"""One row's arrays, without the batch axis."""
Group = tuple[Sequence[int], Tensors]
"""Rows of one kind, and their positions in the request."""


def rows(tensors: Tensors) -> int:
    """How many rows; ValueError unless every tensor has the same number.

    >>> rows({"x": np.zeros((3, 2)), "y": np.zeros((3, 5))})
    3
    """
    counts = {len(array) for array in tensors.values()}
    if len(counts) != 1:
        raise ValueError(f"tensors disagree on the number of rows: {sorted(counts)}")
    return counts.pop()


def kind(tensors: Tensors) -> Hashable:
    """What may share a batch: equal names, dtypes and shapes beyond axis 0.

    >>> kind({"x": np.zeros((3, 2))}) == kind({"x": np.zeros((9, 2))})
    True
    >>> kind({"x": np.zeros((3, 2))}) == kind({"x": np.zeros((3, 4))})
    False
    """
    return tuple([(name, array.dtype, array.shape[1:]) for name, array in tensors.items()])


def size(kind: Hashable) -> int:
    """How many elements a row of that kind has, in all its tensors.

    >>> size(kind({"x": np.zeros((9, 2, 3)), "y": np.zeros(9)}))
    7
    """
    assert isinstance(kind, tuple)
    return sum(math.prod(shape) for _, _, shape in kind)


def join(parts: Sequence[Tensors]) -> Tensors:
    """Tensors of one kind, one after another along axis 0.

    >>> join([{"x": np.array([1, 2])}, {"x": np.array([3])}])["x"].tolist()
    [1, 2, 3]
    """
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def split(tensors: Tensors, counts: Sequence[int]) -> list[dict[str, Array]]:
    """`join` undone: consecutive slices of `counts` rows each; ValueError unless they add up.

    >>> [part["x"].tolist() for part in split({"x": np.array([1, 2, 3])}, [2, 1])]
    [[1, 2], [3]]
    """
    if rows(tensors) != sum(counts):
        raise ValueError(f"{rows(tensors)} rows cannot be split into {sum(counts)}")
    parts, start = [], 0
    for count in counts:
        parts.append({name: array[start : start + count] for name, array in tensors.items()})
        start += count
    return parts


def cut(tensors: Tensors, most: int) -> list[Group]:
    """Rows of one kind as groups of at most `most` rows, each with its positions; nothing is copied.

    >>> [(list(at), group["x"].tolist()) for at, group in cut({"x": np.array([5, 6, 7])}, 2)]
    [([0, 1], [5, 6]), ([2], [7])]
    """
    count = rows(tensors)
    return [
        (range(start, min(start + most, count)), {name: array[start : start + most] for name, array in tensors.items()})
        for start in range(0, count, most)
    ]


def pack(rows: Sequence[Row], most: int) -> list[Group]:
    """Single rows, perhaps of different kinds, as groups of one kind and at most `most` rows, each with its positions.

    >>> [(at, group["x"].shape) for at, group in pack([{"x": np.ones(2)}, {"x": np.ones(3)}, {"x": np.ones(2)}], 8)]
    [([0, 2], (2, 2)), ([1], (1, 3))]
    """
    if len(rows) == 1:
        return [([0], {name: array[np.newaxis] for name, array in rows[0].items()})]
    positions: dict[Hashable, list[int]] = {}
    for position, row in enumerate(rows):
        same = tuple([(name, array.shape) for name, array in row.items()])
        positions.setdefault(same, []).append(position)
    return [
        (at, {name: np.stack([rows[position][name] for position in at]) for name in rows[at[0]]})
        for group in positions.values()
        for at in (group[start : start + most] for start in range(0, len(group), most))
    ]


def widened(array: Array) -> Array:
    """An array as JSON can write it: bfloat16 as float32, which loses nothing.

    >>> widened(np.ones(2, np.float16)).dtype.name
    'float16'
    """
    return array.astype(np.float32) if array.dtype.kind == "V" and array.dtype.name == BRAIN else array


def strings(array: Array) -> Any:
    """Nested lists of str; engines give strings as UTF-8 bytes, too, and what is none is replaced.

    >>> strings(np.array([[b"a", "b"]], object))
    [['a', 'b']]
    """
    texts = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in array.ravel()]
    return np.array(texts, object).reshape(array.shape).tolist()
