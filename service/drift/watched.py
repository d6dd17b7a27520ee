"""A served version, some of whose requests are looked at once they are answered, beside everything else."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from service.batching.jobs import Answer
from service.drift.counts import Counts
from service.drift.reference import Reference
from service.tensors import ALIKE, Array, Group, Ragged, Tensors

LOG = logging.getLogger("manifold.drift")

MOST_ROWS = 64
"""Of one request, at most."""
MOST_NUMBERS = 2**20
"""Of these rows' inputs and outputs, at most; one row is always looked at."""


def always() -> bool:
    """Every request is one of a client with rows of his own."""
    return True


class Taken(NamedTuple):
    """A request's rows, group by group, and what they were answered."""

    groups: Sequence[Group]
    answers: Sequence[Answer]


class Watched:
    """Takes one request, and no other until `step` has counted it.

    Who answers a request asks `wants` first, which costs next to nothing. `real` says of the one under way whether its
    rows are: asked of those alone that would be taken.
    """

    wants = True

    def __init__(
        self,
        reference: Reference,
        folder: Path,
        ragged: Ragged = ALIKE,
        clock: Callable[[], float] = time.time,
        real: Callable[[], bool] = always,
    ) -> None:
        self.reference = reference
        self.counts = Counts(folder, reference.size, clock)
        self._ragged = ragged
        self._real = real
        self._taken: Taken | None = None
        self._lock = threading.Lock()
        self._closed = self._told = False

    def take(self, groups: Sequence[Group], answers: Sequence[Answer]) -> None:
        """Keep an answered request for the next step, if it is a real one."""
        if self._real():
            self.wants = False
            self._taken = Taken(groups, answers)

    def step(self) -> None:
        """Count what was taken, and want more; what goes wrong is logged, once."""
        with self._lock:
            taken, self._taken = self._taken, None
            if self._closed:
                return
            try:
                if taken is not None:
                    self.counts.add(self._counted(taken))
            except Exception:
                LOG.log(logging.DEBUG if self._told else logging.ERROR, "rows were not counted", exc_info=True)
                self._told = True
            self.wants = True

    def close(self) -> None:
        """Count no more."""
        with self._lock:
            self.wants, self._closed = False, True
            self.counts.close()

    def _counted(self, taken: Taken) -> Array:
        """The rows in every bin, (size,): of large requests the first rows."""
        counts = np.zeros(self.reference.size)
        rows, numbers = MOST_ROWS, MOST_NUMBERS
        for (at, inputs), answer in zip(taken.groups, taken.answers, strict=True):
            size = self.reference.elements(inputs, answer.outputs)
            most = min(len(at), rows, max(1, numbers // max(1, size)))
            if rows <= 0 or numbers <= 0:
                break
            counts += self.reference.count(first(inputs, most), first(answer.outputs, most), self._ragged)
            rows, numbers = rows - most, numbers - most * size
        return counts


def first(tensors: Tensors, rows: int) -> Tensors:
    """The first rows."""
    return {name: array[:rows] for name, array in tensors.items()}
