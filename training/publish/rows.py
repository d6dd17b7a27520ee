"""Rows that the model is tried on: a person's own, or, where none are given, numbers made up by chance."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.nested import to_array
from service.signature import Signature, TensorSpec
from training.encode import Rows
from training.formats import checks, files
from training.mistakes import Mistake
from training.task import Image

MOST = 2_000
"""Of a file, evenly over all."""
MADE, STEPS = 40, (8, 12, 16)
"""Made-up rows; how long an axis of any length is in them."""

Array = NDArray[Any]


def read(file: Path, signature: Signature) -> Rows:
    """Rows of a file; DataMistake names every fault in them.

    Its targets are the cells, as they stand there, of columns named as an output; None where there is nothing.
    """
    records = files.records(file, list(signature.inputs))
    fields: dict[str, Callable[[Any], Any]] = {
        name: partial(field, spec=spec, folder=file.parent) for name, spec in signature.inputs.items()
    }
    columns = {name for _, record in records if not isinstance(record, str) for name in record}
    told = [name for name in signature.outputs if name in columns and name not in fields]
    table = files.table(file, records[:: -(-len(records) // MOST)], fields | dict.fromkeys(told, cell))
    targets = {name: np.fromiter(table[name], dtype=object, count=len(table[name])) for name in told}
    return Rows({name: table[name] for name in fields}, targets)


def cell(value: Any) -> Any:
    """What stands there; None for nothing, a list for one in JSON.

    >>> cell("[1, 2]"), cell("[sic]"), cell(" "), cell(2.0)
    ([1, 2], '[sic]', None, 2.0)
    """
    if checks.absent(value):
        return None
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return checks.listed(value)


def field(value: Any, spec: TensorSpec, folder: Path) -> Array:
    """One value as the model takes it; ValueError says what is wrong."""
    if checks.absent(value):
        raise ValueError("is empty" if isinstance(value, str) else "is missing")
    if is_picture(spec):
        height, width, *colours = (size or 0 for size in spec.dims)
        return checks.image(value, Image("", height, width, 3 if colours else 1), folder)
    single = all(size == 1 for size in spec.dims)
    if isinstance(value, str) and not (single and spec.dtype.kind == "O"):
        value = _json(value)
    elif not isinstance(value, str):
        value = checks.listed(value)
    if single and not isinstance(value, list):
        for _ in spec.dims:
            value = [value]
    return to_array(value, spec.dtype, spec.dims)


def is_picture(spec: TensorSpec) -> bool:
    """Whether a row is pixels: bytes of a known height and width, grey or in three colours.

    >>> [is_picture(TensorSpec("x", np.dtype("uint8"), (None, *dims))) for dims in ((28, 28), (9, 9, 3), (9, 9, 4))]
    [True, True, False]
    """
    return spec.dtype == np.uint8 and None not in spec.dims and (len(spec.dims) == 2 or spec.dims[2:] == (3,))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        hint = "; a picture is for an input of dtype uint8" if Path(text).suffix.lower() in checks.PICTURES else ""
        raise ValueError(f"is {checks.short(text)}, not numbers{hint}") from None


def made_up(signature: Signature) -> Rows:
    """Rows by chance, the same every time; Mistake where an input is text."""
    texts = [name for name, spec in signature.inputs.items() if spec.dtype.kind == "O"]
    if texts:
        raise Mistake(f"{', '.join(texts)}: text cannot be made up; give --rows FILE with a column for every input")
    random = np.random.default_rng(0)
    columns: dict[str, list[Array]] = {name: [] for name in signature.inputs}
    for place in range(MADE):
        for name, spec in signature.inputs.items():
            columns[name].append(_value(spec, STEPS[place % len(STEPS)], random))
    return Rows(columns, {})


def _value(spec: TensorSpec, steps: int, random: np.random.Generator) -> Array:
    """Numbers around 0, any pixels; of other whole numbers 0 and 1, which every list of words has."""
    dims = [size or steps for size in spec.dims]
    if spec.dtype.kind in "fV":
        return random.normal(size=dims).astype(spec.dtype)
    return random.integers(256 if is_picture(spec) else 2, size=dims).astype(spec.dtype)
