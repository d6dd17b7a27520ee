"""Whole tensors by name, axis 0 the row: cast to what the model takes, in bulk, and cut into groups of rows."""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

import numpy as np

from service import nested, tensors
from service.dialects.oip.binary import MOST_STRINGS, text
from service.errors import Fault, InvalidInput
from service.handle import ModelHandle
from service.nested import NAMES, Misfit, Path, out_of_range, plain, show
from service.schemas import MOST_FAULTS, MOST_POINTER, escape
from service.tensors import Array, Group
from service.wording import MOST_ECHOED, nearest

ACCEPTED = {"f": "fiu", "V": "fiu", "i": "iu", "u": "iu", "b": "b"}
"""The kinds of dtype that may be cast to a kind; V is bfloat16. As in JSON, true is no number and 2.0 no integer."""


def read(handle: ModelHandle, columns: Mapping[str, Array]) -> list[Group]:
    """A client's columns, in whatever dtypes, as the batcher takes them; InvalidInput."""
    faults = list(islice(chain(misnamed(handle, columns), uneven(columns)), MOST_FAULTS))
    if faults:
        raise InvalidInput(faults, handle.rows.example)
    handle.refuse_too_many(tensors.rows(columns))
    undescribed = handle.card.inputs.keys().isdisjoint(columns)
    arrays = whole(handle, columns) if undescribed else fitted(handle, columns, "/{name}")
    return groups(handle, arrays, "/{name}/{row}")


def groups(handle: ModelHandle, columns: Mapping[str, Array], place: str) -> list[Group]:
    """Columns of the model's dtypes as the batcher takes them; InvalidInput.

    Those of inputs on the card, which may be strings, are read row by row, as every dialect does; `place` is the
    pattern of the pointer to a value.
    """
    described = handle.card.inputs.keys()
    if described.isdisjoint(columns):
        return tensors.cut(columns, handle.max_batch_rows)
    values = [listed(array, described=name in described) for name, array in columns.items()]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
    return tensors.pack(handle.rows.load(rows, place), handle.max_batch_rows, handle.engine.ragged)


def misnamed(handle: ModelHandle, columns: Mapping[str, Array]) -> Iterator[Fault]:
    """The inputs that are missing, and those that nobody knows."""
    known = list(handle.signature.inputs)
    for name in known:
        if name not in columns:
            yield Fault(f"/{escape(name)}", f"missing input {name!r}")
    for name in columns:
        if name not in known:
            hint = nearest(name, known, "inputs")
            yield Fault(f"/{escape(name)}"[:MOST_POINTER], f"unknown input {name[:MOST_ECHOED]!r}{hint}")


def uneven(columns: Mapping[str, Array]) -> Iterator[Fault]:
    """The columns without rows, and that there are more of one than of another."""
    for name, array in columns.items():
        if array.size == 0 or array.ndim == 0:
            got = "none" if array.ndim else show(array.item())
            yield Fault(f"/{escape(name)}"[:MOST_POINTER], f"expected an array of rows, got {got}")
    counts = {name: len(array) for name, array in columns.items() if array.ndim}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} of {name[:MOST_ECHOED]}" for name, count in counts.items())
        yield Fault("", f"expected as many rows of every input, got {told}")


def whole(handle: ModelHandle, columns: Mapping[str, Array]) -> dict[str, Array]:
    """Columns in the model's order, of its dtypes and shapes; InvalidInput."""
    arrays = fitted(handle, columns, "/{name}")
    faults = []
    for name, array in arrays.items():
        spec = handle.signature.inputs[name]
        rows = array[:, np.newaxis] if spec.dims == (1,) and array.ndim == 1 else array
        try:
            arrays[name] = nested.to_array(rows, spec.dtype, (len(rows), *spec.dims))
        except Misfit as misfit:
            faults.append(Fault(pointer(f"/{escape(name)}", misfit.path), str(misfit)))
    if faults:
        raise InvalidInput(faults, handle.rows.example)
    return arrays


def fitted(handle: ModelHandle, values: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Values by name in the model's order, arrays among them of its dtypes, all else as it is; InvalidInput.

    `place` is the pattern of the pointer to a value.
    """
    found: dict[str, Any] = {}
    faults = []
    for name, spec in handle.signature.inputs.items():
        if name not in values:
            continue
        try:
            value = values[name]
            described = name in handle.card.inputs
            found[name] = cast(value, spec.dtype, texts=described) if isinstance(value, np.ndarray) else value
        except Misfit as misfit:
            faults.append(Fault(pointer(place.format(name=escape(name)), misfit.path), str(misfit)))
    if faults:
        raise InvalidInput(faults, handle.rows.example)
    return found | {name: value for name, value in values.items() if name not in found}


def cast(array: Array, dtype: np.dtype[Any], *, texts: bool) -> Array:
    """An array in a dtype, if that keeps every value as JSON would; Misfit. With `texts`, strings may stay strings.

    >>> (
    ...     cast(np.array([1.5, 2.0]), np.dtype("float32"), texts=False).dtype,
    ...     cast(np.array(["a"]), np.dtype("i4"), texts=True),
    ... )
    (dtype('float32'), array(['a'], dtype=object))
    """
    if array.dtype.kind in "US":
        array = strings(array)
        if texts or dtype.kind == "O":
            return array
    if array.dtype.kind not in ACCEPTED.get(dtype.kind, ""):
        raise Misfit((0,) * array.ndim, f"expected {NAMES[dtype.kind]}, got {show(plain(array.flat[0]))}")
    if dtype.kind in "iu" and array.dtype != dtype:
        limits = np.iinfo(dtype)
        if array.size and not limits.min <= int(array.min()) <= int(array.max()) <= limits.max:
            raise culprit(array, (array < limits.min) | (array > limits.max), dtype)
    with np.errstate(over="ignore"):  # what overflows is found and named below
        made = array.astype(dtype, copy=False)
    if dtype.kind in "fV" and not np.isfinite(made).all():
        raise culprit(array, ~np.isfinite(made), dtype)
    return made


def culprit(array: Array, wrong: Array, dtype: np.dtype[Any]) -> Misfit:
    """That the first wrong number is beyond the dtype, or none at all."""
    at = int(np.flatnonzero(wrong)[0])
    number = array.flat[at].item()
    message = out_of_range(number, dtype) if np.isfinite(number) else "expected a finite number"
    return Misfit(nested.path(at, array.shape), message)


def strings(array: Array) -> Array:
    """NumPy's strings of one width as Python's own, bytes as text where they are; Misfit of what is no Unicode."""
    if array.size > MOST_STRINGS:
        raise Misfit((), f"expected at most {MOST_STRINGS} strings, got {array.size}")
    if array.dtype.kind == "S":
        texts = [text(element) for element in array.ravel().tolist()]
        made: Array = np.empty(len(texts), object)
        made[:] = texts
        return made.reshape(array.shape)
    points = np.ascontiguousarray(array).view(np.uint32)
    if ((points > 0x10FFFF) | ((points >= 0xD800) & (points < 0xE000))).any():
        raise Misfit((), "expected Unicode text, got code points that are none")
    return array.astype(object)


def listed(array: Array, *, described: bool) -> list[Any]:
    """One value per row: an array, or, of an input on the card, the string that stands for it."""
    if described and array.dtype.kind == "O" and array.size == len(array):
        return list(array.ravel())
    return [array[row, ...] for row in range(len(array))]


def pointer(place: str, path: Path) -> str:
    """The pointer to an element of the value in that place."""
    return "".join([place, *(f"/{index}" for index in path)])
