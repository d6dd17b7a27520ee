"""The flags of `predict` that every model has; light, for all commands are told apart with them."""

import argparse
from typing import NoReturn

from service.predict.complaints import BadCommand

COMMAND = "python -m service predict"


class Parser(argparse.ArgumentParser):
    """Refuses as all of the command does: in one message."""

    def error(self, message: str) -> NoReturn:
        raise BadCommand(message)


def add(parser: argparse.ArgumentParser, *, helped: bool = True) -> None:
    """Add the flags that every model has, and `--help` unless that is another parser's."""
    more = parser.add_argument_group("more")
    if helped:
        more.add_argument("-h", "--help", action="help", help="show this and end")
    more.add_argument("--example", action="store_true", help="ask what the model's own example asks")
    more.add_argument("--json", action="store_true", help="answer in JSON; always, where no terminal shows it")
    more.add_argument("--outputs", metavar="NAMES", help="only these outputs, separated by commas")
    more.add_argument("--top", metavar="N", help="so many labels of each output of many")
    more.add_argument("--version", metavar="N", help="this version, not the one that a server would answer with")
    more.add_argument("--label", metavar="NAME", help="the version of this label")
    more.add_argument("--store", metavar="STORE", help="folder or URL of the models. Or MANIFOLD_STORE.")
    rows = parser.add_argument_group("many rows")
    rows.add_argument("--file", metavar="ROWS", help="a .csv, .jsonl or .json file of rows; - is standard input")
    rows.add_argument("--out", metavar="ANSWERS", help="file for rows and answers, by the same endings, or -")
    rows.add_argument("--answers-only", action="store_true", help="write the answers without the rows")
    rows.add_argument("--keep", metavar="NAMES", help="columns that are no inputs, but go along, such as id")
    rows.add_argument("--skip-bad", action="store_true", help="go on after bad rows: they get a reason, and no answer")


def early(rest: list[str], given: argparse.Namespace) -> argparse.Namespace:
    """What is said beside the model's own flags, before they are known."""
    parser = Parser(add_help=False, allow_abbrev=False)
    add(parser, helped=False)
    return parser.parse_known_args(rest, argparse.Namespace(**vars(given)))[0]
