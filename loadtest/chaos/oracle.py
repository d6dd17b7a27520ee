"""python -m loadtest.chaos.oracle STORE FILE SEED EACH MODEL…: questions in every form, and every version's answer.

Engines run in this process only, one row at a time; nothing of the service's queues, batches or dialects is in it. No
two questions have the same answer, in no two versions: who gets another's, or another version's, gets a wrong one.
"""

import pickle
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from loadtest import rows as drawing
from loadtest.bench.forms import flat
from loadtest.bench.questions import apart
from loadtest.chaos import faulty
from loadtest.chaos.calls import predict_request
from loadtest.chaos.checker import TOLERANCE
from loadtest.chaos.forms import FORMS, Rows
from loadtest.chaos.questions import GRPC, Question
from service import card as cards
from service import fields, loading, settings, tensors
from service.card import TokensInput
from service.dialects.native import tensor
from service.engines.base import Engine
from service.handle import example
from service.outputs import ProbabilitiesOutput, ProbabilityOutput
from service.schemas import Rows as Schema
from service.text import Tokenizer
from service.versions import store

MOST_ROWS = 3
TRIES = 100
DISTINCT = 3 * TOLERANCE
"""Between any two answers, at least."""
CLASSIFY = "tfs-classify"
LABELLED = ProbabilityOutput | ProbabilitiesOutput
PINNED = 0.2
"""Of the questions ask for the first version, which is always there."""


@dataclass(frozen=True)
class Known:
    """One version's card, engine and schema."""

    card: cards.Card
    engine: Engine
    schema: Schema

    @classmethod
    def read(cls, version: store.Version) -> "Known":
        """Load it."""
        card = cards.read(version.folder)
        engine = loading.load_engine(version.folder, card, settings.read({}))
        inputs = fields.build(
            engine.signature,
            card.inputs,
            lambda tokens: Tokenizer.read(version.folder / tokens.vocabulary, tokens.unknown_id),
        )
        return cls(card, engine, Schema(inputs, example(card, engine.signature)))

    @property
    def details(self) -> drawing.Details:
        """What GET /models/<name> tells of it."""
        inputs = {name: tensor(spec) for name, spec in self.engine.signature.inputs.items()}
        return {"card": self.card.document, "signature": {"inputs": inputs}}

    @cached_property
    def head(self) -> str:
        """The output whose labels a client may ask for, "" if there is none, or a row is no flat list of any length."""
        flat = all(isinstance(one, TokensInput) and one.length is None for one in self.card.inputs.values())
        heads = [name for name, one in self.card.outputs.items() if isinstance(one, LABELLED)]
        return heads[0] if flat and heads else ""

    def answers(self, row: Mapping[str, Any]) -> "Answers":
        """What it says of one row."""
        inputs = {name: array[None] for name, array in self.schema.load([row])[0].items()}
        outputs = self.engine.run(inputs)
        names = list(self.engine.signature.outputs)
        told = {name: next(iter(self.card.output(name).interpret(outputs[name], 0))) for name in names}
        raw = {name: outputs[name][0].tolist() for name in names}
        return Answers(raw, plain(told), self._classes(raw) if self.head else [])

    def _classes(self, raw: Mapping[str, Any]) -> list[Any]:
        """The labels of the head and their probabilities; of one probability that is the second's."""
        chances = flat(raw[self.head])
        labels = self.card.document["outputs"][self.head]["labels"]
        return [
            list(pair) for pair in zip(labels, chances if len(chances) > 1 else [1 - chances[0], *chances], strict=True)
        ]


class Answers(NamedTuple):
    """One row's: the model's own, as the card reads them, and the classes of one output."""

    raw: Mapping[str, Any]
    told: Any
    classes: list[Any]


def plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


class Drawer:
    """Draws rows of one model whose answers, of all versions, are unlike any before; as long as that can be."""

    def __init__(self, versions: Mapping[int, Known], rng: random.Random) -> None:
        self.versions = versions
        self.any = next(iter(versions.values()))
        self._rng = rng
        self._before: list[Any] = []

    def row(self) -> dict[str, Any]:
        """A row; the last that was tried, if answers are alike whatever is asked."""
        drawn: dict[str, Any] = {}
        for _ in range(TRIES):
            last, drawn = drawn, self._draw()
            told = [one.answers(drawn).told for one in self.versions.values()]
            if drawn == last or self._new(told):
                break
        self._before += told
        return drawn

    def _draw(self) -> dict[str, Any]:
        row = drawing.row(self.any.details, self._rng, ids=self._rng.random() < 0.5)
        return row | {name: [faulty.FINE] for name in row if name == "fault"}

    def _new(self, told: Sequence[Any]) -> bool:
        return all(apart(one, other) > DISTINCT for at, one in enumerate(told) for other in [*self._before, *told[:at]])


def questions(root: Path, models: Sequence[str], each: int, rng: random.Random) -> Iterator[Question]:
    """`each` questions of every model in every form that it can be asked in."""
    for model in models:
        versions = {one.number: Known.read(one) for one in store.versions(root / model)}
        drawer = Drawer(versions, rng)
        for form in (*FORMS, GRPC):
            for _ in range(each if form != CLASSIFY or drawer.any.head else 0):
                yield question(model, form, drawer, rng)
        for known in versions.values():
            known.engine.close()


def question(model: str, form: str, drawer: Drawer, rng: random.Random) -> Question:
    """One in this form; its rows are of one shape where the form wants that."""
    values = [drawer.row() for _ in range(rng.randint(1, MOST_ROWS))]
    stacked: dict[str, Any] = {}
    if form == GRPC or FORMS[form].tensors:
        loaded = drawer.any.schema.load(values)
        kinds = [tensors.kind({name: array[None] for name, array in row.items()}) for row in loaded]
        alike = [at for at, kind in enumerate(kinds) if kind == kinds[0]]
        values = [values[at] for at in alike]
        stacked = {name: np.stack([loaded[at][name] for at in alike]) for name in loaded[0]}
    version = min(drawer.versions) if rng.random() < PINNED else None
    rows = Rows(model, version, values, stacked, drawer.any.head)
    path, headers, body = predict_request(rows) if form == GRPC else FORMS[form].write(rows)
    names = tuple(drawer.any.engine.signature.outputs)
    says = "raw" if form == GRPC else FORMS[form].says
    answers = {number: expected(one, values, says) for number, one in drawer.versions.items()}
    return Question(model, version, form, path, headers, body, names, answers)


def expected(known: Known, values: Sequence[Mapping[str, Any]], says: str) -> Any:
    """What a version must answer to these rows, as the form's answers are read."""
    answered = [known.answers(row) for row in values]
    if says != "raw":
        return [getattr(answer, says) for answer in answered]
    return {name: flat([answer.raw[name] for answer in answered]) for name in known.engine.signature.outputs}


def ask(root: Path, file: Path, models: Sequence[str], seed: int, each: int) -> list[Question]:
    """The questions, left in a file by a process of its own; SystemExit with what that printed."""
    command = [sys.executable, "-m", __name__, str(root), str(file), str(seed), str(each), *models]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{' '.join(command)}\n{ran.stderr}")
    found: list[Question] = pickle.loads(file.read_bytes())  # noqa: S301 - our own process wrote it
    return found


def main(root: str, file: str, seed: str, each: str, *models: str) -> None:
    """Write the questions."""
    made = list(questions(Path(root), models, int(each), random.Random(int(seed))))
    Path(file).write_bytes(pickle.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
