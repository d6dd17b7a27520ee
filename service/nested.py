"""Nested JSON lists to arrays, in bulk: a few C-speed passes per level, Python per element only to name a culprit."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from service.signature import Shape
from service.tensors import Array

Path = tuple[int, ...]

FLOAT = {int, float}
ALLOWED: dict[str, set[type]] = {"f": FLOAT, "V": FLOAT, "i": {int}, "u": {int}, "b": {bool}, "O": {str, bytes}}
"""JSON types by the kind of NumPy dtype; V is bfloat16. `bool` is not `int` here: true is no number."""

NAMES = {
    "f": "a number",
    "V": "a number",
    "i": "an integer",
    "u": "an integer",
    "b": "true or false",
    "O": "a string",
}


NUMBERS = {"f": "iuf", "i": "iu", "u": "iu"}
"""The kinds of dtype that may be cast to a kind where no value is lost."""

EXACT = 2**53 - 1
"""The largest integer that a float stands for alone."""


class Misfit(ValueError):
    """The value does not fit; `path` leads to the culprit, index by index."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def to_array(value: Any, dtype: np.dtype[Any], dims: Shape) -> Array:
    """A value nested `len(dims)` deep as an array of that shape (None fits any size but 0); raises Misfit.

    Integers are never wrapped, and may be written as 2.0; fractions are never cut, true and false are no numbers, and
    numbers beyond the dtype's range are refused. An array that fits is taken as it is, or cast where that loses
    nothing.

    >>> to_array([[1, 2], [3, 4]], np.dtype("float32"), (None, 2)).shape
    (2, 2)
    """
    if isinstance(value, np.ndarray):
        array = cast(value, dtype) if agrees(value.shape, dims) else None
        if array is not None:
            return array
        value = value.tolist()
    flat, shape = flatten(value, dims)
    types = set(map(type, flat))
    kind = dtype.kind
    if kind in "iu" and float in types:
        flat = [int(x) if is_whole(x) else x for x in flat]
        types = set(map(type, flat))
    if not types <= ALLOWED[kind]:
        at = first(flat, lambda x: type(x) not in ALLOWED[kind])
        raise Misfit(path(at, shape), f"expected {NAMES[kind]}, got {show(flat[at])}")
    try:
        array = floats(flat, dtype) if kind in "fV" else np.array(flat, dtype)
    except OverflowError:
        at = first(flat, lambda x: not fits(x, dtype))
        raise Misfit(path(at, shape), out_of_range(flat[at], dtype)) from None
    if kind in "fV":
        finite = np.isfinite(array)
        if np.count_nonzero(finite) < len(flat):
            at = int(np.flatnonzero(~finite)[0])
            raise Misfit(path(at, shape), out_of_range(flat[at], dtype))
    return array if len(shape) == 1 else array.reshape(shape)


def floats(flat: list[Any], dtype: np.dtype[Any]) -> Array:
    """Numbers as an array of a float dtype, infinite where they are beyond it; OverflowError beyond every float."""
    wide = np.dtype(np.float64) if dtype.kind == "V" else dtype  # of large integers bfloat16 takes none itself
    with np.errstate(over="ignore"):
        return np.array(flat, wide).astype(dtype, copy=False)


def is_whole(value: Any) -> bool:
    """Whether a number written as 2.0 means the integer 2, and no other that a float of its size may stand for.

    >>> is_whole(2.0), is_whole(2.5), is_whole(2.0**60)
    (True, False, False)
    """
    return type(value) is float and value.is_integer() and abs(value) <= EXACT


def cast(array: Array, dtype: np.dtype[Any]) -> Array | None:
    """Numbers as another dtype: integers exactly, floats to the nearest finite; None where that cannot be."""
    if castable(array.dtype, dtype):
        return array.astype(dtype, copy=False)
    if array.dtype.kind not in NUMBERS.get(dtype.kind, ""):
        return None
    with np.errstate(over="ignore"):
        other = array.astype(dtype)
    fine = np.isfinite(other) if dtype.kind == "f" else other == array
    return other if np.count_nonzero(fine) == array.size else None


def castable(given: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    """Whether a cast loses nothing, and makes no number of true and false."""
    return np.can_cast(given, wanted) and (given.kind == "b") is (wanted.kind == "b")


def agrees(shape: Sequence[int], dims: Shape) -> bool:
    """Whether a shape has these sizes, None of any but 0.

    >>> agrees((2, 3), (None, 3)), agrees((2, 3), (3,)), agrees((0, 3), (None, 3))
    (True, False, False)
    """
    return (
        len(shape) == len(dims)
        and 0 not in shape
        and all(wanted in (None, size) for size, wanted in zip(shape, dims, strict=True))
    )


def flatten(value: Any, dims: Shape) -> tuple[list[Any], list[int]]:
    """All elements of a rectangular nesting, and its shape; Misfit where it is ragged, shallow or of another size."""
    if len(dims) == 1 and type(value) is list and value and dims[0] in (None, len(value)):
        return value, [len(value)]
    flat: list[Any] = [value]
    shape: list[int] = []
    for size in dims:
        if set(map(type, flat)) != {list}:
            at = first(flat, lambda x: type(x) is not list)
            raise Misfit(path(at, shape), f"expected {a_list(dims[len(shape) :])}, got {show(flat[at])}")
        wanted = size if size is not None else len(flat[0])
        if set(map(len, flat)) != {wanted} or wanted == 0:
            at = first(flat, partial(is_not_of_size, wanted=wanted))
            expected = wanted or "at least 1"
            raise Misfit(path(at, shape), f"expected {expected} elements, got {len(flat[at])}")
        shape.append(wanted)
        flat = list(chain.from_iterable(flat))
    return flat, shape


def is_not_of_size(element: list[Any], wanted: int) -> bool:
    """Whether a list has another size than wanted; none may be empty."""
    return len(element) != wanted or wanted == 0


def first(flat: Sequence[Any], wrong: Callable[[Any], bool]) -> int:
    """Position of the first culprit; only asked where there is one."""
    return next(at for at, element in enumerate(flat) if wrong(element))


def path(at: int, shape: Sequence[int]) -> Path:
    """The indices of the flat position `at` in a nesting of `shape`.

    >>> path(5, [2, 3])
    (1, 2)
    """
    return tuple(int(index) for index in np.unravel_index(at, tuple(shape))) if shape else ()


def limits(dtype: np.dtype[Any]) -> Any:
    """The least and the largest number of a dtype, as `min` and `max`."""
    if dtype.kind == "V":
        from ml_dtypes import finfo  # there, since its dtype is

        return finfo(dtype)  # type: ignore[no-untyped-call]
    return np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)


def fits(number: int, dtype: np.dtype[Any]) -> bool:
    """Whether an integer is in the dtype's range."""
    bounds, exact = limits(dtype), float if dtype.kind in "fV" else int
    return exact(bounds.min) <= number <= exact(bounds.max)


def out_of_range(number: Any, dtype: np.dtype[Any]) -> str:
    """That a number is beyond the dtype."""
    bounds = limits(dtype)
    return f"expected {dtype.name} from {bounds.min} to {bounds.max}, got {show(number)}"


def expectation(dtype: np.dtype[Any], dims: Shape) -> str:
    """What a whole value should be, in a message.

    >>> expectation(np.dtype("int32"), ()), expectation(np.dtype("int32"), (3,))
    ('an integer', 'a list of 3')
    """
    return a_list(dims) if dims else NAMES[dtype.kind]


def a_list(dims: Shape) -> str:
    """How a nesting of these sizes is called in a message.

    >>> a_list((None, 128)), a_list((28, 28))
    ('a list of lists of 128', 'a list of 28 lists of 28')
    """
    text = "a list"
    for axis, size in enumerate(dims):
        if axis:
            text += " lists" if dims[axis - 1] else " of lists"
        text += f" of {size}" if size else ""
    return text


def show(value: Any) -> str:
    """A value in a message: short, and named by its JSON type where it is long."""
    if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, bytes):
        return "bytes"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value) if not isinstance(value, str) else f'the string "{value}"'
    return text if len(text) <= 60 else text[:57] + "…"


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's own; all else as it is."""
    return value.item() if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 else value
