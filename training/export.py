"""A trained model as the source of a version: its words, its twin without masks, its report, its card."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import onnx

from training import card, saved_model
from training.artifact import Draft, publish
from training.card import Card, Provenance
from training.encode import Rows, tokens
from training.evaluate import Judged
from training.golden import Group
from training.losses import shares
from training.reports.report import write_report
from training.saved_model import IDS, TEXT, Loaded
from training.studies.finding import Finding
from training.task import Table
from training.train import Trained
from training.twin.convert import convert
from training.twin.reduce import Trial, reduce
from training.versions import Version
from training.warmup import Request


@dataclass(frozen=True)
class Held:
    """The test rows: as given, as tensors, and as they were judged; and what else the model showed."""

    table: Table
    rows: Rows
    judged: Mapping[str, Judged]
    findings: Sequence[Finding] = ()
    trial: Trial | None = None
    """For a twin of reduced precision; None makes none."""
    distribution: Mapping[str, Any] | None = None
    """For the card: how the training's inputs and the answers to these rows lie."""


def export(trained: Trained, held: Held, provenance: Provenance, version: Version) -> Path:
    """Publish the version and return its folder; Mistake if it exists, and nothing visible if anything fails."""
    return publish(_Training(trained, held, provenance, monotonic()), version)


@dataclass(frozen=True)
class _Training:
    trained: Trained
    held: Held
    provenance: Provenance
    started: float

    def write(self, folder: Path) -> None:
        encoder = self.trained.encoder
        saved_model.write(self.trained.model, encoder, folder)
        (folder / "assets").mkdir(exist_ok=True)
        for name, words in encoder.vocabularies.items():
            (folder / card.vocabulary_file(name)).write_bytes("".join(f"{word}\n" for word in words).encode())

    def rows(self, run: Loaded) -> Rows:
        return self.held.rows

    def requests(self, groups: Sequence[Group]) -> Iterator[Request]:
        """As tensors and, where inputs are words, as text."""
        texts = tokens(self.trained.encoder.task)
        for group in groups:
            yield IDS, group.inputs
            if texts:
                text = {name: [self.held.table[name][place].encode() for place in group.places] for name in texts}
                yield TEXT, {**group.inputs, **text}

    def convert(self, run: Loaded) -> onnx.ModelProto:
        return convert(self.trained, saved_model.specs(self.trained.encoder))

    def card(self, draft: Draft) -> dict[str, Any]:
        trained, held, losses = self.trained, self.held, shares(self.trained)
        reduced = reduce(draft.extra, held.trial) if draft.verified.twin.kept and held.trial else None
        write_report(draft.extra / "report", trained, held.judged, held.findings, losses)
        task = trained.encoder.task
        return Card(
            model=draft.version.model,
            number=draft.version.number,
            title=task.title,
            description=task.description,
            parameters=trained.model.count_params(),
            inputs=card.inputs(trained.encoder),
            outputs=card.outputs(trained.encoder),
            provenance=replace(self.provenance, seconds=round(self.provenance.seconds + monotonic() - self.started, 1)),
            metrics={name: judged.metrics for name, judged in held.judged.items()},
            losses=losses,
            findings=held.findings,
            verified=replace(draft.verified, reduced=reduced),
            distribution=held.distribution,
        ).document()
