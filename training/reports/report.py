"""The report: report.json and pictures beside the model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training import metrics
from training.evaluate import Judged
from training.losses import Shares
from training.reports import graph, pictures, wiring
from training.studies.finding import Finding
from training.task import Number, Numbers, Output, Probability
from training.train import Trained


def write_report(
    folder: Path, trained: Trained, judged: Mapping[str, Judged], findings: Sequence[Finding], losses: Shares
) -> None:
    """Write the pictures and report.json into a new `folder`."""
    folder.mkdir()
    model = trained.architecture.unmasked(**trained.encoder.sizes)
    graph.draw(model, folder / "layers.png")
    if trained.epochs:
        pictures.curves(folder / "learning_curves.png", trained.history, trained.best)
    if findings:
        pictures.findings(folder / "findings.png", findings)
    outputs, labels = trained.encoder.task.outputs, trained.encoder.labels
    details = {
        name: detailed(folder, name, outputs[name], labels.get(name, ()), found) for name, found in judged.items()
    }
    report = {
        "epochs": trained.epochs,
        "best_epoch": trained.best + 1 if trained.epochs else None,
        "history": dict(trained.history),
        "losses": losses,
        "findings": [asdict(finding) for finding in findings],
        "outputs": details,
        "layers": wiring.listed(wiring.graph(model)),
    }
    save(folder, report)


def save(folder: Path, report: Mapping[str, Any]) -> None:
    """The report as JSON, beside its pictures."""
    (folder / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")


def detailed(folder: Path, name: str, output: Output, labels: Sequence[str], found: Judged) -> dict[str, Any]:
    """What report.json says of one output; its pictures are drawn into the folder."""
    details: dict[str, Any] = {"metrics": dict(found.metrics)}
    if isinstance(output, Number | Numbers):
        truth, guess = found.truth.ravel(), found.guess.ravel()
        pictures.scatter(folder / f"{name}.scatter.png", output.title, output.unit, truth, guess)
        return details
    counts = metrics.confusion(found.truth, found.guess, len(labels))
    pictures.confusion(folder / f"{name}.confusion.png", output.title, list(labels), counts)
    details["confusion"] = {"labels": list(labels), "rows_true_columns_guessed": counts}
    if isinstance(output, Probability) and found.probability is not None:
        bins = metrics.reliability(found.truth, found.probability)
        pictures.roc(folder / f"{name}.roc.png", output.title, found.truth, found.probability)
        pictures.calibration(folder / f"{name}.calibration.png", output.title, bins)
        details["calibration"] = [{"said": said, "came_true": came, "rows": rows} for said, came, rows in bins]
    return details
