"""Columns of a table: which inputs they hold, and what the answers are called."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from service.outputs import JSON, NumberOutput, NumbersOutput, Output, ProbabilitiesOutput, ProbabilityOutput
from service.predict.complaints import BadFile
from service.predict.records import Record
from service.predict.values import Reading
from service.wording import nearest

Parts = str | list[Any]
"""A column, or those of an input's parts."""


class Columns:
    """Reads rows of a model's inputs; `kept` columns are none, and only go along."""

    def __init__(self, readings: Mapping[str, Reading], kept: Sequence[str] = ()) -> None:
        self._readings = readings
        self._kept = kept
        self._parts: dict[str, Parts] | None = None
        self.names = [*kept, *readings]
        """The columns that a file has, in its order."""

    def check(self, names: list[str]) -> None:
        """Take the header of a table; BadFile names every column that is too many or lacks."""
        self.names = names
        parts = {name: split(name, frozenset(names)) for name in self._readings}
        known = {*self._kept, *(column for one in parts.values() for column in leaves(one))}
        faults = [f"the column {name!r} stands twice" for name in sorted(set(names)) if names.count(name) > 1]
        for name in dict.fromkeys(names):
            if not name:
                faults.append("a column has no name (pandas writes its index so, unless told index=False)")
            elif name not in known:
                hint = nearest(name, list(self._readings), "inputs")
                faults.append(f"no input is called {name!r}{hint} (--keep {name} takes it along)")
        lacking = [name for name, one in parts.items() if not one]
        lacking += [name for name in self._kept if name not in names]
        faults += [f"there is no column {name!r}" for name in lacking]
        if faults:
            raise BadFile("; ".join(faults))
        self._parts = parts

    def row(self, record: Record) -> dict[str, Any]:
        """A row's JSON values by input, files not opened yet."""
        if self._parts is None:
            return {name: value for name, value in record.cells.items() if name not in self._kept}
        return {name: gathered(self._readings[name], parts, record.cells) for name, parts in self._parts.items()}

    def kept(self, record: Record) -> dict[str, Any]:
        """What of a row only goes along."""
        return {name: record.cells.get(name) for name in self._kept}


def split(name: str, columns: Collection[str]) -> Parts:
    """The column that holds an input, or those that hold its parts, name.0, name.1, …, themselves split; [] for none.

    >>> split("x", ["x.1", "x.0", "y"]), split("y", ["x.0", "y"]), split("z", ["z.0.0", "z.1.0"])
    (['x.0', 'x.1'], 'y', [['z.0.0'], ['z.1.0']])
    """
    if name in columns:
        return name
    found: list[Any] = []
    if not any(column.startswith(f"{name}.") for column in columns):
        return found
    while part := split(f"{name}.{len(found)}", columns):
        found.append(part)
    return found


def leaves(parts: Parts) -> list[str]:
    """All columns of an input."""
    return [parts] if isinstance(parts, str) else [column for part in parts for column in leaves(part)]


def gathered(reading: Reading, parts: Parts, cells: Mapping[str, Any]) -> Any:
    """The JSON value of an input, out of its cells."""
    if isinstance(parts, str):
        return reading.parse(cells[parts])
    element = reading.part
    return [gathered(element, part, cells) for part in parts]


def titles(output: Output, top: int) -> list[str]:
    """The parts of an output's answer, each a column: the first has the output's name, the others theirs behind it."""
    match output:
        case NumberOutput(unit=unit):
            return ["value", *(["unit"] if unit else [])]
        case NumbersOutput(unit=unit):
            return ["values", *(["unit"] if unit else [])]
        case ProbabilityOutput():
            return ["label", "probability"]
        case ProbabilitiesOutput():
            return ["label", "probability", *(["top"] if top else [])]
    return [""]


def headed(name: str, parts: Iterable[str]) -> list[str]:
    """The columns of an output.

    >>> headed("age", ["value", "unit"])
    ['age', 'age.unit']
    """
    return [f"{name}.{part}" if at else name for at, part in enumerate(parts)]


def cell(value: Any) -> str:
    """A value in a table: text as it is, numbers as short as they are exact, all else JSON.

    >>> cell("a"), cell(np.float32(0.1)), cell([1, 2]), cell(None)
    ('a', '0.1', '[1,2]', '')
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return str(value)
    return orjson.dumps(value, option=JSON).decode()
