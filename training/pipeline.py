"""One training run from prepared rows to a published version, told in the terminal as it goes.

fit ─▶ judge on the test rows ─▶ study ─▶ export ─▶ table
"""

import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from models.architecture import Architecture
from training import losses
from training.card import Provenance
from training.distribution import distribution
from training.encode import select
from training.evaluate import evaluate
from training.export import Held, export
from training.prepare import Prepared, Run
from training.reports import terminal
from training.studies import STUDIES
from training.task import Number, Numbers
from training.train import beginning_with, fit, predict
from training.twin.reduce import CALIBRATION_ROWS, Trial
from training.versions import Version, number


def train_and_export(rows: Prepared, architectures: Mapping[int, Architecture], run: Run, started: float) -> Path:
    """Do the run and return the published folder; Mistake if the person must change something.

    `started` is the monotonic time from which the card's seconds count.
    """
    newest = max(architectures)
    version = Version(run.store, run.model, number(run.store, run.model, run.version, newest))
    architecture = architectures.get(version.number, architectures[newest])
    encoder, splits, outputs = rows.encoder, rows.splits, rows.encoder.task.outputs
    if run.weights:
        architecture = beginning_with(run.weights, architecture)
    counts = ", ".join(f"{count} {name} rows" for name, count in rows.counts.items())
    _say(f"{run.model} version {version.number}: {counts}")

    trained = fit(architecture, encoder, splits, rows.preset, run.seed)
    test = encoder.rows(splits.test)
    said = predict(trained.model, test, list(outputs))
    judged = evaluate(encoder, splits.train, splits.test, said)
    findings = STUDIES[run.model](trained, splits, rows.preset, run.seed) if run.model in STUDIES else []
    _say("exporting …")
    seconds = time.monotonic() - started
    provenance = Provenance(rows.source, rows.counts, run.seed, run.preset, trained.epochs, seconds)
    calibration = encoder.rows(select(splits.train, range(min(CALIBRATION_ROWS, rows.counts["train"]))))
    trial = Trial(calibration, test, partial(evaluate, encoder, splits.train, splits.test))
    seen = distribution(encoder, splits.train, said)
    folder = export(trained, Held(splits.test, test, judged, findings, trial, seen), provenance, version)

    units = {name: output.unit for name, output in outputs.items() if isinstance(output, Number | Numbers)}
    figures = {name: found.metrics for name, found in judged.items()}
    print(terminal.table(figures, units))
    for finding in findings:
        print(finding)
    for line in terminal.no_better(figures):
        _say(line)
    advice = terminal.advice(losses.shares(trained))
    if advice:
        print(advice)
    print(f"{folder}  ({time.monotonic() - started:.0f} s)")
    return folder


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
