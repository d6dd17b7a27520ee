"""What the command lines have in common: a mistake in one is told in a line."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from training.mistakes import Mistake


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are mistakes."""

    def error(self, message: str) -> NoReturn:
        raise Mistake(f"{message} (see {self.prog} --help)")


def ended(program: str, work: Callable[[], None]) -> int:
    """The exit status of some work: 0, 2 after one line about a mistake, 130 if it was interrupted."""
    try:
        work()
    except Mistake as mistake:
        print(f"{program}: {mistake}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted; nothing was published", file=sys.stderr)
        return 130
    return 0


def positive(text: str) -> int:
    """A whole number above 0."""
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def natural(text: str) -> int:
    """A whole number that may be a seed."""
    number = _whole(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{text} is not in [0, 2^32)")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
