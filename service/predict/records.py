"""A file that rows come from: its text, and what it says of one row."""

import codecs
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import orjson

from service.nested import show
from service.predict.complaints import BadFile

BOM = codecs.BOM_UTF8
BLOCK = 1 << 16


class Record(NamedTuple):
    """A row as the file has it: texts in CSV, any JSON value in JSON; or the fault that keeps it from being one."""

    line: int
    cells: Mapping[str, Any]
    fault: str = ""


class Counted:
    """The text of a file, in lines or blocks, and how many bytes of it have been read."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        self.bytes = 0

    def lines(self) -> Iterator[bytes]:
        """Line by line, without a byte order mark."""
        for line in self._file:
            text = line.removeprefix(BOM) if not self.bytes else line
            self.bytes += len(line)
            yield text

    def texts(self) -> Iterator[str]:
        """The same, decoded; BadFile."""
        for number, line in enumerate(self.lines(), 1):
            try:
                yield line.decode()
            except UnicodeDecodeError:
                raise BadFile(f"{self.name}:{number}: expected text in UTF-8") from None

    def blocks(self) -> Iterator[str]:
        """In blocks, the last of them empty; BadFile."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        more = True
        while more:
            block = self._file.read(BLOCK)
            self.bytes += len(block)
            more = bool(block)
            try:
                text = decoder.decode(block, final=not more)
            except UnicodeDecodeError:
                raise BadFile(f"{self.name}: expected text in UTF-8") from None
            if text or not more:  # a block may end within its only letter
                yield text


def parsed(line: int, text: str | bytes) -> Record:
    """JSON as a row, by the service's own parser."""
    try:
        value = orjson.loads(text)
    except ValueError as error:
        return Record(line, {}, f"this is no JSON: {error}")
    if type(value) is dict:
        return Record(line, value)
    return Record(line, {}, f"expected an object of named inputs, got {show(value)}")
