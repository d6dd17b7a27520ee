"""python -m service keys add NAME | list | remove NAME: the keys of a file, which a running server follows."""

import argparse
import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service import files, settings
from service.access import keys
from service.access.audit import Audit, now, user
from service.access.keyring import read
from service.access.keys import BadKeys, Scope

SHOWN = 8
"""Digits of a hash that tell the keys of one name apart."""

Entries = list[dict[str, Any]]


def add(commands: Any) -> None:
    """Add `keys` to the commands."""
    found = commands.add_parser("keys", help="make, list and remove API keys, of which only hashes are kept")
    found.set_defaults(run=run)
    found.add_argument("--file", help=f"the file of keys. Default: {settings.PREFIX}KEYS")
    verbs = found.add_subparsers(dest="verb", required=True)
    adding = verbs.add_parser("add", help="make a key; it is shown this once")
    adding.add_argument("name", help="whose key it is")
    scopes = [scope.value for scope in Scope]
    adding.add_argument("--scope", action="append", required=True, choices=scopes, help="what it may do; may be many")
    adding.add_argument("--model", action="append", help="the only model it may ask; may be many. Default: all")
    adding.add_argument("--concurrency", type=whole, help="its requests at once, over all workers. Default: any")
    adding.add_argument("--expires", help="when it ends, such as 2027-01-01. Default: never")
    verbs.add_parser("list", help="every key's name, beginning of its hash, and limits")
    removing = verbs.add_parser("remove", help="remove the keys of a name, or one of them")
    removing.add_argument("name", help="whose key it was")
    removing.add_argument("--sha256", default="", help="only the key whose hash begins so")


def run(given: argparse.Namespace) -> int:
    """Do it; BadKeys."""
    chosen = settings.read(os.environ)
    if not (given.file or chosen.keys):
        raise BadKeys(f"which file? Say --file FILE, or set {settings.PREFIX}KEYS")
    path = Path(given.file or chosen.keys).resolve()
    if given.verb == "list":
        print(*map(row, entries(path)), sep="\n")
        return 0
    told: list[str] = []
    change = {"add": added, "remove": removed}[given.verb]
    with locked(path.parent):
        write(path, change(given, entries(path) if path.exists() else [], told.append))
    who = user()
    Audit(chosen.audit).record(who, "local", f"keys {given.verb}", "done", key=given.name)
    print(*told, sep="\n")
    if given.verb == "add":
        print("This key is shown once; only its hash is kept.", file=sys.stderr)
    return 0


def added(given: argparse.Namespace, before: Entries, tell: Callable[[str], None]) -> Entries:
    """The entries with a new one, whose key is told; BadKeys."""
    secret = keys.fresh()
    entry = {
        "name": given.name,
        "sha256": keys.digest(secret).hex(),
        "scopes": list(dict.fromkeys(given.scope)),
        "models": given.model,
        "concurrency": given.concurrency,
        "expires": given.expires,
        "created": now(),
    }
    entry = {name: value for name, value in entry.items() if value is not None}
    if wrong := list(keys.faults(entry)):
        raise BadKeys("; ".join(wrong))
    tell(secret)
    return [*before, entry]


def removed(given: argparse.Namespace, before: Entries, tell: Callable[[str], None]) -> Entries:
    """The entries without those of a name; BadKeys if there is none."""
    gone = [one for one in before if one["name"] == given.name and one["sha256"].startswith(given.sha256)]
    if not gone:
        raise BadKeys(f"there is no such key: {given.name} {given.sha256}".rstrip())
    for entry in gone:
        tell(f"removed {row(entry)}")
    return [one for one in before if one not in gone]


def whole(text: str) -> int | str:
    """A whole number, or the text where it is none, for the checks of an entry to refuse."""
    return int(text) if text.isascii() and text.isdecimal() else text


def row(entry: dict[str, Any]) -> str:
    """An entry in a line."""
    limits = [f"models {','.join(entry['models'])}"] if "models" in entry else []
    limits += [f"{name} {entry[name]}" for name in ("concurrency", "expires") if name in entry]
    return "  ".join([f"{entry['name']:<20}", entry["sha256"][:SHOWN], ",".join(entry["scopes"]), *limits])


def entries(path: Path) -> Entries:
    """What stands in a file; BadKeys."""
    read(path)
    found: Entries = json.loads(path.read_bytes())
    return found


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep others from changing the files of a folder by this command; BadKeys if there is none."""
    try:
        file = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise BadKeys(f"{folder}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def write(path: Path, found: Entries) -> None:
    """Put the entries in the file's place by one rename; only its owner reads a new file. BadKeys."""
    text = json.dumps(found, indent=2) + "\n"
    keys.loads(text)
    try:
        with files.replacing(path, mode=0o600) as file:
            file.write(text.encode())
    except OSError as error:
        raise BadKeys(f"{path}: {error.strerror}") from error
