"""Two versions of a model and how far their answers differ: counted per output, in constant memory."""

import logging
from typing import TYPE_CHECKING

import numpy as np

from service import golden, tensors
from service.card import Card
from service.metrics import ShadowMetrics
from service.outputs import ProbabilitiesOutput, ProbabilityOutput
from service.tensors import Array, Group, Tensors

if TYPE_CHECKING:
    from service.handle import ModelHandle

LOG = logging.getLogger("manifold.shadow")

FARTHEST = 1e9
"""What stands for any difference beyond it, and for one that is no number."""


class Comparison:
    """The first version answers clients; the second is asked the same."""

    def __init__(self, first: "ModelHandle", second: "ModelHandle") -> None:
        self.of = (first.version, second.version)
        self.metrics = ShadowMetrics(first.model, *self.of)
        self.unread = first.rows.unlike(second.rows)
        """The inputs that the second lacks here, or reads otherwise: with other words, say. Then it cannot be asked."""
        self._cards = first.card, second.card
        self._ragged = first.engine.ragged, second.engine.ragged
        self._inputs = list(second.signature.inputs)
        self._most = second.max_batch_rows
        self._name = f"{first.model}: version {second.version}, beside {first.version}"
        for name in self.unread:
            self._mismatch(name, "unread input")
        for name in first.signature.inputs.keys() - second.signature.inputs.keys():
            self._mismatch(name, "untaken input")
        for name in first.signature.outputs.keys() - second.signature.outputs.keys():
            self._mismatch(name, "missing output")
        for name in second.signature.outputs.keys() - first.signature.outputs.keys():
            self._mismatch(name, "new output")

    def groups(self, given: Tensors) -> list[Group]:
        """What the first was given, as the second takes it; positions are those of the rows in `given`."""
        first, second = self._ragged
        if any(lengths in given for lengths in first.values()):
            rows = [{name: row[name] for name in self._inputs} for row in tensors.apart(given, first)]
            return tensors.pack(rows, self._most, second)
        return [(range(tensors.rows(given)), {name: given[name] for name in self._inputs})]

    def compare(self, first: Tensors, second: Tensors) -> None:
        """Count how far the outputs of the same rows differ."""
        for name in first.keys() & second.keys():
            one, other = first[name], second[name]
            if one.shape != other.shape:
                self._mismatch(name, "other shape")
                continue
            if (one.dtype.kind == "O") != (other.dtype.kind == "O"):
                self._mismatch(name, "other type")
                continue
            self.metrics.difference(name, distance(other, one))
            labels = [labelled(card, name, array) for card, array in zip(self._cards, (one, other), strict=True)]
            if None not in labels:
                self.metrics.other_labels(name, sum(mine != its for mine, its in zip(*labels, strict=True)))

    def _mismatch(self, name: str, what: str) -> None:
        if self.metrics.mismatch(name, what):
            LOG.warning("%s: %s %r", self._name, what, name)


def distance(actual: Array, expected: Array) -> float:
    """The largest difference as golden rows have it, where NaN equals NaN.

    >>> distance(np.array([1.5, np.nan]), np.array([1.0, np.nan])), distance(np.array([np.nan]), np.array([1.0]))
    (0.5, 1000000000.0)
    """
    if expected.dtype.kind == "O":
        return 0.0 if tensors.strings(actual) == tensors.strings(expected) else FARTHEST
    mine, its = expected.astype(np.float64), actual.astype(np.float64)
    unequal = ~((mine == its) | (np.isnan(mine) & np.isnan(its)))
    off = golden.difference(its[unequal], mine[unequal])
    return min(FARTHEST, off)  # in this order also of NaN


def labelled(card: Card, name: str, values: Array) -> list[str] | None:
    """The label of every row, where the card knows labels."""
    output = card.output(name)
    if not isinstance(output, ProbabilityOutput | ProbabilitiesOutput):
        return None
    return [row["label"] for row in output.interpret(tensors.widened(values), 0)]
