"""Rows scored in chunks, a few of them at once, so that the engine never waits for a file; their order is kept."""

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from service import cores
from service.batching.future import Future
from service.batching.jobs import Answer
from service.errors import EngineFailed, Fault, InvalidInput, NotFinite
from service.handle import ModelHandle
from service.nested import Misfit
from service.predict.columns import Columns
from service.predict.complaints import words
from service.predict.records import Record
from service.predict.values import Reading
from service.schemas import escape
from service.tensors import Row

MOST_ROWS = 256
"""Rows of a chunk: several batches, also where a model's rows are of several kinds."""
MOST_BYTES = 16 * 2**20
"""Bytes of a chunk's tensors, but for axes of any length."""
MOST_THREADS = 8
FOREVER = 1e6
"""Seconds: nobody has set a deadline."""

Given = TypeVar("Given")
Made = TypeVar("Made")


class Scored(NamedTuple):
    """A row's values, and its answer by output; or what is wrong with it."""

    record: Record
    row: dict[str, Any] | None
    answer: dict[str, Any] | None = None
    fault: str = ""


class Scorer:
    """Answers rows with a model: these outputs, of many labels the `top` most probable."""

    def __init__(self, handle: ModelHandle, readings: Mapping[str, Reading], names: Sequence[str], top: int) -> None:
        self._handle = handle
        self._readings = readings
        self._names = names
        self._top = top

    def load(self, row: dict[str, Any]) -> Row:
        """A row of JSON values as arrays; InvalidInput."""
        given = dict(row)
        for name in given.keys() & self._readings.keys():
            try:
                given[name] = self._readings[name].open(given[name])
            except Misfit as misfit:
                raise InvalidInput([Fault(f"/{escape(name)}", str(misfit))]) from None
        return self._handle.rows.load([given], "/{name}")[0]

    def answers(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The answers of rows, as the service gives them; whatever the batcher or the engine says of any."""
        prediction = self._handle.predict(rows, time.monotonic() + FOREVER, wait)
        return prediction.in_order(lambda outputs: self._handle.interpret(outputs, self._names, self._top))

    def score(self, columns: Columns, records: Sequence[Record]) -> list[Scored]:
        """Every row answered, or told what is wrong with it."""
        scored: list[Scored] = []
        good: list[int] = []
        rows: list[Row] = []
        for record in records:
            found, array = self._read(columns, record)
            if array is not None:
                good.append(len(scored))
                rows.append(array)
            scored.append(found)
        for place, (answer, fault) in zip(good, self._each(rows), strict=True):
            scored[place] = scored[place]._replace(answer=answer, fault=fault)
        return scored

    def _read(self, columns: Columns, record: Record) -> tuple[Scored, Row | None]:
        if record.fault:
            return Scored(record, None, fault=record.fault), None
        row = columns.row(record)
        try:
            return Scored(record, row), self.load(row)
        except InvalidInput as error:
            return Scored(record, row, fault=words(error)), None

    def _each(self, rows: Sequence[Row]) -> list[tuple[dict[str, Any] | None, str]]:
        """Answers and faults; where the engine fails, each row is asked alone, and only the culprit has none."""
        try:
            return [(answer, "") for answer in self.answers(rows)] if rows else []
        except (InvalidInput, EngineFailed, NotFinite) as error:
            if len(rows) == 1:
                return [(None, words(error))]
            return [one for row in rows for one in self._each([row])]


def wait(future: "Future[Answer]", _: float) -> Answer:
    """The answer, whenever it comes."""
    return future.result()


def chunk_rows(handle: ModelHandle) -> int:
    """How many rows of a model make a chunk."""
    sizes = (spec.dtype.itemsize * math.prod(size or 1 for size in spec.dims) for spec in handle.signature.specs)
    return max(1, min(MOST_ROWS, MOST_BYTES // max(1, sum(sizes))))


def chunks(records: Iterable[Given], rows: int) -> Generator[list[Given]]:
    """So many at a time.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(records)
    while chunk := list(islice(rest, rows)):
        yield chunk


def at_once(do: Callable[[Given], Made], chunks: Iterable[Given], threads: int = 0) -> Generator[Made]:
    """`do` of every chunk, in their order, a few under way at once; what one raises is raised in its turn.

    >>> list(at_once(str, [1, 2, 3]))
    ['1', '2', '3']
    """
    threads = threads or min(MOST_THREADS, cores.count() + 1)
    pool = ThreadPoolExecutor(threads)
    try:
        under_way: deque[Any] = deque()
        for chunk in chunks:
            under_way.append(pool.submit(do, chunk))
            if len(under_way) > threads + 1:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
