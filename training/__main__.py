"""python -m training MODEL: rows in, an artifact in the store out."""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from training.arguments import Parser, ended, natural, positive
from training.prepare import Run, prepare
from training.quiet import import_quietly


def arguments(given: Sequence[str] | None, models: Sequence[str]) -> argparse.Namespace:
    """The command line, checked; Mistake if it cannot be followed."""
    parser = Parser(prog="python -m training", description="Train a model and export it into the store.")
    parser.add_argument("model", choices=models, metavar="MODEL", help=", ".join(models))
    add = partial(parser.add_argument, metavar="N")
    columns = "CSV, JSONL or Parquet with a column per input and output (default: generated rows)"
    parser.add_argument("--data", type=Path, metavar="FILE", help=columns)
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights to begin with, where a model takes some")
    parser.add_argument("--preset", choices=("quick", "full"), default="quick", help="how much work (default: quick)")
    add("--epochs", type=positive, help="passes over the rows, at most (default: the preset's)")
    add("--seed", type=natural, default=0, help="equal seeds give equal models (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("store"), dest="store", metavar="STORE", help="default: store")
    add("--version", type=positive, help="the version to publish; of the architecture with that number if there is one")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Train as the command line says; 0, or 2 after one line about a mistake."""
    return ended("training", partial(_train, given, time.monotonic()))


def _train(given: Sequence[str] | None, started: float) -> None:
    from training.data import TASKS

    options = arguments(given, list(TASKS))
    run = Run(**vars(options))
    rows = prepare(TASKS[run.model], run)
    import_quietly()
    from models import ZOO
    from training.pipeline import train_and_export

    train_and_export(rows, ZOO[run.model], run, started)


if __name__ == "__main__":
    sys.exit(main())
