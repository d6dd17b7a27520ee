"""A bar of the rows done, on a terminal alone; how many they will be is guessed from the bytes that were read."""

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm

from service.predict.records import Counted


class Progress:
    """Rows of a file of `size` bytes, 0 if nobody knows; `quiet` shows nothing."""

    def __init__(self, text: Counted, size: int, *, quiet: bool) -> None:
        self._text = text
        self._size = size
        self.rows = 0
        self.read = 0
        """Rows read so far."""
        self._bar = tqdm(unit=" rows", unit_scale=False, file=sys.stderr, disable=quiet or None, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._bar.total = self.rows
        self._bar.close()

    def add(self, rows: int) -> None:
        """So many more are done."""
        self.rows += rows
        if self._size and self._text.bytes:
            self._bar.total = max(self.read, round(self.read * self._size / self._text.bytes))
        self._bar.update(rows)
