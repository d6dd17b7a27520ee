"""Rows in and out of batches: pure functions over named arrays whose first axis is the row."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.signature import BRAIN

Array = NDArray[Any]
Tensors = Mapping[str, Array]
Row = Mapping[str, Array]
"""One row's arrays, without the batch axis."""
Group = tuple[Sequence[int], Tensors]
"""Rows of one kind, and their positions in the request."""
Ragged = Mapping[str, str]
"""The inputs whose rows may have different lengths in one batch, each with the name of the tensor of those lengths."""
ALIKE: Ragged = MappingProxyType({})
"""No such input: rows of one batch are of one shape."""


def rows(tensors: Tensors) -> int:
    """How many rows; ValueError unless every tensor has the same number.

    >>> rows({"x": np.zeros((3, 2)), "y": np.zeros((3, 5))})
    3
    """
    counts = {len(array) for array in tensors.values()}
    if len(counts) != 1:
        raise ValueError(f"tensors disagree on the number of rows: {sorted(counts)}")
    return counts.pop()


def nbytes(tensors: Tensors) -> int:
    """How many bytes they hold; a string as many as it has letters, and its place.

    >>> nbytes({"x": np.zeros((3, 2), np.int8), "y": np.array(["four", b""], object)})
    26
    """
    size = 0
    for array in tensors.values():
        size += array.nbytes
        if array.dtype.hasobject:
            size += sum(map(len, array.ravel()))
    return size


class Kind(NamedTuple):
    """What rows share that may be in one batch."""

    tensors: tuple[tuple[str, np.dtype[Any], tuple[Any, ...]], ...]
    """Names, dtypes and shapes beyond axis 0; None is a length that may differ."""
    longest: int = 0
    """Steps of all ragged inputs together, at most."""


def kind(tensors: Tensors, ragged: Ragged = ALIKE) -> Kind:
    """What may share a batch: equal names, dtypes and shapes beyond axis 0.

    Ragged inputs may differ in length: as long as all of them together have the same power of two of steps, so that
    little is padded (docs/design.md).

    >>> kind({"x": np.zeros((3, 2))}) == kind({"x": np.zeros((9, 2))})
    True
    >>> kind({"x": np.zeros((3, 2))}) == kind({"x": np.zeros((3, 3))})
    False
    >>> kind({"x": np.zeros((3, 2))}, {"x": "lengths"}) == kind({"x": np.zeros((3, 3))}, {"x": "lengths"})
    True
    """
    if not ragged:
        return Kind(tuple([(name, array.dtype, array.shape[1:]) for name, array in tensors.items()]))
    steps, parts = 0, []
    for name, array in tensors.items():
        if name in ragged and array.shape[1]:  # Without a step, a row has nothing to leave out.
            steps += array.shape[1]
            parts.append((name, array.dtype, (None, *array.shape[2:])))
        elif name not in ragged.values():
            parts.append((name, array.dtype, array.shape[1:]))
    return Kind(tuple(parts), (1 << steps.bit_length()) - 1)


def size(kind: Kind) -> int:
    """How many elements a row of that kind has, in all its tensors; the most it may have, where lengths differ.

    >>> size(kind({"x": np.zeros((9, 2, 3)), "y": np.zeros(9)}))
    7
    >>> size(kind({"x": np.zeros((1, 5, 3))}, {"x": "lengths"}))  # of up to seven steps
    21
    """
    fixed: int = sum(math.prod(shape) for _, _, shape in kind.tensors if None not in shape)
    steps: list[int] = [math.prod(shape[1:]) for _, _, shape in kind.tensors if None in shape]
    return fixed + kind.longest * max(steps, default=0)


def join(parts: Sequence[Tensors], ragged: Ragged = ALIKE) -> Tensors:
    """Tensors of one kind, one after another along axis 0; those of different lengths padded, beside their lengths.

    >>> join([{"x": np.array([1, 2])}, {"x": np.array([3])}])["x"].tolist()
    [1, 2, 3]
    >>> {
    ...     name: array.tolist()
    ...     for name, array in join([{"x": np.ones((1, 2))}, {"x": np.ones((1, 1))}], {"x": "n"}).items()
    ... }
    {'x': [[1.0, 1.0], [1.0, 0.0]], 'n': [2, 1]}
    """
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, Array] = {}
    for name in [name for name in parts[0] if name not in ragged.values()]:
        arrays = [part[name] for part in parts]
        if name in ragged:
            joined |= level(arrays, name, ragged[name], [part.get(ragged[name]) for part in parts])
        else:
            joined[name] = np.concatenate(arrays)
    return joined


def level(arrays: Sequence[Array], name: str, beside: str, lengths: Sequence[Array | None]) -> Tensors:
    """Parts of one ragged input, padded with zeros to the longest, and `beside` them the rows' lengths.

    `lengths` are those of parts that are padded already. If all rows are as long, only the input.
    """
    steps = [array.shape[1] for array in arrays]
    longest = max(steps)
    if min(steps) == longest and all(own is None for own in lengths):
        return {name: np.concatenate(arrays)}
    counts = [len(array) for array in arrays]
    padded = np.zeros((sum(counts), longest, *arrays[0].shape[2:]), arrays[0].dtype)
    each = np.repeat(np.array(steps, np.int32), counts)
    start = 0
    for array, count, step, own in zip(arrays, counts, steps, lengths, strict=True):
        padded[start : start + count, :step] = array
        if own is not None:
            each[start : start + count] = own
        start += count
    return {name: padded, beside: each}


def split(tensors: Tensors, counts: Sequence[int]) -> list[dict[str, Array]]:
    """`join` undone: consecutive slices of `counts` rows each; ValueError unless they add up.

    >>> [part["x"].tolist() for part in split({"x": np.array([1, 2, 3])}, [2, 1])]
    [[1, 2], [3]]
    """
    if rows(tensors) != sum(counts):
        raise ValueError(f"{rows(tensors)} rows cannot be split into {sum(counts)}")
    if len(counts) == 1:
        return [dict(tensors)]
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


def pack(rows: Sequence[Row], most: int, ragged: Ragged = ALIKE) -> list[Group]:
    """Single rows, perhaps of different kinds, as groups of one kind and at most `most` rows, each with its positions.

    >>> [(at, group["x"].shape) for at, group in pack([{"x": np.ones(2)}, {"x": np.ones(3)}, {"x": np.ones(2)}], 8)]
    [([0, 2], (2, 2)), ([1], (1, 3))]
    """
    single = [{name: array[np.newaxis] for name, array in row.items()} for row in rows]
    if len(single) == 1:
        return [([0], single[0])]
    positions: dict[Kind, list[int]] = {}
    for position, row in enumerate(single):
        positions.setdefault(kind(row, ragged), []).append(position)
    return [
        (at, join([single[position] for position in at], ragged))
        for group in positions.values()
        for at in (group[start : start + most] for start in range(0, len(group), most))
    ]


def apart(tensors: Tensors, ragged: Ragged = ALIKE) -> list[Row]:
    """`pack` undone: every row by itself, ragged inputs cut to its own lengths.

    >>> rows = apart({"x": np.array([[1, 2], [3, 0]]), "n": np.array([2, 1])}, {"x": "n"})
    >>> [row["x"].tolist() for row in rows]
    [[1, 2], [3]]
    """
    lengths = {name: tensors[beside] for name, beside in ragged.items() if beside in tensors}
    inputs = {name: array for name, array in tensors.items() if name not in ragged.values()}
    return [
        {name: array[at, : lengths[name][at]] if name in lengths else array[at] for name, array in inputs.items()}
        for at in range(rows(inputs))
    ]


def not_finite(tensors: Tensors) -> list[str]:
    """The names of those that have NaN or an infinity anywhere.

    >>> not_finite({"x": np.array([1, 2.5]), "y": np.array([1, np.nan]), "z": np.array(["a"], object)})
    ['y']
    """
    floats = [(name, array) for name, array in tensors.items() if array.dtype.kind in "fV"]
    return [name for name, array in floats if not np.isfinite(array).all()]


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
