"""python -m service pull | push FOLDER URL: from a store at a URL what is wanted; into one a version."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from service import logs, settings
from service.errors import ServiceError
from service.settings import PREFIX, BadSettings, Settings
from service.storage.location import is_url


def add(commands: Any) -> None:
    """Add the two to the commands."""
    pull = commands.add_parser("pull", help="pull what is wanted of a store at a URL, and end")
    pull.add_argument("--store", help="Or MANIFOLD_STORE.")
    pull.add_argument("--cache", help="Or MANIFOLD_CACHE.")
    pull.add_argument("--follow", type=int, default=0, help=argparse.SUPPRESS)  # the server that has started it
    pull.set_defaults(run=run_pull)
    push = commands.add_parser("push", help="publish a version in a store at a URL")
    push.add_argument("folder", help="a version's folder, such as store/qa/3")
    push.add_argument("store", help="a URL, such as s3://bucket/models")
    push.set_defaults(run=run_push)


def run_pull(given: argparse.Namespace) -> NoReturn:
    """Pull; 0 if there is something to serve, else 1. With `--follow` again and again, until the server ends."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    leave(lambda: pull(settings.read(os.environ, {"store": given.store, "cache": given.cache}), given.follow))


def pull(chosen: Settings, follow: int) -> int:
    """Its exit status; BadSettings, NoStorage. `follow` is the process of the server, which may have ended by now."""
    if not is_url(chosen.store):
        raise BadSettings(f"{PREFIX}STORE={chosen.store} is a folder: there is nothing to pull")
    logs.begin(chosen.log_level, chosen.log_format)
    shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    from service.storage.puller import Puller

    puller = Puller(chosen, Path(shared) / "served" if shared and follow else None)
    try:
        if not follow:
            return 0 if puller.first() else 1
        puller.follow(lambda: os.getppid() == follow)
    except OSError as error:
        raise BadSettings(f"{PREFIX}CACHE={chosen.cache}: {error.strerror}") from None
    return 0


def run_push(given: argparse.Namespace) -> NoReturn:
    """Publish; 0 also if it was there already, as it is here."""
    from service.storage import push

    leave(lambda: print(push.push(Path(given.folder).absolute(), given.store)) or 0)


def leave(do: Callable[[], int]) -> NoReturn:
    """Do something, and end; not as Python does, for threads of obstore outlive that, and may abort the process."""
    try:
        status = do()
    except ServiceError as error:
        print(error, file=sys.stderr)
        status = 2
    except SystemExit:
        status = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
