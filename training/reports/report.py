"""The report: report.json and pictures beside the model, and a short table in the terminal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training import metrics
from training.encode import Encoder
from training.evaluate import Judged
from training.losses import Shares
from training.reports import graph, pictures, wiring
from training.studies.finding import Finding
from training.task import Number, Numbers, Probability
from training.train import Trained

SHOWN = {
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
    "calibration_error": "calibration error",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "pearson": "Pearson",
    "spearman": "Spearman",
}


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
    details = {name: _output(folder, name, trained.encoder, found) for name, found in judged.items()}
    report = {
        "epochs": trained.epochs,
        "best_epoch": trained.best + 1 if trained.epochs else None,
        "history": dict(trained.history),
        "losses": losses,
        "findings": [asdict(finding) for finding in findings],
        "outputs": details,
        "layers": wiring.listed(wiring.graph(model)),
    }
    (folder / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")


def table(judged: Mapping[str, Judged], units: Mapping[str, str | None]) -> str:
    """Each figure of each output beside its baseline, ready to print."""
    lines = [("output", "figure", "model", "baseline", "")]
    for name, found in judged.items():
        beside = found.metrics["baseline"]
        for key, title in SHOWN.items():
            if key in found.metrics:
                unit = f" ({units[name]})" if units.get(name) and key in ("mae", "rmse") else ""
                lines.append((name, title + unit, _figure(found.metrics[key]), _figure(beside[key]), beside["name"]))
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        f"{a:{widths[0]}}  {b:{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}  {e}".rstrip() for a, b, c, d, e in lines
    )


def told(findings: Sequence[Finding]) -> str:
    """The findings, ready to print: a line each."""
    lines = []
    for finding in findings:
        unit = f" ({finding.unit})" if finding.unit else ""
        figures = ", ".join(f"{name} {value:.3g}" for name, value in finding.figures.items())
        lines.append(f"{finding.title}{unit}: {figures}")
    return "\n".join(lines)


def no_better(judged: Mapping[str, Judged]) -> list[str]:
    """A line for each output that the trivial rule tells as well: such a version is published, and hardly worth it."""
    lines = []
    for name, found in judged.items():
        beside = found.metrics["baseline"]
        better = (
            found.metrics["mae"] < beside["mae"] if "mae" in beside else found.metrics["accuracy"] > beside["accuracy"]
        )
        if not better:
            lines.append(f"warning: {name} is told no better than by the {beside['name']} rule")
    return lines


def advice(losses: Shares) -> str | None:
    """One line on heads whose shares of the loss are far apart; None if they are not."""
    if all(head["suggested_weight"] is None for head in losses.values()):
        return None
    shares = ", ".join(
        f"{name} {head['share']:.1%} (try weight {head['suggested_weight']:g})" for name, head in losses.items()
    )
    return f"shares of the loss are far apart: {shares}"


def _output(folder: Path, name: str, encoder: Encoder, found: Judged) -> dict[str, Any]:
    output = encoder.task.outputs[name]
    details: dict[str, Any] = {"metrics": dict(found.metrics)}
    if isinstance(output, Number | Numbers):
        truth, guess = found.truth.ravel(), found.guess.ravel()
        pictures.scatter(folder / f"{name}.scatter.png", output.title, output.unit, truth, guess)
        return details
    labels = list(encoder.labels[name])
    counts = metrics.confusion(found.truth, found.guess, len(labels))
    pictures.confusion(folder / f"{name}.confusion.png", output.title, labels, counts)
    details["confusion"] = {"labels": labels, "rows_true_columns_guessed": counts}
    if isinstance(output, Probability) and found.probability is not None:
        bins = metrics.reliability(found.truth, found.probability)
        pictures.roc(folder / f"{name}.roc.png", output.title, found.truth, found.probability)
        pictures.calibration(folder / f"{name}.calibration.png", output.title, bins)
        details["calibration"] = [{"said": said, "came_true": came, "rows": rows} for said, came, rows in bins]
    return details


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
