"""What lies at a URL: the one place that speaks to fsspec, for which obstore speaks S3 and GCS."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from service.errors import ServiceError
from service.storage.names import Unfit, is_safe
from service.versions.manifest import MOST_FILES

CHUNK = 8 * 2**20
"""Bytes asked for at once."""
DEEPEST = 16
TAGS = ("e_tag", "ETag", "etag", "generation", "md5Hash", "mtime", "LastModified", "last_modified", "created")
"""What another backend calls that which changes with a file's bytes, the best first."""
OPTIONS = {
    "client_options": {"allow_http": True, "connect_timeout": "5s", "timeout": "60s"},
    "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=30)},
}
"""For obstore: who looks again need not try for long; http is for endpoints that the environment names so."""


class Away(ServiceError):
    """The store cannot be reached, or does not let us in; the message is one line."""


class NoStorage(ServiceError):
    """Nothing here can speak to such a store; the message says what to install."""


class Entry(NamedTuple):
    """What a listing says of a file: its bytes, and a text that changes with them."""

    size: int
    tag: str


class Listing(NamedTuple):
    """The files and the folders right below one; `odd` are links and whatever else is neither."""

    files: dict[str, Entry]
    folders: list[str]
    odd: list[str]


class Remote:
    """Files below `root` of an fsspec file system; what it cannot do is Away, what is not there FileNotFoundError."""

    def __init__(self, system: Any, root: str) -> None:
        self._system = system
        self._root = root.rstrip("/")

    def ls(self, path: str = "") -> Listing:
        """What lies right below a path; Away, FileNotFoundError."""
        folder = f"{self._root}/{path}".rstrip("/")
        found = Listing({}, [], [])
        for entry in self._do("ls", folder, detail=True):
            name = entry["name"].rstrip("/").rpartition("/")[2]
            if entry["name"].strip("/") == folder.strip("/"):
                continue  # an object that stands for the folder
            if entry.get("islink") or entry["type"] not in ("file", "directory"):
                found.odd.append(name)
            elif entry["type"] == "directory":
                found.folders.append(name)
            else:
                tag = next((str(entry[key]) for key in TAGS if entry.get(key)), "")
                found.files[name] = Entry(int(entry["size"]), tag)
        return found

    def files(self, path: str) -> dict[str, Entry]:
        """All files below a path, by relative names; Away, FileNotFoundError, or Unfit, if one could lead elsewhere."""
        found: dict[str, Entry] = {}
        waiting = [""]
        while waiting:
            inner = waiting.pop()
            listing = self.ls(f"{path}/{inner}".rstrip("/"))
            for name in (*listing.files, *listing.folders, *listing.odd):
                if not is_safe(name) or name in listing.odd:
                    raise Unfit("unsafe", f"{inner}{name!r} is no name of a file or folder")
            found |= {inner + name: entry for name, entry in listing.files.items()}
            waiting += [f"{inner}{name}/" for name in listing.folders]
            if len(found) + len(waiting) > MOST_FILES or inner.count("/") > DEEPEST:
                raise Unfit("unsafe", f"there are more than {MOST_FILES} files, or folders {DEEPEST} deep")
        return found

    def read(self, path: str, size: int) -> Iterator[bytes]:
        """So many bytes of a file, in pieces; Away, FileNotFoundError."""
        for start in range(0, size, CHUNK):
            yield self._do("cat_file", f"{self._root}/{path}", start=start, end=min(start + CHUNK, size))

    def write(self, path: str, local: str) -> None:
        """Put a local file there; Away."""
        target = f"{self._root}/{path}"
        self._do("makedirs", target.rpartition("/")[0], exist_ok=True)
        self._do("put_file", local, target)

    def _do(self, what: str, *arguments: Any, **options: Any) -> Any:
        self._system.invalidate_cache()
        try:
            return getattr(self._system, what)(*arguments, **options)
        except FileNotFoundError:
            raise
        except Exception as error:
            lines = str(error).splitlines()
            raise Away(f"{type(error).__name__}: {lines[0][:300] if lines else 'no message'}") from None


def connect(url: str) -> Remote:
    """The store at a URL; NoStorage. Nothing is asked of it yet."""
    try:
        import fsspec
        import obstore.fsspec
    except ImportError:
        raise NoStorage(f"the store {url} needs fsspec and obstore (deploy/requirements/slim.txt)") from None
    scheme = url.partition("://")[0]
    spoken = scheme in obstore.fsspec.SUPPORTED_PROTOCOLS - {"file", "memory"}
    if spoken:
        obstore.fsspec.register(scheme)
    try:
        system, root = fsspec.core.url_to_fs(url, **(OPTIONS if spoken else {}))
    except (ImportError, ValueError) as error:
        raise NoStorage(f"the store {url}: {error}") from None
    return Remote(system, root)
