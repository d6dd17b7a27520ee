"""Answers into a file: CSV, JSON lines or a JSON array, whole or not at all."""

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from service import files
from service.handle import ModelHandle
from service.outputs import JSON
from service.predict.columns import Columns, cell, headed, titles
from service.predict.complaints import BadFile
from service.predict.scoring import Scored


class Wanted(NamedTuple):
    """What is written of each row: these outputs; the row itself unless `alone`; its `errors`, where it has any."""

    outputs: Sequence[str]
    top: int = 0
    alone: bool = False
    errors: bool = False


class Form(NamedTuple):
    """How rows are written: what stands before them, between two and behind them, and each by itself."""

    head: bytes
    between: bytes
    tail: bytes
    row: Callable[[Scored], bytes]


def table(handle: ModelHandle, columns: Columns, wanted: Wanted) -> Form:
    """CSV under a header (RFC 4180, lines end with a line feed)."""
    inputs = [] if wanted.alone else columns.names
    outputs = {name: titles(handle.card.output(name), wanted.top) for name in wanted.outputs}
    answers = [column for name, parts in outputs.items() for column in headed(name, parts)]
    header = [*inputs, *(free(name, inputs) for name in [*answers, *(["error"] if wanted.errors else [])])]

    def row(scored: Scored) -> bytes:
        cells = [cell(scored.record.cells.get(name)) for name in inputs]
        for name, parts in outputs.items():
            value = scored.answer[name] if scored.answer else None
            cells += [cell(value.get(part) if part and value else value) for part in parts]
        return line([*cells, scored.fault] if wanted.errors else cells)

    return Form(line(header), b"", b"", row)


def json_lines(_: ModelHandle, columns: Columns, wanted: Wanted) -> Form:
    """An object a line: the row, and beside it the answer as the service gives it."""

    def row(scored: Scored) -> bytes:
        return dump(document(scored, columns, wanted)) + b"\n"

    return Form(b"", b"", b"", row)


def json_array(_: ModelHandle, columns: Columns, wanted: Wanted) -> Form:
    """The same objects in an array."""
    return Form(b"[\n", b",\n", b"\n]\n", lambda scored: dump(document(scored, columns, wanted)))


FORMS: Mapping[str, Callable[[ModelHandle, Columns, Wanted], Form]] = {
    ".csv": table,
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".json": json_array,
}
"""By the ending of a file's name."""


def document(scored: Scored, columns: Columns, wanted: Wanted) -> dict[str, Any]:
    """A row and its answer as one object."""
    row: dict[str, Any] = {}
    if not wanted.alone:
        row = {**columns.kept(scored.record), **(scored.record.cells if scored.row is None else scored.row)}
    answer = {free(name, row): value for name, value in (scored.answer or {}).items()}
    return {**row, **answer, **({free("error", row): scored.fault or None} if wanted.errors else {})}


def free(name: str, taken: Any) -> str:
    """The name, or another where an input is called so; as the console has it (assets/rows/results.js).

    >>> free("age", ["text"]), free("age", ["age"])
    ('age', 'answer.age')
    """
    return f"answer.{name}" if name in taken else name


def line(cells: Sequence[str]) -> bytes:
    """A line of CSV.

    >>> line(["a", "b,c"]).decode().strip()
    'a,"b,c"'
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def dump(value: Any) -> bytes:
    """JSON as the service writes it; of integers that it could not read, too."""
    try:
        return orjson.dumps(value, option=JSON)
    except TypeError:
        return json.dumps(value, default=str).encode()


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its place at the end, and is not there if anything is raised; a pipe or device as it is.

    BadFile where it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            with files.replacing(path.resolve()) as file:
                yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadFile(f"{path} cannot be written: {error.strerror or error}") from None
