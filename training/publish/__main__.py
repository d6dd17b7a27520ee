"""python -m training.publish FILE: a .keras file or a SavedModel in, an artifact in the store out."""

import argparse
import re
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from training.arguments import Parser, ended, positive
from training.mistakes import Mistake
from training.publish import own_card, told
from training.quiet import import_quietly
from training.versions import Version, number, published, refuse_unwritable

WHERE = ("Graph execution error", "Detected at node", "<stack traces", " ", "\t")
"""How the lines of TensorFlow's errors begin that say where it stumbled."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked; Mistake if it cannot be followed."""
    parser = Parser(prog="python -m training.publish", description="Publish a model that was trained elsewhere.")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a .keras file (model.save), or a SavedModel's folder (model.export)"
    )
    rows = "CSV, JSONL or Parquet with a column per input, to try it on (default: numbers by chance)"
    parser.add_argument("--rows", type=Path, metavar="FILE", help=rows)
    parser.add_argument(
        "--card", type=Path, metavar="FILE", help="JSON: titles, units, labels, whatever shall stand on the card"
    )
    parser.add_argument("--model", metavar="NAME", help="its name in the store (default: the file's)")
    parser.add_argument("--out", type=Path, default=Path("store"), dest="store", metavar="STORE", help="default: store")
    parser.add_argument("--version", type=positive, metavar="N", help="the version to publish (default: the next one)")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Publish as the command line says; 0, or 2 after one line about a mistake."""
    return ended("publish", partial(_run, given, time.monotonic()))


def _run(given: Sequence[str] | None, started: float) -> None:
    options = arguments(given)
    version = place(options)
    print(f"{version.model} version {version.number}", flush=True)
    folder = _publish(options, own_card.read(options.card), version, started)
    print(*told.lines(folder), f"{folder}  ({time.monotonic() - started:.0f} s)", *told.next_steps(folder), sep="\n")


def place(options: argparse.Namespace) -> Version:
    """Where it will lie; Mistake if that cannot be."""
    file = options.file.absolute()
    found = file.parent.name if file.name.isdigit() else file.stem
    model = options.model or found
    if not NAME.fullmatch(model):
        raise Mistake(f"{model!r} is no name of a model; give --model NAME, of letters, digits, dots and dashes")
    refuse_unwritable(options.store)
    above_all = max(published(options.store, model), default=0) + 1
    return Version(options.store, model, number(options.store, model, options.version, above_all))


def _publish(options: argparse.Namespace, said: dict[str, Any], version: Version, started: float) -> Path:
    import_quietly()
    import tensorflow as tf

    from training.artifact import publish
    from training.publish.brought import opened
    from training.publish.source import Outside

    try:
        return publish(Outside(opened(options.file), said, options.rows, started), version)
    except tf.errors.OpError as error:
        tried = options.rows or "made-up rows, give --rows FILE"
        raise Mistake(f"the model cannot answer {tried}: {_reason(error.message)}") from error


def _reason(message: str) -> str:
    """What TensorFlow complains of, without where its graph does so.

    >>> _reason("Graph execution error:\\n\\nDetected at node x\\nOut of range\\n\\t [[{{node x}}]]")
    'Out of range'
    """
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith(WHERE)]
    return lines[0][:200] if lines else "it does not say why"


if __name__ == "__main__":
    sys.exit(main())
