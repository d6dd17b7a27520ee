"""A report's folder as training writes it, of a toy: figures that are made up, and pictures of a few pixels."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = (60, 40)
PICTURES = (
    "learning_curves.png",
    "layers.png",
    "mood.confusion.png",
    "sure.roc.png",
    "sure.calibration.png",
    "score.scatter.png",
)


def figures() -> dict[str, Any]:
    """What report.json says."""
    return {
        "epochs": 3,
        "best_epoch": 2,
        "history": {
            "loss": [2.0, 1.0, 0.5],
            "val_loss": [2.0, 1.5, 1.75],
            "mood_accuracy": [0.5, 0.75, 1.0],
            "val_mood_accuracy": [0.52, 0.98, 0.9],
        },
        "outputs": {
            "score": {"metrics": {"mae": 2.001, "rmse": 3.0, "r2": None}},
            "mood": {
                "confusion": {
                    "labels": ["calm", "happy", "sad"],
                    "rows_true_columns_guessed": [[5, 1, 0], [0, 4, 3], [0, 0, 0]],
                }
            },
            "sure": {
                "metrics": {"roc_auc": 0.98},
                "calibration": [
                    {"said": 0.1, "came_true": 0.12, "rows": 50},
                    {"said": 0.9, "came_true": 0.7, "rows": 20},
                ],
            },
        },
    }


def png(width: int = SIZE[0], height: int = SIZE[1]) -> bytes:
    """A white picture."""
    file = io.BytesIO()
    Image.new("L", (width, height), 255).save(file, "PNG")
    return file.getvalue()


def write(version: Path) -> Path:
    """Put a report into a version's folder; returns its own."""
    folder = version / "assets.extra" / "report"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(figures()), encoding="utf-8")
    for name in PICTURES:
        (folder / name).write_bytes(png())
    return folder
