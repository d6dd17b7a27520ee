"""python -m service sign FOLDER: describe a version's files, and sign that; or make a pair of keys for it."""

import argparse
import base64
import os
from pathlib import Path
from typing import Any

from service.errors import ServiceError
from service.versions import manifest

PUBLIC = ".pub"


class CannotSign(ServiceError):
    """There is nothing to sign, or nothing to sign with; the message says why."""


def add(commands: Any) -> None:
    """Add `sign` to the commands."""
    found = commands.add_parser("sign", help="write the manifest of one version, and sign it")
    found.set_defaults(run=run)
    found.add_argument("folder", nargs="?", help="a version's folder, such as store/qa/2")
    found.add_argument("--key", help="file of the private key to sign with. Default: the manifest is not signed")
    found.add_argument("--new-key", metavar="FILE", help=f"make a pair: a private key, and beside it FILE{PUBLIC}")


def run(given: argparse.Namespace) -> int:
    """Do it; CannotSign, Untrusted."""
    if not given.folder and not given.new_key:
        raise CannotSign("sign what? Name a version's folder, or --new-key FILE")
    if given.new_key:
        print(f"{make(Path(given.new_key))}: the public key, for MANIFOLD_TRUST")
    if given.folder:
        print(sign(Path(given.folder).absolute(), given.key or given.new_key))
    return 0


def sign(folder: Path, key: str | None) -> Path:
    """Write a version's manifest, and its signature if there is a key; the last file written."""
    if not (folder.name.isdecimal() and (folder / "saved_model.pb").is_file()):
        raise CannotSign(f"{folder} is no version's folder")
    seed = manifest.key(Path(key), "private") if key else b""
    text = manifest.write(folder, folder.parent.name, int(folder.name))
    if not seed:
        return folder / manifest.NAME
    from nacl.signing import SigningKey

    signature = folder / manifest.SIGNATURE
    signature.write_bytes(base64.b64encode(SigningKey(seed).sign(text).signature) + b"\n")
    return signature


def make(private: Path) -> Path:
    """A pair of keys in new files; the public one."""
    from nacl.signing import SigningKey

    made = SigningKey.generate()
    known = made.verify_key.encode()
    public = private.with_name(private.name + PUBLIC)
    try:
        for path, key, mode in ((private, made.encode() + known, 0o600), (public, known, 0o644)):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(base64.b64encode(key) + b"\n")
    except OSError as error:
        raise CannotSign(f"{error.filename}: {error.strerror}") from error
    return public
