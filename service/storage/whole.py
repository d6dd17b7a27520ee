"""Whether a version on a store without renames has arrived whole, judged by its listing. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from service.storage.names import Unfit, is_safe_path
from service.storage.remote import Entry
from service.versions import manifest, refusal
from service.versions.manifest import MOST_TOLD, Untrusted

MODEL = "saved_model.pb"
MOST_BYTES = 2**40


class Part(NamedTuple):
    """A file to pull, and the SHA-256 that it must have, where that is known."""

    size: int
    sha256: str | None = None


def parts(listing: Mapping[str, Entry], described: bytes | None, signed: bool) -> dict[str, Part]:
    """The files of a version that is whole; Unfit says what is wrong or not there yet.

    With a manifest these are the files that it names, and itself and its signature, which must be there if versions
    must be `signed`. Without one they are all that is listed.
    """
    if described is None:
        if signed:
            raise Unfit("incomplete", f"there is no {manifest.NAME}, and only signed versions are loaded")
        found = {name: Part(entry.size) for name, entry in listing.items()}
    else:
        found = named(listing, described)
        if signed and manifest.SIGNATURE not in listing:
            raise Unfit("incomplete", f"{manifest.SIGNATURE} is missing")
        for name in listing.keys() & {manifest.NAME, manifest.SIGNATURE}:
            found[name] = Part(listing[name].size)
    if refusal.FILE in found:
        raise Unfit("unsafe", f"it has a {refusal.FILE}: it was copied out of a cache")
    if MODEL not in found:
        raise Unfit("incomplete", f"{MODEL} is missing")
    if sum(part.size for part in found.values()) > MOST_BYTES:
        raise Unfit("unsafe", f"it has more than {MOST_BYTES} bytes")
    return found


def named(listing: Mapping[str, Entry], described: bytes) -> dict[str, Part]:
    """The files that a manifest names, if they are there; Unfit."""
    try:
        files = manifest.loads(described)["files"]
    except Untrusted as error:
        raise Unfit("incomplete", str(error)) from None
    wrong, found = [], {}
    for name, entry in files.items():
        size, sha256 = (entry.get("size"), entry.get("sha256")) if type(entry) is dict else (None, None)
        if not is_safe_path(name) or type(size) is not int or type(sha256) is not str:
            raise Unfit("unsafe", f"{manifest.NAME} names {name[:100]!r}, or says of it what cannot be")
        if name not in listing:
            wrong.append(f"{name[:200]} is missing")
        elif listing[name].size != size:
            wrong.append(f"{name[:200]} has {listing[name].size} bytes")
        found[name] = Part(size, sha256)
    if wrong:
        raise Unfit("incomplete", f"it is not as {manifest.NAME} says: {', '.join(wrong[:MOST_TOLD])}")
    return found
