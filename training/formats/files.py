"""Rows from a person's own file: CSV, JSONL or Parquet with one column per named input and output.

In a column of numbers stands a JSON list, in one of pictures a path from the file's folder, base64, or nested numbers.

    file ─ read ─▶ records with their line ─ check ─▶ Table ─ split ─▶ 64 % train, 16 % validation, 20 % test

Every fault is collected before anything is said, so that one look is enough to mend the file. Other columns are
ignored.
"""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from training.encode import length, select
from training.formats import checks
from training.mistakes import DataMistake
from training.task import Splits, Table, Task
from training.words import split as words

Record = tuple[str, Mapping[str, Any] | str]
"""Where it stands ("line 7"), and its fields or, if it has none, what is wrong with it."""

SHARES = (0.64, 0.16)  # Training and validation; the rest, a fifth, is the test.
FEWEST = 10


def load(file: Path, task: Task, seed: int) -> Splits:
    """Read, check and split a file; DataMistake names every fault."""
    return split(read(file, task), list(task.inputs), seed, file.name)


def read(file: Path, task: Task) -> Table:
    """The columns the task names; DataMistake for a missing column, bad rows by line, an empty or unknown file."""
    specs = {**task.inputs, **task.outputs}
    fields = {name: partial(checks.field, spec=spec, folder=file.parent) for name, spec in specs.items()}
    return table(file, records(file, list(specs)), fields)


def table(file: Path, found: Sequence[Record], fields: Mapping[str, Callable[[Any], Any]]) -> Table:
    """The columns of these records, each value as its field makes it; DataMistake for bad rows, by line."""
    columns: Table = {name: [] for name in fields}
    problems: list[str] = []
    for where, record in found:
        values, faults = ({}, [record]) if isinstance(record, str) else checks.row(record, fields)
        problems += [f"{where}: {fault}" for fault in faults]
        for name in columns if not faults else ():
            columns[name].append(values[name])
    if problems:
        raise DataMistake(file.name, problems)
    return columns


def split(table: Table, inputs: list[str], seed: int, name: str) -> Splits:
    """Random parts of 64, 16 and 20 % by seed; rows with the same inputs, in any order, stay together.

    DataMistake if fewer than ten rows differ. `name` is the file's, for the message.
    """
    groups: dict[tuple[bytes, ...], list[int]] = {}
    for row in range(length(table)):
        groups.setdefault(tuple(sorted(_same(table[column][row]) for column in inputs)), []).append(row)
    if len(groups) < FEWEST:
        raise DataMistake(name, [f"only {len(groups)} rows have different inputs; at least {FEWEST} are needed"])
    # By groups and not by rows: so none of the three parts can be empty, however often one row is repeated.
    bounds = np.cumsum(SHARES) * len(groups)
    members = list(groups.values())
    parts: list[list[int]] = [[], [], []]
    for place, group in enumerate(np.random.default_rng(seed).permutation(len(groups))):
        parts[int(np.searchsorted(bounds, place, side="right"))] += members[group]
    return Splits(*(select(table, sorted(part)) for part in parts))


def _same(value: Any) -> bytes:
    """Equal for equal values; for texts, of the same words."""
    return " ".join(words(value)).encode() if isinstance(value, str) else np.asarray(value).tobytes()


def records(file: Path, names: list[str]) -> list[Record]:
    """Every row as it stands there; DataMistake for a missing column, an empty or unknown file."""
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise DataMistake(file.name, [f"unknown kind of file; its name must end in {', '.join(READERS)}"])
    try:
        found = reader(file)
    except OSError as error:
        raise DataMistake(str(file), [f"cannot be read: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise DataMistake(file.name, [f"is not UTF-8: {error.reason} at byte {error.start}"]) from error
    if not found:
        raise DataMistake(file.name, ["holds no rows"])
    columns = list(dict.fromkeys(str(key) for _, record in found if not isinstance(record, str) for key in record))
    missing = [name for name in names if name not in columns]
    if missing and columns:
        raise DataMistake(file.name, [f"no column {', '.join(missing)}; it has {', '.join(columns)}"])
    return found


def _csv(file: Path) -> list[Record]:
    """A record is named by its first line, for a quoted field may hold line breaks."""
    records: list[Record] = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            header = next(reader, [])
            before = reader.line_num
            for fields in reader:
                if fields:
                    fault = f"has {len(fields)} fields, the header has {len(header)}"
                    record = dict(zip(header, fields, strict=True)) if len(fields) == len(header) else fault
                    records.append((f"line {before + 1}", record))
                before = reader.line_num
        except csv.Error as error:
            records.append((f"line {reader.line_num}", f"is not CSV: {error}"))
    return records


def _jsonl(file: Path) -> list[Record]:
    records: list[Record] = []
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                records.append((f"line {number}", _object(line)))
    return records


def _object(line: str) -> dict[str, Any] | str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    return record if isinstance(record, dict) else "is not a JSON object"


def _parquet(file: Path) -> list[Record]:
    import pandas as pd

    try:
        frame = pd.read_parquet(file)
    except (ValueError, TypeError) as error:
        raise DataMistake(file.name, [f"is not a Parquet file: {str(error).splitlines()[0]}"]) from error
    columns = {str(name): frame[name].tolist() for name in frame.columns}
    return [
        (f"row {place + 1}", {name: values[place] for name, values in columns.items()}) for place in range(len(frame))
    ]


READERS: dict[str, Callable[[Path], list[Record]]] = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
