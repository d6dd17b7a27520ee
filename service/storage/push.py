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
        if SIGNATURE not in here or has(remote, f"{target}/{SIGNATURE}", here[SIGNATURE].read_bytes()):
            return f"{store}/{target} is there already, the same"
        remote.write(f"{target}/{SIGNATURE}", str(here[SIGNATURE]))
        return f"{store}/{target} is there already, the same; now with this signature"
    for name in sorted(here, key=lambda name: (name == NAME, name == SIGNATURE, name)):
        remote.write(f"{target}/{name}", str(here[name]))
    size = sum(path.stat().st_size for path in here.values())
    return f"{store}/{target}: {len(here)} files, {size:,} bytes"


def there(remote: Remote, target: str, described: bytes) -> bool:
    """Whether a version is published already; CannotPush, if it is another one."""
    known = has(remote, f"{target}/{NAME}", described)
    if known is False:
        raise CannotPush(f"{target} is published already, and is another: take the next number")
    return known is True


def has(remote: Remote, path: str, content: bytes) -> bool | None:
    """Whether a file there has this content; None if it is not there, as after a push that was broken off."""
    folder, _, name = path.rpartition("/")
    try:
        entry = remote.ls(folder).files.get(name)
    except FileNotFoundError:
        return None
    return None if entry is None else b"".join(remote.read(path, entry.size)) == content
