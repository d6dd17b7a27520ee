"""The report's pictures, drawn without a screen."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from training.studies.finding import Finding

BLUE, ORANGE, GREY = "#1f5f99", "#d9822b", "#8a8f98"
LABELS = 30  # More classes than these do not fit: the most frequent are drawn.
POINTS = 3_000
STYLE: Any = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "font.size": 9,
    "legend.frameon": False,
    "figure.dpi": 130,
}


def curves(path: Path, history: Mapping[str, Sequence[float]], best: int) -> None:
    """Loss, and each metric, per epoch on training and validation rows."""
    names = sorted((name for name in history if f"val_{name}" in history), key=lambda name: (name != "loss", name))
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    with _figure(path, (4.2 * columns, 2.9 * rows), rows, columns) as axes:
        epochs = range(1, len(history["loss"]) + 1)
        for axis, name in zip(axes, names, strict=False):
            marker = "o" if len(epochs) < 3 else ""
            axis.plot(epochs, history[name], color=BLUE, marker=marker, label="training")
            axis.plot(epochs, history[f"val_{name}"], color=ORANGE, marker=marker, label="validation")
            axis.axvline(best + 1, color=GREY, linewidth=0.8, linestyle=":", label="best")
            axis.set_title(name.replace("_", " "))
            axis.set_xlabel("epoch")
            axis.xaxis.get_major_locator().set_params(integer=True)
        axes[0].legend()
        for axis in axes[len(names) :]:
            axis.axis("off")


def scatter(path: Path, title: str, unit: str | None, truth: NDArray[Any], guess: NDArray[Any]) -> None:
    """Guess over truth; a perfect model lies on the line."""
    places = np.linspace(0, len(truth) - 1, min(len(truth), POINTS)).astype(int)
    low, high = (float(edge(np.concatenate([truth, guess]))) for edge in (np.min, np.max))
    suffix = f", {unit}" if unit else ""
    with _figure(path, (4.6, 4.4)) as (axis,):
        axis.plot([low, high], [low, high], color=GREY, linewidth=1)
        size = np.clip(1000 / len(truth), 9, 60)  # Of few rows each is seen.
        axis.scatter(truth[places], guess[places], s=size, alpha=0.35, color=BLUE, linewidths=0)
        axis.set(title=title, xlabel=f"truth{suffix}", ylabel=f"model{suffix}", aspect="equal")


def confusion(path: Path, title: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
    """Percent of each true class by guessed class, the most frequent classes only."""
    table = np.asarray(counts)
    frequent = np.sort(np.argsort(-table.sum(axis=1), kind="stable")[:LABELS])
    percent = (100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1))[np.ix_(frequent, frequent)]
    names = [labels[place] for place in frequent]
    side = 2.2 + 0.42 * len(names)
    with _figure(path, (side + 0.8, side)) as (axis,):
        image = axis.imshow(percent, cmap="Blues", vmin=0, vmax=100)
        axis.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(names)), names)
        axis.set(xlabel="model", ylabel="truth")
        axis.set_title(title if len(names) == len(labels) else f"{title}: the {len(names)} most frequent")
        axis.spines[:].set_visible(False)
        centred = {"ha": "center", "va": "center", "fontsize": 7}
        for row, column in np.argwhere(percent >= 0.5):
            share = percent[row, column]
            axis.text(column, row, f"{share:.0f}", color="white" if share > 60 else "black", **centred)
        axis.figure.colorbar(image, ax=axis, fraction=0.046, label="percent of the true class")


def roc(path: Path, title: str, truth: NDArray[Any], probability: NDArray[Any]) -> None:
    """True against false positive rate over all thresholds; empty with one class only."""
    with _figure(path, (4.4, 4.2)) as (axis,):
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=1)
        if len(np.unique(truth)) == 2:
            false, true, _ = roc_curve(truth, probability)
            axis.plot(false, true, color=BLUE)
        axis.set(title=f"ROC: {title}", xlabel="false positive rate", ylabel="true positive rate", aspect="equal")


def calibration(path: Path, title: str, bins: Sequence[tuple[float, float, int]]) -> None:
    """What came true over what was said, a dot per bin, its area by rows."""
    said, came, rows = (np.asarray(column) for column in zip(*bins, strict=True))
    with _figure(path, (4.4, 4.2)) as (axis,):
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=1)
        axis.plot(said, came, color=BLUE, linewidth=1)
        axis.scatter(said, came, s=12 + 160 * rows / rows.max(), color=BLUE, alpha=0.7, linewidths=0)
        axis.set(title=f"Calibration: {title}", xlabel="probability said", ylabel="share come true", aspect="equal")


def findings(path: Path, found: Sequence[Finding]) -> None:
    """A bar per figure, a row of bars per finding."""
    bars = max(len(finding.figures) for finding in found)
    with _figure(path, (6.4, (0.7 + 0.32 * bars) * len(found)), len(found)) as axes:
        for axis, finding in zip(axes, found, strict=True):
            drawn = axis.barh(list(finding.figures), list(finding.figures.values()), color=BLUE)
            axis.bar_label(drawn, fmt="%.3g", padding=4)
            axis.invert_yaxis()
            axis.margins(x=0.15)
            axis.set(title=finding.title, xlabel=finding.unit or "")


@contextmanager
def _figure(path: Path, size: tuple[float, float], rows: int = 1, columns: int = 1) -> Iterator[list[Any]]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield list(figure.subplots(rows, columns, squeeze=False).ravel())
        figure.savefig(path, bbox_inches="tight", pad_inches=0.12)
