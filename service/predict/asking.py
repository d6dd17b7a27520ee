"""A model loaded, and asked what the flags say: its help, one row, or a file of rows."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from service import schemas
from service.errors import InvalidInput
from service.handle import ModelHandle
from service.outputs import JSON
from service.predict import finding, flags, shown, table
from service.predict.complaints import BadCommand, words
from service.predict.scoring import Scorer
from service.predict.values import readings
from service.predict.written import Wanted
from service.schemas import Asked
from service.settings import Settings, listed


def main(given: argparse.Namespace, said: argparse.Namespace, chosen: Settings) -> int:
    """Ask the model; the exit status. ServiceError; what is wrong with the input is in words, not in pointers."""
    try:
        asked = query(said)
        with interruptible():
            handle = finding.load(chosen, said.model, asked.version, asked.label)
            try:
                return answer(handle, flags.read(handle, given.rest or [], given), asked, chosen)
            finally:
                handle.close()
    except InvalidInput as error:
        raise BadCommand(words(error)) from None
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who read the answers has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def query(said: argparse.Namespace) -> Asked:
    """What a query string would say; InvalidInput."""
    given = {name: getattr(said, name) for name in ("version", "label", "outputs", "top")}
    return schemas.query({name: text for name, text in given.items() if text is not None})


def answer(handle: ModelHandle, said: argparse.Namespace, asked: Asked, chosen: Settings) -> int:
    """The exit status of one row, or of a file."""
    names = schemas.output_names(asked.outputs, list(handle.signature.outputs))
    row = flags.row(handle, said)
    if said.file is not None:
        if row or said.example:
            raise BadCommand("--file brings the rows: no input beside it, and no --example")
        wanted = Wanted(names, asked.top or 0, alone=said.answers_only, errors=said.skip_bad)
        files = table.Files(said.file, said.out or table.STDIO)
        return table.score(handle, files, wanted, listed(said.keep or ""), lines=said.json)
    if said.out is not None:
        raise BadCommand("--out is for the answers to a --file of rows")
    if said.example:
        row = {**handle.rows.example, **row}
    if not row:
        print(flags.needed(handle), file=sys.stderr)
        return 2
    top = chosen.top if asked.top is None else asked.top
    scorer = Scorer(handle, readings(handle), names, top)
    (found,) = scorer.answers([scorer.load(row)])
    tell(handle, row, found, said)
    return 0


def tell(handle: ModelHandle, row: dict[str, Any], found: dict[str, Any], said: argparse.Namespace) -> None:
    """An answer: for people on a terminal, else as the service gives it; an example is shown before it."""
    if said.json or not sys.stdout.isatty():
        print(orjson.dumps(found, option=JSON).decode())
        return
    if said.example:
        print("\n".join(shown.row(handle.card, row)), end="\n\n")
    print(shown.answer(handle.card, found))


@contextmanager
def interruptible() -> Iterator[None]:
    """A SIGTERM is a Ctrl-C: what was begun is taken back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
