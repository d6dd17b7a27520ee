"""Rows out of a file, one after another, each with the line on which it begins: CSV, JSON lines, or a JSON array."""

import csv
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from json import JSONDecodeError, JSONDecoder

from service.predict.complaints import BadFile
from service.predict.records import Counted, Record, parsed

QUOTED = re.compile(r'"[^"]*"')
BETWEEN = re.compile(r"[\s,]*")
NEAR = 12
"""Characters before the end of what is read in which JSON may only have been cut: no name or number of it is whole."""
LARGEST_CELL = 1 << 28


Header = Callable[[list[str]], None]
"""Looks at the columns of a table before its rows are read; BadFile."""


def table(text: Counted, header: Header) -> Iterator[Record]:
    """The rows of CSV (RFC 4180, with commas, tabs or semicolons) under a header."""
    csv.field_size_limit(min(LARGEST_CELL, sys.maxsize))
    lines = text.texts()
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=delimiter(first), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if not names:
            raise BadFile(f"{text.name}: expected a header of the inputs' names, got an empty file")
        look(header, names, text.name)
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                yield record(line, names, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadFile(f"{text.name}:{reader.line_num}: this is no CSV: {error}") from None


def delimiter(line: str) -> str:
    """What stands between the cells of a table: what its first line has most of, outside of quotes.

    >>> delimiter("text,numbers"), delimiter('text;"a,b,c"'), delimiter("text")
    (',', ';', ',')
    """
    return max(",\t;", key=QUOTED.sub("", line).count)


def look(header: Header, names: list[str], name: str) -> None:
    """Show the header of the file of that name."""
    try:
        header(names)
    except BadFile as error:
        raise BadFile(f"{name}:1: {error}") from None


def record(line: int, names: list[str], cells: list[str]) -> Record:
    """A row's cells by their columns; one of too many or too few is a fault.

    >>> record(3, ["a", "b"], ["1"])
    Record(line=3, cells={'a': '1'}, fault='expected 2 cells, got 1')
    """
    fault = f"expected {len(names)} cells, got {len(cells)}" if len(cells) != len(names) else ""
    return Record(line, dict(zip(names, cells, strict=False)), fault)


def json_lines(text: Counted, _: Header) -> Iterator[Record]:
    """The objects of JSON lines."""
    for number, line in enumerate(text.lines(), 1):
        if not line.isspace():
            yield parsed(number, line)


class Elements:
    """The objects of a JSON array, or of JSON values one after another, never all in memory; BadFile."""

    def __init__(self, text: Counted) -> None:
        self._text = text
        self._decode = JSONDecoder(parse_constant=str).raw_decode
        self._rest = ""
        self._line = 1
        self._opened = self._closed = False

    def __iter__(self) -> Iterator[Record]:
        enough = 0
        for block in self._text.blocks():
            self._rest += block
            if not block or len(self._rest) >= enough:
                yield from self._whole(last=not block)
                enough = 2 * len(self._rest)
        if self._opened and not self._closed:
            raise self._broken("it breaks off")

    def _whole(self, *, last: bool) -> Iterator[Record]:
        """The elements that are read to their end; what is left begins with the next."""
        at = self._begin(0)
        while at < len(self._rest) and (end := self._end(at, last=last)):
            yield parsed(self._line, self._rest[at:end])
            self._line += self._rest.count("\n", at, end)
            at = self._begin(end)
        self._rest = self._rest[at:]

    def _begin(self, at: int) -> int:
        """Where the next element begins, behind commas and the brackets of the array."""
        found = BETWEEN.match(self._rest, at)
        begin = found.end() if found else at
        self._line += self._rest.count("\n", at, begin)
        letter = self._rest[begin : begin + 1]
        if letter and self._closed:
            raise self._broken("more follows its end")
        if (letter == "[" and not self._opened) or (letter == "]" and self._opened):
            self._opened, self._closed = True, letter == "]"
            return self._begin(begin + 1)
        return begin

    def _end(self, at: int, *, last: bool) -> int:
        """Where an element ends; 0 if that is still to be read."""
        try:
            value, end = self._decode(self._rest, at)
        except RecursionError:
            raise self._broken("it is nested too deep") from None
        except JSONDecodeError as error:
            if not last and (error.msg.startswith("Unterminated") or error.pos >= len(self._rest) - NEAR):
                return 0
            self._line += self._rest.count("\n", at, error.pos)
            raise self._broken(error.msg) from None
        return 0 if not last and end == len(self._rest) and type(value) is not dict else end

    def _broken(self, why: str) -> BadFile:
        return BadFile(f"{self._text.name}:{self._line}: this is no JSON: {why}")


def json_array(text: Counted, _: Header) -> Iterator[Record]:
    """The objects of a JSON array."""
    yield from Elements(text)


READERS: Mapping[str, Callable[[Counted, Header], Iterator[Record]]] = {
    ".csv": table,
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".json": json_array,
}
"""By the ending of a file's name."""
