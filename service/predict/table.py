"""`predict MODEL --file ROWS --out ANSWERS`: every row of a file answered, into another."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from service.handle import ModelHandle
from service.predict import scoring, written
from service.predict.columns import Columns
from service.predict.complaints import BadCommand, BadFile
from service.predict.progress import Progress
from service.predict.records import BOM, Counted, Record
from service.predict.scoring import Scorer
from service.predict.source import READERS
from service.predict.values import Reading, readings
from service.predict.written import FORMS, Form, Wanted

STDIO = "-"
SNIFFED = {b"{": ".jsonl", b"[": ".json"}
"""What the first letter of standard input says of the rest, unless it is CSV."""

Way = TypeVar("Way")


class Files(NamedTuple):
    """Where rows come from, and answers go to; - is standard input or output."""

    rows: str
    answers: str


class Done(NamedTuple):
    """A chunk of rows as it is written, how many they are, and the first that is bad."""

    text: bytes
    rows: int
    bad: int = 0
    line: int = 0
    fault: str = ""


def score(handle: ModelHandle, files: Files, wanted: Wanted, kept: Sequence[str], *, lines: bool) -> int:
    """Answer a file; exit status 0, or 130 after Ctrl-C. BadFile or BadCommand, and no file, unless all could be.

    `lines`: standard output gets JSON lines, whatever the rows are.
    """
    check(files)
    ways = readings(handle, Path() if files.rows == STDIO else Path(files.rows).parent)
    columns = Columns(ways, kept)
    with reading(files.rows) as (text, ending):
        out = ending if files.answers == STDIO else suffix(files.answers)
        form = way(FORMS, ".jsonl" if lines and files.answers == STDIO else out)
        records = READERS[ending](text, columns.check)
        quiet = files.answers == STDIO and sys.stdout.isatty()
        with Progress(text, size(files.rows), quiet=quiet) as bar:
            try:
                bad = write(handle, files, Job(ways, columns, counted(records, bar), form, wanted), bar)
            except KeyboardInterrupt:
                nothing = "" if files.answers == STDIO else "; nothing was written"
                print(f"\nstopped after {bar.rows:,} rows{nothing}", file=sys.stderr)
                return 130
    if bad:
        print(f"{bad:,} of {bar.rows:,} rows are bad: the column error says why", file=sys.stderr)
    return 0


class Job(NamedTuple):
    """Rows, and how what is wanted of them is written."""

    ways: Mapping[str, Reading]
    columns: Columns
    records: Iterator[Record]
    form: Callable[[ModelHandle, Columns, Wanted], Form]
    wanted: Wanted


def write(handle: ModelHandle, files: Files, job: Job, bar: Progress) -> int:
    """Answer every row and write it; how many are bad."""
    scorer = Scorer(handle, job.ways, job.wanted.outputs, job.wanted.top)
    chunks = scoring.chunks(job.records, scoring.chunk_rows(handle))
    first = next(chunks, [])  # the header has been read then, and is right
    form = job.form(handle, job.columns, job.wanted)

    def do(records: Sequence[Record]) -> Done:
        scored = scorer.score(job.columns, records)
        wrong = [one for one in scored if one.fault]
        told = (wrong[0].record.line, wrong[0].fault) if wrong else (0, "")
        return Done(form.between.join(form.row(one) for one in scored), len(scored), len(wrong), *told)

    bad, between = 0, b""
    with writing(files.answers) as file, contextlib.closing(scoring.at_once(do, after(first, chunks))) as done:
        file.write(form.head)
        for part in done:
            if part.fault and not job.wanted.errors:
                raise BadFile(f"{shown(files.rows)}:{part.line}: {part.fault} (--skip-bad goes on)")
            file.write(between + part.text)
            between = form.between
            bad += part.bad
            bar.add(part.rows)
        file.write(form.tail)
    return bad


def after(first: list[Record], rest: Iterator[list[Record]]) -> Iterator[list[Record]]:
    """A chunk before others, unless it is empty."""
    if first:
        yield first
        yield from rest


def counted(records: Iterator[Record], bar: Progress) -> Iterator[Record]:
    """The records, counted as they are read."""
    for record in records:
        bar.read += 1
        yield record


def check(files: Files) -> None:
    """BadCommand of names that mean no rows, or the rows themselves."""
    if files.rows != STDIO:
        way(READERS, suffix(files.rows))
    if files.answers != STDIO:
        way(FORMS, suffix(files.answers))
        with contextlib.suppress(OSError):
            if os.path.samefile(files.rows, files.answers):  # noqa: PTH121 - the one call that asks both
                raise BadCommand(f"{files.answers} holds the rows: the answers need another file")


def suffix(name: str) -> str:
    """The ending of a file's name."""
    return Path(name).suffix.lower()


def way(ways: Mapping[str, Way], ending: str) -> Way:
    """How a file of that ending is read or written; BadCommand."""
    if ending not in ways:
        known = ", ".join(ways)
        raise BadCommand(f"expected a file whose name ends in {known}, got {ending or 'no ending'}")
    return ways[ending]


def size(name: str) -> int:
    """A file's bytes, 0 where nobody knows."""
    path = Path(name)
    return path.stat().st_size if name != STDIO and path.is_file() else 0


def shown(name: str) -> str:
    """A file in a message."""
    return "standard input" if name == STDIO else name


@contextlib.contextmanager
def reading(name: str) -> Iterator[tuple[Counted, str]]:
    """The text of a file, and its ending; BadFile."""
    if name == STDIO:
        stdin: Any = sys.stdin.buffer
        start = stdin.peek(1).removeprefix(BOM).lstrip()[:1]
        yield Counted(stdin, shown(name)), SNIFFED.get(start, ".csv")
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - what is raised below is not about opening it
    except OSError as error:
        raise BadFile(f"{name} cannot be read: {error.strerror}") from None
    with file:
        yield Counted(file, name), suffix(name)


@contextlib.contextmanager
def writing(name: str) -> Iterator[BinaryIO]:
    """A file for answers; BadFile."""
    if name != STDIO:
        with written.opened(Path(name)) as file:
            yield file
        return
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
