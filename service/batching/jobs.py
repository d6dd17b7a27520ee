"""What waits for an engine: jobs of one kind, in a line, and what its batches may have and cost."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from service.batching.future import Future
from service.tensors import Kind, Tensors


class Terms(NamedTuple):
    """What a kind's batches may have, and cost: rows at most, seconds of a call, and of each row in it."""

    rows: int
    call: float = 0.0
    row: float = 0.0


FindTerms = Callable[[Kind], Terms]


class Answer(NamedTuple):
    """One job's outputs, and what they took: seconds in the queue, rows of the whole batch, seconds in the engine."""

    outputs: Tensors
    queue_seconds: float
    batch_rows: int
    engine_seconds: float


@dataclass(slots=True, eq=False)
class Job:
    """Rows of one kind that wait, and everything needed to answer them."""

    tensors: Tensors
    kind: Kind
    rows: int
    arrived: float
    deadline: float
    future: "Future[Answer]" = field(default_factory=Future)
    size: int = 0
    """Bytes, once it is in a queue."""
    began: float = 0.0
    seconds: float = 0.0
    """When the batch began that it leads, and what was predicted of it."""


class Line:
    """The jobs of one kind, and the seconds their batches take."""

    __slots__ = ("batches", "jobs", "rows", "seconds", "terms")

    def __init__(self, terms: Terms) -> None:
        self.jobs: deque[Job] = deque()
        self.rows = 0
        self.batches = 0
        self.seconds = 0.0
        self.terms = terms

    def first(self, batches: int) -> tuple[float, int]:
        """Seconds of no more than so many batches, and how many they are."""
        if self.batches <= batches:
            return self.seconds, self.batches
        most, call, row = self.terms
        return batches * (call + most * row), batches
