"""One served version: its signature, card, engine and batcher, and the way of one request through them."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from service import tensors
from service.batching.batcher import Batcher
from service.batching.future import Future
from service.batching.jobs import Answer, Job
from service.card import Card, CategoryInput, TokensInput
from service.drift.watched import Watched
from service.engines.base import Engine
from service.errors import Fault, InvalidInput
from service.schemas import Rows
from service.signature import Signature
from service.tensors import Array, Group, Row
from service.versions.shadow import Shadow

Wait = Callable[["Future[Answer]", float], Answer]
"""The future's answer, or its exception; DeadlineExceeded after so many seconds, and the future is cancelled."""


class Label(NamedTuple):
    """Who a request is counted for."""

    model: str = ""
    version: str = ""


@dataclass(frozen=True)
class Prediction:
    """The outputs of a request's rows, group by group of one kind, and what they took."""

    groups: Sequence[tuple[Sequence[int], tensors.Tensors]]
    """Positions of the rows in the request, and their outputs, each (rows, …)."""
    rows: int
    answers: Sequence[Answer]
    made: float = field(default_factory=time.perf_counter)
    """When its outputs were there, a second of time.perf_counter()."""

    def in_order(self, of_group: Callable[[tensors.Tensors], Iterable[Any]]) -> list[Any]:
        """`of_group` makes one JSON value per row of a group; all values, in the request's order."""
        if len(self.groups) == 1:
            return list(of_group(wide(self.groups[0][1])))
        values: list[Any] = [None] * self.rows
        for positions, outputs in self.groups:
            for position, value in zip(positions, of_group(wide(outputs)), strict=True):
                values[position] = value
        return values


def wide(outputs: tensors.Tensors) -> tensors.Tensors:
    """Outputs as JSON can write them."""
    return {name: tensors.widened(array) for name, array in outputs.items()}


@dataclass(frozen=True)
class ModelHandle:
    """A model version that is ready to answer."""

    model: str
    version: int
    card: Card
    engine: Engine
    batcher: Batcher
    rows: Rows
    max_batch_rows: int
    max_queue_rows: int
    load_seconds: float = 0.0
    """What it took until it could be served."""
    shadow: Shadow = field(default_factory=Shadow, compare=False)
    watched: Watched | None = field(default=None, compare=False)
    """What looks for drift; None where nobody does."""

    @cached_property
    def label(self) -> Label:
        """Model and version, as metrics and headers have them."""
        return Label(self.model, str(self.version))

    @cached_property
    def string_depths(self) -> Mapping[str, int]:
        """The inputs that may be strings, and how many lists deep these are."""
        described = self.card.inputs
        return {
            name: 0 if isinstance(described.get(name), TokensInput) else len(spec.dims)
            for name, spec in self.signature.inputs.items()
            if spec.dtype.kind == "O" or isinstance(described.get(name), TokensInput | CategoryInput)
        }

    @property
    def signature(self) -> Signature:
        """Names, dtypes and shapes."""
        return self.engine.signature

    @property
    def trouble(self) -> str:
        """Why it does not answer now: its engine hangs, or has gone; "" if it does."""
        return self.batcher.hung or self.engine.absent()

    def refuse_too_many(self, rows: int) -> None:
        """InvalidInput if a request has more rows than could ever wait."""
        if rows > self.max_queue_rows:
            detail = f"expected at most {self.max_queue_rows} rows in one request, got {rows}"
            raise InvalidInput([Fault("", detail)], self.rows.example)

    def predict(self, rows: Sequence[Row], deadline: float, wait: Wait) -> Prediction:
        """Queue the rows, wait for all of them; raises what the batcher or the engine says of any.

        `deadline` is a time.monotonic() second.
        """
        return self.predict_groups(tensors.pack(rows, self.max_batch_rows, self.engine.ragged), deadline, wait)

    def predict_groups(self, groups: Sequence[Group], deadline: float, wait: Wait) -> Prediction:
        """The same for rows that stand in groups already, as `tensors.pack` and `tensors.cut` make them."""
        arrived = time.monotonic()
        ragged = self.engine.ragged
        groups = [part for group in groups for part in self.batches(group)]
        jobs = [Job(inputs, tensors.kind(inputs, ragged), len(at), arrived, deadline) for at, inputs in groups]
        self.batcher.submit(jobs)
        try:
            answers = [wait(job.future, deadline - time.monotonic()) for job in jobs]
        except BaseException:
            for job in jobs:
                job.future.cancel()
            raise
        if self.shadow.target is not None:
            self.shadow.offer(self, groups, answers)
        if self.watched is not None and self.watched.wants:
            self.watched.take(groups, answers)
        parts = [(at, answer.outputs) for (at, _), answer in zip(groups, answers, strict=True)]
        return Prediction(parts, sum(len(at) for at, _ in groups), answers)

    def batches(self, group: Group) -> Sequence[Group]:
        """A group as groups of no more rows than a batch of its kind should have."""
        at, inputs = group
        if len(at) == 1:
            return [group]
        parts = tensors.cut(inputs, self.batcher.limit(tensors.kind(inputs, self.engine.ragged)))
        return [([at[place] for place in places], part) for places, part in parts]

    def interpret(self, outputs: tensors.Tensors, names: Sequence[str], top: int) -> list[dict[str, Any]]:
        """The rows of one group as the card reads them, in JSON values and NumPy numbers."""
        columns = [self.card.output(name).interpret(outputs[name], top) for name in names]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def close(self) -> None:
        """Answer what was accepted, then let go of the engine."""
        self.shadow.close()
        if self.watched is not None:
            self.watched.close()
        self.batcher.close()
        self.engine.close()


def example(card: Card, signature: Signature) -> Mapping[str, Any]:
    """A row that works: the card's own, else zeros of the right shape."""
    return {
        name: card.inputs[name].example if name in card.inputs else zeros(spec.dtype, () if spec.single else spec.dims)
        for name, spec in signature.inputs.items()
    }


def zeros(dtype: np.dtype[Any], dims: Sequence[int | None]) -> Any:
    """Nested lists of nothing, unknown sizes taken as 2.

    >>> zeros(np.dtype("int32"), (None, 1))
    [[0], [0]]
    """
    empty: Array = np.full([size or 2 for size in dims], "" if dtype.kind == "O" else 0, dtype)
    return empty.tolist()
