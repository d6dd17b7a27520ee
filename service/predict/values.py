"""A text of a command line, or a cell of a table, as the JSON value that a model's input takes.

A text stays one, all else is JSON, or several numbers side by side; pictures and series may be the names of files. The
console reads the cells of a table in the same way (service/console/assets/rows/cells.js).
"""

import csv
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from service import files
from service.card import CategoryInput, ImageInput, Input, TokensInput
from service.handle import ModelHandle
from service.nested import Misfit
from service.signature import TensorSpec
from service.tensors import Array

PICTURES = (".png", ".jpg", ".jpeg")
SERIES = (".npy", ".csv")
BETWEEN = re.compile(r"[\s,;]+")
"""What stands between several numbers in one text."""
TRUTHS = {"true": True, "1": True, "false": False, "0": False}
LONGEST_NAME = 250
"""Characters of a file's name; base64 has more."""


class Reading(NamedTuple):
    """How the texts of one input are read; files are named from `folder`."""

    spec: TensorSpec
    meaning: Input | None
    folder: Path = Path()

    def parse(self, text: str) -> Any:
        """The JSON value that a text stands for; what it cannot be is left as it is, for the field to refuse."""
        match self.meaning:
            case TokensInput() | ImageInput():
                return listed(text, text)
            case CategoryInput(labels=labels):
                return text if text in labels else number(text)
        if self.spec.dtype.kind == "O":
            return text if self.spec.single else listed(text, [text])
        one = truth if self.spec.dtype.kind == "b" else json
        return listed(text, one(text) if self.spec.single else several(text, one))

    @property
    def part(self) -> "Reading":
        """How one element is read that has a text of its own."""
        return Reading(self.spec.element, None)

    def open(self, value: Any) -> Any:
        """The value, or what lies in the file that it names; Misfit."""
        if type(value) is not str:
            return value
        if isinstance(self.meaning, ImageInput):
            return self._picture(value)
        if self.spec.dtype.kind != "O" and self.spec.dims and value.lower().endswith(SERIES):
            return series(self.folder / value, len(self.spec.dims))
        return value

    def _picture(self, text: str) -> Any:
        path = self.folder / text if len(text) <= LONGEST_NAME else self.folder
        named = text.lower().endswith(PICTURES)
        with suppress(OSError, ValueError):
            named = named or path.is_file()
        return read(path) if named else text


def readings(handle: ModelHandle, folder: Path = Path()) -> Mapping[str, Reading]:
    """Of every input of a model."""
    return {name: Reading(spec, handle.card.inputs.get(name), folder) for name, spec in handle.signature.inputs.items()}


def json(text: str) -> Any:
    """A text as JSON, or itself where it is none.

    >>> json("[1, 2.5]"), json("half")
    ([1, 2.5], 'half')
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def listed(text: str, otherwise: Any) -> Any:
    """A text as a list in JSON; `otherwise` where it is none.

    >>> listed("[1, 2]", "?"), listed("[UNK] cat", "?")
    ([1, 2], '?')
    """
    found = json(text) if text.lstrip().startswith("[") else None
    return found if isinstance(found, list) else otherwise


def several(text: str, one: Callable[[str], Any]) -> Any:
    """Numbers side by side as a list, or the text.

    >>> several("1 2; 3.5", json), several("walk.npy", json)
    ([1, 2, 3.5], 'walk.npy')
    """
    found = [one(part) for part in BETWEEN.split(text.strip())]
    return found if all(isinstance(each, int | float) for each in found) else text


def truth(text: str) -> Any:
    """True or false, or the text."""
    return TRUTHS.get(text.strip().lower(), text)


def number(text: str) -> Any:
    """A whole number, or the text.

    >>> number("3"), number("3.5")
    (3, '3.5')
    """
    return int(text) if text.isdecimal() else text


def read(path: Path) -> bytes:
    """A file's bytes; Misfit."""
    try:
        return files.read(path)
    except (OSError, ValueError) as error:
        raise Misfit((), f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def series(path: Path, axes: int) -> Array:
    """The numbers of a .npy or .csv file; a table of one column or row is a plain list where a row has one axis."""
    try:
        found: Array = np.load(path, allow_pickle=False) if path.suffix.lower() == ".npy" else table(path)
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise Misfit((), f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return found.ravel() if axes == 1 and found.ndim == 2 and 1 in found.shape else found


def table(path: Path) -> Array:
    """The numbers of a CSV file, one list a line, a header left out; ValueError."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.reader(file) if line]
    if lines and not is_number(lines[0][0]):
        del lines[0]
    if len({len(line) for line in lines}) != 1:
        raise ValueError("its lines are of different lengths" if lines else "it has no numbers")
    return np.array([[float(cell) for cell in line] for line in lines])


def is_number(text: str) -> bool:
    """Whether a cell is one.

    >>> is_number(" 1e-3"), is_number("x")
    (True, False)
    """
    with suppress(ValueError):
        float(text)
        return True
    return False
