"""What the terminal is told of a model: its figures as a short table, what to beware of."""

from collections.abc import Mapping
from typing import Any

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


def table(metrics: Mapping[str, Mapping[str, Any]], units: Mapping[str, str | None]) -> str:
    """Each figure of each output beside its baseline, ready to print."""
    lines = [("output", "figure", "model", "baseline", "")]
    for name, found in metrics.items():
        beside = found["baseline"]
        for key, title in SHOWN.items():
            if key in found:
                unit = f" ({units[name]})" if units.get(name) and key in ("mae", "rmse") else ""
                lines.append((name, title + unit, _figure(found[key]), _figure(beside[key]), beside["name"]))
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        f"{a:{widths[0]}}  {b:{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}  {e}".rstrip() for a, b, c, d, e in lines
    )


def no_better(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each output that the trivial rule tells as well: such a version is published, and hardly worth it."""
    lines = []
    for name, found in metrics.items():
        beside = found["baseline"]
        better = found["mae"] < beside["mae"] if "mae" in beside else found["accuracy"] > beside["accuracy"]
        if not better:
            lines.append(f"warning: {name} is told no better than by the {beside['name']} rule")
    return lines


def advice(losses: Mapping[str, Mapping[str, Any]]) -> str | None:
    """One line on heads whose shares of the loss are far apart; None if they are not."""
    if all(head["suggested_weight"] is None for head in losses.values()):
        return None
    shares = ", ".join(
        f"{name} {head['share']:.1%} (try weight {head['suggested_weight']:g})" for name, head in losses.items()
    )
    return f"shares of the loss are far apart: {shares}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
