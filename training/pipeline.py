"""One training run from rows to a published version, told in the terminal as it goes.

generate or read ─▶ learn words and labels ─▶ fit ─▶ judge on the test rows ─▶ export ─▶ table
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from models.architecture import Architecture
from training import losses, report
from training.card import Provenance
from training.data import files
from training.encode import Encoder, learn, length
from training.evaluate import evaluate
from training.export import Held, export
from training.mistakes import Mistake
from training.task import Number, Splits, Table, Task
from training.train import Trained, fit, predict
from training.versions import Version, number


@dataclass(frozen=True)
class Run:
    """What the command line asked for."""

    model: str
    preset: str
    seed: int
    store: Path
    version: int | None = None
    data: Path | None = None


def train_and_export(task: Task, architectures: Mapping[int, Architecture], run: Run, started: float) -> Path:
    """Do the run and return the published folder; Mistake if the person must change something.

    `started` is the monotonic time from which the card's seconds count.
    """
    newest = max(architectures)
    version = number(run.store, run.model, run.version, newest)
    architecture = architectures.get(version, architectures[newest])
    preset = task.presets[run.preset]

    splits = files.load(run.data, task, run.seed) if run.data else task.generate(preset.rows, run.seed)
    encoder = learn(task, splits.train)
    splits = known(encoder, splits)
    counts = {name: length(table) for name, table in vars(splits).items()}
    _say(f"{run.model} version {version}: " + ", ".join(f"{count} {name} rows" for name, count in counts.items()))

    trained = fit(architecture, encoder, splits, preset, run.seed)
    test = encoder.rows(splits.test)
    judged = evaluate(encoder, splits.train, splits.test, predict(trained.model, test, list(task.outputs)))
    provenance = Provenance(
        _source(task, run.data), counts, run.seed, run.preset, trained.epochs, time.monotonic() - started
    )
    _say("exporting …")
    folder = export(trained, Held(splits.test, test, judged), provenance, Version(run.store, run.model, version))

    units = {name: output.unit for name, output in task.outputs.items() if isinstance(output, Number)}
    print(report.table(judged, units))
    _advise(trained)
    print(f"{folder}  ({time.monotonic() - started:.0f} s)")
    return folder


def known(encoder: Encoder, splits: Splits) -> Splits:
    """Without rows whose label the training rows do not teach: they are counted aloud, for they cannot be judged."""
    kept: dict[str, Table] = {name: encoder.known(table) for name, table in vars(splits).items()}
    for name, table in vars(splits).items():
        dropped = length(table) - length(kept[name])
        if dropped:
            _say(f"warning: {dropped} {name} rows dropped: their labels are not among those learnt from training rows")
        if not length(kept[name]):
            raise Mistake(f"no {name} rows are left; give more rows per label")
    return Splits(**kept)


def _source(task: Task, data: Path | None) -> str:
    return f"{data.name} (SHA-256 {sha256(data.read_bytes()).hexdigest()[:16]})" if data else task.data


def _advise(trained: Trained) -> None:
    advice = report.advice(losses.shares(trained))
    if advice:
        print(advice)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
