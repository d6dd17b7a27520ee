"""Everything that can go wrong before TensorFlow is loaded: the store, the rows, their words and labels."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from training.encode import Encoder, labelled, learn, length
from training.formats import files
from training.mistakes import Mistake
from training.task import Preset, Splits, Table, Task
from training.versions import refuse_published, refuse_unwritable


@dataclass(frozen=True)
class Run:
    """What the command line asked for."""

    model: str
    preset: str
    seed: int
    store: Path
    version: int | None = None
    data: Path | None = None
    epochs: int | None = None
    weights: Path | None = None


@dataclass(frozen=True)
class Prepared:
    """Rows to learn from, and what is known of them: `source` and `counts` go on the card."""

    splits: Splits
    encoder: Encoder
    preset: Preset
    source: str
    counts: Mapping[str, int]


def prepare(task: Task, run: Run) -> Prepared:
    """Read or generate the rows and learn words and labels; Mistake if the person must change something."""
    refuse_unwritable(run.store)
    if run.version is not None:
        refuse_published(run.store, run.model, run.version)
    if run.weights and not run.weights.is_file():
        raise Mistake(f"{run.weights}: no such file")
    preset = task.presets[run.preset]
    if run.epochs is not None:
        preset = replace(preset, epochs=run.epochs)
    if run.data:
        own = task.read(run.data, run.seed) if task.read and run.data.exists() else None
        splits = own or files.load(run.data, task, run.seed)
        source = f"{run.data.name} (SHA-256 {digest(run.data)[:16]})"
    else:
        splits, source = task.generate(preset.rows, run.seed), task.data
    encoder = learn(task, splits.train)
    for name, label in lonely(encoder, splits.train):
        print(f"warning: {name} is {label!r} in one training row only; is it a slip?", file=sys.stderr)
    splits = known(encoder, splits)
    return Prepared(splits, encoder, preset, source, {name: length(table) for name, table in vars(splits).items()})


def lonely(encoder: Encoder, train: Table) -> list[tuple[str, str]]:
    """The learnt labels that stand in a single training row, by the name of their column."""
    learnt = {name for name, spec in labelled(encoder.task).items() if spec.labels is None}
    return [(name, label) for name in learnt for label, count in Counter(train[name]).items() if count == 1]


def digest(path: Path) -> str:
    """SHA-256 of a file, or of all files below a folder, one after another by name."""
    total = sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            total.update(file.read_bytes())
    return total.hexdigest()


def known(encoder: Encoder, splits: Splits) -> Splits:
    """Without rows whose label the training rows do not teach: they are counted aloud, for they cannot be judged."""
    kept: dict[str, Table] = {name: encoder.known(table) for name, table in vars(splits).items()}
    for name, table in vars(splits).items():
        dropped = length(table) - length(kept[name])
        if dropped:
            reason = "their labels are not among those learnt from training rows"
            print(f"warning: {dropped} {name} rows dropped: {reason}", file=sys.stderr)
        if not length(kept[name]):
            raise Mistake(f"no {name} rows are left; give more rows per label")
    return Splits(**kept)
