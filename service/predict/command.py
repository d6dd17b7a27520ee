"""`python -m service predict MODEL`: one row by flags, or a file of rows. Light: the work is done in asking.py."""

import argparse
import os
from typing import Any

from service import settings
from service.predict import options
from service.predict.options import COMMAND, early


def add(commands: Any) -> None:
    """Add it to the commands; the flags of a model are read once it is known."""
    predict = commands.add_parser(
        "predict",
        help="ask a model, or have a file of rows answered",
        usage=f"{COMMAND} MODEL [--INPUT VALUE …] [more]",
        description="Ask a model in the terminal, or score a file of rows: as a server would, with nothing to start.",
        epilog=f"{COMMAND} MODEL --help says what a model takes.",
        add_help=False,
        allow_abbrev=False,
    )
    options.add(predict)
    # Not required: who names no model is told which there are.
    predict.add_argument("model", help="its name in the store").required = False
    predict.add_argument("rest", nargs=argparse.REMAINDER, default=[], help=argparse.SUPPRESS).required = False
    predict.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Its exit status; ServiceError of what cannot be."""
    said = early(given.rest or [], given)
    chosen = settings.read(os.environ, {"store": said.store})
    from service.predict import asking

    return asking.main(given, said, chosen)
