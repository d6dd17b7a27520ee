"""Rows that the model is tried on: a person's own, or, where none are given, numbers made up by chance."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.card import ImageInput
from service.nested import to_array
from service.signature import Signature, TensorSpec
from training.encode import Rows
from training.formats import checks, files
from training.mistakes import Mistake
from training.publish.pictures import any_pixels, decoded

MOST = 2_000
"""Of a file; which of them chance says, for rows may stand in turns."""
MADE, STEPS = 40, (8, 12, 16)
"""Made-up rows; how long an axis of any length is in them."""

Array = NDArray[Any]


Pictures = Mapping[str, ImageInput]
"""Which inputs are pictures, and how they are taken."""


def read(file: Path, signature: Signature, pictures: Pictures) -> Rows:
    """Rows of a file; DataMistake names every fault in them.

    Its targets are the cells, as they stand there, of columns named as an output; None where there is nothing.
    """
    records = files.records(file, list(signature.inputs))
    fields: dict[str, Callable[[Any], Any]] = {
        name: partial(field, spec=spec, picture=pictures.get(name), folder=file.parent)
        for name, spec in signature.inputs.items()
    }
    columns = dict.fromkeys(name for _, record in records if not isinstance(record, str) for name in record)
    told = [name for name in signature.outputs if name in columns and name not in fields]
    left_out = [str(name) for name in columns if name not in fields and name not in told]
    if left_out:
        print(f"  left out, for no input or output is called so: {', '.join(left_out)}")
    table = files.table(file, some(records), fields | dict.fromkeys(told, cell))
    targets = {name: np.fromiter(table[name], dtype=object, count=len(table[name])) for name in told}
    return Rows({name: table[name] for name in fields}, targets)


def some(records: Sequence[files.Record]) -> list[files.Record]:
    """At most so many of them, in their order, the same every time."""
    places = np.random.default_rng(0).permutation(len(records))[:MOST]
    return [records[place] for place in np.sort(places)]


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


def field(value: Any, spec: TensorSpec, picture: ImageInput | None, folder: Path) -> Array:
    """One value as the model takes it; ValueError says what is wrong."""
    if checks.absent(value):
        raise ValueError("is empty" if isinstance(value, str) else "is missing")
    if picture and isinstance(value, str) and not value.lstrip().startswith("["):
        return decoded(value, spec, picture, folder)
    single = all(size == 1 for size in spec.dims)
    if isinstance(value, str) and not (single and spec.dtype.kind == "O"):
        value = _json(value)
    elif not isinstance(value, str):
        value = checks.listed(value)
    if single and not isinstance(value, list):
        for _ in spec.dims:
            value = [value]
    return to_array(value, spec.dtype, spec.dims)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        picture = Path(text).suffix.lower() in checks.PICTURES
        hint = '; if it takes pictures, say so on a card: "kind": "image", "range": [0, 1]' if picture else ""
        raise ValueError(f"is {checks.short(text)}, not numbers{hint}") from None


def made_up(signature: Signature, pictures: Pictures) -> Rows:
    """Rows by chance, the same every time; Mistake where an input is text."""
    texts = [name for name, spec in signature.inputs.items() if spec.dtype.kind == "O"]
    if texts:
        raise Mistake(f"{', '.join(texts)}: text cannot be made up; give --rows FILE with a column for every input")
    random = np.random.default_rng(0)
    columns: dict[str, list[Array]] = {name: [] for name in signature.inputs}
    for place in range(MADE):
        for name, spec in signature.inputs.items():
            picture = pictures.get(name)
            value = any_pixels(spec, picture, random) if picture else _value(spec, STEPS[place % len(STEPS)], random)
            columns[name].append(value)
    return Rows(columns, {})


def _value(spec: TensorSpec, steps: int, random: np.random.Generator) -> Array:
    """Numbers around 0; of whole ones 0 and 1, which every list of words has."""
    dims = [size or steps for size in spec.dims]
    if spec.dtype.kind in "fV":
        return random.normal(size=dims).astype(spec.dtype)
    return random.integers(2, size=dims).astype(spec.dtype)
