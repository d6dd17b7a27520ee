"""Columns to tensors: which word is which id and which label which class, learnt from the training rows alone.

column of the table            input                     target
text                           Tokens    (t,) int32
label                          Category  () int32        Probability (n, 1), Probabilities (n,)
number or array of numbers     Numbers   dims float32    Number (n, 1), Numbers (n, *dims)
picture                        Image     (h, w[, 3]) uint8
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import words
from training.mistakes import Mistake
from training.task import (
    Category,
    Image,
    Input,
    Number,
    Numbers,
    Probabilities,
    Probability,
    Table,
    Task,
    Tokens,
)

Array = NDArray[Any]
Labelled = Category | Probability | Probabilities


def length(table: Table) -> int:
    """How many rows the table has."""
    return len(next(iter(table.values())))


def select(table: Table, places: Any) -> Table:
    """The rows at these places, in their order."""
    return {name: [column[place] for place in places] for name, column in table.items()}


@dataclass(frozen=True)
class Rows:
    """Encoded rows: an array per row of each input, open axes unpadded; targets per output, all rows in one array."""

    inputs: Mapping[str, list[Array]]
    targets: Mapping[str, Array]

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True)
class Encoder:
    """A task's vocabularies by token input and labels by name of what has labels, and what they turn a table into."""

    task: Task
    vocabularies: Mapping[str, list[str]]
    labels: Mapping[str, tuple[str, ...]]

    @property
    def sizes(self) -> dict[str, int]:
        """What `Architecture.build` must be told: how many labels were learnt where the task names none."""
        return {name: len(self.labels[name]) for name, spec in labelled(self.task).items() if spec.labels is None}

    def inputs(self, table: Table) -> dict[str, list[Array]]:
        """The arrays of every row of every input."""
        return {name: self._column(name, spec, table[name]) for name, spec in self.task.inputs.items()}

    def _column(self, name: str, spec: Input, column: list[Any]) -> list[Array]:
        match spec:
            case Tokens():
                known = words.index(self.vocabularies[name])
                return [words.ids(text, known, spec.length) for text in column]
            case Category():
                return list(self._classes(name, column))
            case Numbers() | Image():
                return [np.asarray(value, dtype=spec.dtype) for value in column]

    def targets(self, table: Table) -> dict[str, Array]:
        """The truth about every output."""
        return {name: self.target(name, table) for name in self.task.outputs}

    def target(self, name: str, table: Table) -> Array:
        """Numbers `(n, 1)` or `(n, *dims)`, the second label's 0 or 1 `(n, 1)`, or class numbers `(n,)`."""
        output, column = self.task.outputs[name], table[name]
        match output:
            case Number():
                return np.asarray(column, dtype=np.float32)[:, None]
            case Numbers():
                return np.asarray(column, dtype=output.dtype)
            case Probability():
                return self._classes(name, column).astype(np.float32)[:, None]
            case Probabilities():
                return self._classes(name, column)

    def _classes(self, name: str, column: list[str]) -> NDArray[np.int32]:
        number = {label: place for place, label in enumerate(self.labels[name])}
        return np.asarray([number[label] for label in column], dtype=np.int32)

    def rows(self, table: Table) -> Rows:
        """The whole table, encoded."""
        return Rows(self.inputs(table), self.targets(table))

    def known(self, table: Table) -> Table:
        """The rows whose every label is one that the training rows taught; the others cannot be learnt or judged."""
        sets = {name: frozenset(labels) for name, labels in self.labels.items()}
        keep = [row for row in range(length(table)) if all(table[name][row] in labels for name, labels in sets.items())]
        return table if len(keep) == length(table) else select(table, keep)


def labelled(task: Task) -> dict[str, Labelled]:
    """The inputs and outputs that have labels."""
    both = {**task.inputs, **task.outputs}
    return {name: spec for name, spec in both.items() if isinstance(spec, Category | Probability | Probabilities)}


def tokens(task: Task) -> dict[str, Tokens]:
    """The inputs of words."""
    return {name: spec for name, spec in task.inputs.items() if isinstance(spec, Tokens)}


def learn(task: Task, train: Table) -> Encoder:
    """Vocabularies and labels of the training rows; Mistake where fewer than two labels are.

    All inputs of words share one vocabulary, each cut to its own number of words: inputs that share an embedding must
    agree on ids, and for the others it does no harm.
    """
    texts = tokens(task)
    shared = words.vocabulary(
        (text for name in texts for text in train[name]), max((spec.words for spec in texts.values()), default=2)
    )
    vocabularies = {name: shared[: spec.words] for name, spec in texts.items()}
    labels = {name: _labels(name, spec, train[name]) for name, spec in labelled(task).items()}
    return Encoder(task, vocabularies, labels)


def _labels(name: str, spec: Labelled, column: list[str]) -> tuple[str, ...]:
    if spec.labels is not None:
        if len(set(column)) < 2 and not isinstance(spec, Category):
            raise Mistake(f"{name}: the training rows hold 1 label; at least two are needed to tell apart")
        return spec.labels
    frequent = Counter(sorted(column)).most_common(spec.at_most)
    if len(frequent) < 2:
        raise Mistake(f"{name}: the training rows hold {len(frequent)} label; at least two are needed to tell apart")
    labels = tuple(sorted(label for label, _ in frequent))
    if isinstance(spec, Probabilities) and spec.otherwise not in (None, *labels):
        raise Mistake(f"{name}: no training row has the label {spec.otherwise!r}, the answer where none is sure")
    return labels
