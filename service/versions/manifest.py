"""What a version's folder must hold: nothing that leads out of the store, and just the files its manifest names.

    manifest.json       {"model": "qa", "version": 2, "files": {"saved_model.pb": {"size": 91, "sha256": "…"}, …}}
    manifest.json.sig   the Ed25519 signature of its bytes, in base64

A model is a program: who can change one runs as this service. All this is looked at before anything is loaded.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from service.errors import ServiceError
from service.files import read as small

NAME, SIGNATURE = "manifest.json", "manifest.json.sig"
MOST_FILES = 2000
MOST_TOLD = 5
"""Differences that are told."""
BYTES = {"public": 32, "private": 64}
"""Of a key, so that nobody takes one for the other; the second half of a private one is the public one."""

Files = Mapping[str, Mapping[str, Any]]


class Untrusted(ServiceError):
    """A version is not what was published, or leads out of the store; the message has no path of this machine."""


def check(folder: Path, root: Path, trusted: Sequence[bytes] = ()) -> None:
    """Untrusted, unless the folder may be loaded: from within the store at `root`, and as its manifest says, if any.

    With `trusted` public keys there must be one, for this model and version, signed by one of them.
    """
    found = {path.relative_to(folder).as_posix(): path for path in files(folder, root.resolve())}
    described, signature = found.pop(NAME, None), found.pop(SIGNATURE, None)
    if described is None:
        if trusted:
            raise Untrusted(f"there is no {NAME}, and only signed versions are loaded")
        return
    text = small(described)
    manifest = loads(text)
    if trusted:
        if not is_signed(text, small(signature) if signature else b"", trusted):
            raise Untrusted(f"{NAME} is not signed by a key that is trusted here")
        named = f"{manifest.get('model')}/{manifest.get('version')}"
        if named != f"{folder.parent.name}/{folder.name}":
            raise Untrusted(f"{NAME} is that of {named[:200]}")
    different = differences(manifest["files"], found)
    if different:
        raise Untrusted(f"it is not as {NAME} says: {', '.join(different[:MOST_TOLD])}")


def confine(folder: Path, root: Path) -> None:
    """Untrusted, if a folder leads out of the store at `root`, or anything in it is neither file nor folder."""
    for _ in files(folder, root.resolve()):
        pass


def files(folder: Path, root: Path) -> Iterator[Path]:
    """Every file below a folder; Untrusted if anything is neither file nor folder, or leads out of `root`."""
    waiting: list[tuple[Path, tuple[Path, ...]]] = [(folder, ())]
    for _ in range(MOST_FILES):
        if not waiting:
            return
        path, above = waiting.pop()
        real = inside(path, root)
        if path.is_file():
            yield path
        elif not path.exists() and not path.is_symlink():
            raise Untrusted(f"{path.name} is no longer there")
        elif path.is_dir() and real not in above:
            waiting += [(inner, (*above, real)) for inner in sorted(path.iterdir(), reverse=True)]
        else:
            raise Untrusted(f"{path.name} is no file" if real not in above else f"{path.name} leads in a circle")
    raise Untrusted(f"{folder.name} has more than {MOST_FILES} files and folders")


def inside(path: Path, root: Path) -> Path:
    """Where a path leads; Untrusted, unless that is in `root`."""
    try:
        real = path.resolve()
    except (OSError, RuntimeError):
        raise Untrusted(f"{path.name} leads in a circle") from None
    if not real.is_relative_to(root):
        raise Untrusted(f"{path.name} leads out of the store")
    return real


def loads(text: bytes) -> dict[str, Any]:
    """A manifest; Untrusted if it is none."""
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        manifest = None
    if type(manifest) is not dict or type(manifest.get("files")) is not dict:
        raise Untrusted(f"{NAME} is none")
    return manifest


def differences(listed: Mapping[str, Any], found: Mapping[str, Path]) -> list[str]:
    """What is not as listed; the bytes of files are read only where all else is right."""
    told = [f"{name[:200]} is missing" for name in listed if name not in found]
    told += [f"{name} is not listed" for name in found if name not in listed]
    told += [
        f"{name} has {size} bytes"
        for name, path in found.items()
        if name in listed and not agrees(listed[name], "size", size := path.stat().st_size)
    ]
    return told or [
        f"{name} has other bytes" for name, path in found.items() if not agrees(listed[name], "sha256", sha256(path))
    ]


def agrees(entry: Any, field: str, value: Any) -> bool:
    return type(entry) is dict and type(entry.get(field)) is type(value) and entry[field] == value


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(folder: Path, model: str, version: int) -> bytes:
    """Describe what a folder holds now, in its manifest; the manifest's bytes. A signature there was is gone."""
    (folder / SIGNATURE).unlink(missing_ok=True)
    root = folder.absolute().parent.parent.resolve()
    listed = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": sha256(path)}
        for path in files(folder, root)
        if path != folder / NAME
    }
    text = (json.dumps({"model": model, "version": version, "files": listed}, indent=1) + "\n").encode()
    draft = folder / f".{NAME}"
    draft.write_bytes(text)
    draft.replace(folder / NAME)
    return text


def is_signed(text: bytes, signature: bytes, trusted: Collection[bytes]) -> bool:
    """Whether this is the signature, in base64, of one of these public keys."""
    from nacl.exceptions import CryptoError
    from nacl.signing import VerifyKey

    for key in trusted:
        try:
            VerifyKey(key).verify(text, base64.b64decode(signature.strip(), validate=True))
        except (CryptoError, ValueError, TypeError):
            continue
        return True
    return False


def public_keys(paths: Sequence[str]) -> list[bytes]:
    """The public keys in these files; Untrusted names a file that has none."""
    return [key(Path(path), "public") for path in paths]


def key(path: Path, kind: str) -> bytes:
    """The key of a file, in base64: 32 bytes if public; if private, 64, of which 32 make it. Untrusted."""
    try:
        found = base64.b64decode(small(path).strip(), validate=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not base64"
        raise Untrusted(f"{path}: {reason}") from None
    if len(found) != BYTES[kind]:
        other = next((f": it is a {name} one" for name, length in BYTES.items() if len(found) == length), "")
        raise Untrusted(f"{path}: expected a {kind} key, {BYTES[kind]} bytes in base64{other}")
    return found[:32]
