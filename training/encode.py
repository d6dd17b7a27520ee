"""Columns to tensors: which word is which id and which label which class, learnt from the training rows alone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import words
from training.mistakes import Mistake
from training.task import Number, Probabilities, Probability, Table, Task

Ids = NDArray[np.int32]


def length(table: Table) -> int:
    """How many rows the table has."""
    return len(next(iter(table.values())))


def select(table: Table, places: Any) -> Table:
    """The rows at these places, in their order."""
    return {name: [column[place] for place in places] for name, column in table.items()}


@dataclass(frozen=True)
class Rows:
    """Encoded rows: ragged ids per input, `(t,)` each; targets per output, `(n, 1)` or, for classes, `(n,)`."""

    inputs: Mapping[str, list[Ids]]
    targets: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True)
class Encoder:
    """A task's vocabularies by token input and labels by class output, and what they turn a table into."""

    task: Task
    vocabularies: Mapping[str, list[str]]
    labels: Mapping[str, tuple[str, ...]]

    @property
    def sizes(self) -> dict[str, int]:
        """What `Architecture.build` must be told: the classes of outputs whose labels were learnt."""
        outputs = self.task.outputs.items()
        return {n: len(self.labels[n]) for n, out in outputs if isinstance(out, Probabilities) and out.labels is None}

    def inputs(self, table: Table) -> dict[str, list[Ids]]:
        """Ids of every row of every input."""
        known = {name: words.index(self.vocabularies[name]) for name in self.task.inputs}
        return {
            name: [words.ids(text, known[name], spec.length) for text in table[name]]
            for name, spec in self.task.inputs.items()
        }

    def targets(self, table: Table) -> dict[str, NDArray[Any]]:
        """Numbers `(n, 1)`, the second label's 0 or 1 `(n, 1)`, or class numbers `(n,)`."""
        targets: dict[str, NDArray[Any]] = {}
        for name, output in self.task.outputs.items():
            if isinstance(output, Number):
                targets[name] = np.asarray(table[name], dtype=np.float32)[:, None]
                continue
            number = {label: place for place, label in enumerate(self.labels[name])}
            classes = np.asarray([number[label] for label in table[name]], dtype=np.int32)
            targets[name] = classes.astype(np.float32)[:, None] if isinstance(output, Probability) else classes
        return targets

    def rows(self, table: Table) -> Rows:
        """The whole table, encoded."""
        return Rows(self.inputs(table), self.targets(table))

    def known(self, table: Table) -> Table:
        """The rows whose every label is one that the training rows taught; the others cannot be learnt or judged."""
        sets = {name: frozenset(labels) for name, labels in self.labels.items()}
        keep = [row for row in range(length(table)) if all(table[name][row] in labels for name, labels in sets.items())]
        return table if len(keep) == length(table) else select(table, keep)


def learn(task: Task, train: Table) -> Encoder:
    """Vocabularies and labels of the training rows; Mistake if an output has fewer than two labels.

    All inputs share one vocabulary, each cut to its own number of words: inputs that share an embedding must agree on
    ids, and for the others it does no harm.
    """
    texts = [text for name in task.inputs for text in train[name]]
    shared = words.vocabulary(texts, max(spec.words for spec in task.inputs.values()))
    vocabularies = {name: shared[: spec.words] for name, spec in task.inputs.items()}
    labels = {
        name: _labels(name, output, train[name])
        for name, output in task.outputs.items()
        if not isinstance(output, Number)
    }
    return Encoder(task, vocabularies, labels)


def _labels(name: str, output: Probability | Probabilities, column: list[str]) -> tuple[str, ...]:
    if output.labels is not None:
        return output.labels
    frequent = Counter(sorted(column)).most_common(output.at_most)
    if len(frequent) < 2:
        raise Mistake(f"{name}: the training rows hold {len(frequent)} label; at least two are needed to tell apart")
    return tuple(sorted(label for label, _ in frequent))
