"""The report of a model that was brought: its layers, and its answers beside the truth, where either is known."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from training.evaluate import Judged
from training.publish import truths
from training.publish.brought import Brought
from training.reports.report import detailed, save


def write(folder: Path, brought: Brought, outputs: Mapping[str, Any], judged: Mapping[str, Judged]) -> None:
    """Pictures and report.json in a new folder; `outputs` as the card has them. Nothing where there is nothing."""
    if not (brought.draw or judged):
        return
    folder.mkdir()
    report: dict[str, Any] = {"outputs": {}}
    if brought.draw:
        with suppress(Exception):  # Of what cannot be drawn there is no picture.
            report["layers"] = brought.draw(folder)
    for name, found in judged.items():
        labels = outputs[name].get("labels", ())
        report["outputs"][name] = detailed(folder, name, truths.meaning(outputs[name]), labels, found)
    save(folder, report)
