"""A trained model becomes an artifact: SavedModel, words, golden rows, warm-up, twin, report, card, published at once.

draft ─ write ─▶ reload ─ ask golden rows ─▶ compare twin, batches ─▶ card, manifest ─ rename ─▶ store/<model>/<n>
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from service.versions import manifest
from training import card, golden, saved_model, warmup
from training.card import Card, Provenance, Verified
from training.encode import Encoder, Rows
from training.evaluate import Judged
from training.losses import shares
from training.reports.report import write_report
from training.studies.finding import Finding
from training.task import Table
from training.train import Trained
from training.twin.make import make
from training.twin.reduce import Trial, reduce
from training.versions import Version, publishing


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
    started = monotonic()
    encoder, losses = trained.encoder, shares(trained)
    with publishing(version) as folder:
        extra = folder / "assets.extra"
        saved_model.write(trained.model, encoder, folder)
        extra.mkdir()
        _write_vocabularies(encoder, folder)
        run = saved_model.load(folder)
        groups = golden.answer(held.rows, run)
        golden.save(groups, extra / "golden.npz")
        warmup.write(extra / "tf_serving_warmup_requests", version.model, encoder, groups, held.table)
        twin = make(trained, saved_model.specs(encoder), groups, extra / "model.onnx")
        verified = Verified(
            rows=sum(len(group.places) for group in groups),
            twin=twin,
            batch_difference=golden.batch_difference(groups, run),
            reduced=reduce(extra, held.trial) if twin.kept and held.trial else None,
        )
        write_report(extra / "report", trained, held.judged, held.findings, losses)
        metrics = {name: judged.metrics for name, judged in held.judged.items()}
        lasted = replace(provenance, seconds=round(provenance.seconds + monotonic() - started, 1))
        made = Card(
            model=version.model,
            number=version.number,
            parameters=trained.model.count_params(),
            encoder=encoder,
            provenance=lasted,
            metrics=metrics,
            losses=losses,
            findings=held.findings,
            verified=verified,
            distribution=held.distribution,
        ).document()
        (extra / "card.json").write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", "utf-8")
        manifest.write(folder, version.model, version.number)
    return version.folder


def _write_vocabularies(encoder: Encoder, folder: Path) -> None:
    (folder / "assets").mkdir(exist_ok=True)
    for name, words in encoder.vocabularies.items():
        (folder / card.vocabulary_file(name)).write_bytes("".join(f"{word}\n" for word in words).encode())
