"""python -m training MODEL: rows in, an artifact in the store out."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from training.mistakes import Mistake
from training.quiet import import_quietly


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Mistake(f"{message} (see python -m training --help)")


def arguments(given: Sequence[str] | None, models: Sequence[str]) -> argparse.Namespace:
    """The command line, checked; Mistake if it cannot be followed."""
    parser = _Parser(prog="python -m training", description="Train a model and export it into the store.")
    parser.add_argument("model", choices=models, metavar="MODEL", help=", ".join(models))
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="CSV, JSONL or Parquet, one column per input and output; generated rows without it",
    )
    parser.add_argument("--preset", choices=("quick", "full"), default="quick", help="how much work (default: quick)")
    parser.add_argument(
        "--epochs", type=_positive, metavar="N", help="passes over the rows, at most (default: the preset's)"
    )
    parser.add_argument(
        "--seed", type=_natural, default=0, metavar="N", help="equal seeds give equal models (default: 0)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("store"), metavar="STORE", help="where versions are published (default: store)"
    )
    parser.add_argument(
        "--version",
        type=_positive,
        metavar="N",
        help="the version to publish, and the architecture's if it has that number",
    )
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Train as the command line says; 0, or 2 after one line about a mistake."""
    started = time.monotonic()
    try:
        from training.data import TASKS

        options = arguments(given, list(TASKS))
        import_quietly()
        from models import ZOO
        from training.pipeline import Run, train_and_export

        run = Run(options.model, options.preset, options.seed, options.out, options.version, options.data)
        task, versions = TASKS[options.model], ZOO[options.model]
        if options.epochs:
            task = replace(
                task, presets={name: replace(preset, epochs=options.epochs) for name, preset in task.presets.items()}
            )
        train_and_export(task, versions, run, started)
    except Mistake as mistake:
        print(f"training: {mistake}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("training: interrupted; nothing was published", file=sys.stderr)
        return 130
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _natural(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{text} is not in [0, 2^32)")
    return number


if __name__ == "__main__":
    sys.exit(main())
