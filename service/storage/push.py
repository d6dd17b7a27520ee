"""Publishes a version where nothing can be renamed: its files first, what describes them last."""

from pathlib import Path

from service.errors import ServiceError
from service.storage.location import check, is_url
from service.storage.remote import Away, Remote, connect
from service.versions import manifest
from service.versions.manifest import NAME, SIGNATURE, Untrusted


class CannotPush(ServiceError):
    """The version cannot be published; the message says why."""


def push(folder: Path, store: str) -> str:
    """Publish a version's folder in a store at a URL; what was done, in a line. CannotPush, NoStorage."""
    if not (folder.name.isdecimal() and (folder / "saved_model.pb").is_file()):
        raise CannotPush(f"{folder} is no version's folder")
    if not is_url(store):
        raise CannotPush(f"{store} is no URL such as s3://bucket/models")
    try:
        check(store)
        return publish(folder, connect(store), store.rstrip("/"))
    except (Away, Untrusted, OSError, ValueError) as error:
        raise CannotPush(f"{folder} cannot be published: {error}") from None


def publish(folder: Path, remote: Remote, store: str) -> str:
    """Away, Untrusted, OSError, CannotPush."""
    if not (folder / NAME).is_file():
        manifest.write(folder, folder.parent.name, int(folder.name))
    manifest.check(folder, folder.parent.parent)
    found = manifest.files(folder, folder.parent.parent.resolve())
    here = {path.relative_to(folder).as_posix(): path for path in found}
    target = f"{folder.parent.name}/{folder.name}"
    if there(remote, target, (folder / NAME).read_bytes()):
        return f"{store}/{target} is there already, the same"
    for name in sorted(here, key=lambda name: (name == NAME, name == SIGNATURE, name)):
        remote.write(f"{target}/{name}", str(here[name]))
    size = sum(path.stat().st_size for path in here.values())
    return f"{store}/{target}: {len(here)} files, {size:,} bytes"


def there(remote: Remote, target: str, described: bytes) -> bool:
    """Whether a version is published already; CannotPush, if it is another one."""
    try:
        entry = remote.ls(target).files.get(NAME)
    except FileNotFoundError:
        return False
    if entry is None:
        return False  # a push that was broken off
    if b"".join(remote.read(f"{target}/{NAME}", entry.size)) != described:
        raise CannotPush(f"{target} is published already, and is another: take the next number")
    return True
