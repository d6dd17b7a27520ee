"""Where a store lies, and where the copy of one at a URL does."""

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


def is_url(store: str) -> bool:
    """Whether a store is to be pulled.

    >>> is_url("s3://bucket/models"), is_url("/srv/store")
    (True, False)
    """
    return SCHEME.match(store) is not None


def check(store: str) -> None:
    """ValueError if a URL has what would be logged and must not, or what no store has; it does not repeat it.

    >>> check("s3://bucket/models")
    """
    if not is_url(store):
        return
    parts = urlsplit(store)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("a URL with credentials or a query: they go into the environment (docs/storage.md)")
    if ".." in parts.path.split("/") or not (parts.netloc or parts.path.strip("/")):
        raise ValueError("expected a URL such as s3://bucket/models")


def place(store: str, cache: str) -> Path:
    """The folder in a cache that is one store's own; stores may share a cache.

    >>> place("s3://bucket/models/", "/cache")
    PosixPath('/cache/s3-bucket-models-f477f9e8')
    """
    store = store.rstrip("/")
    name = re.sub(r"[^A-Za-z0-9]+", "-", store)[:60]
    home = os.path.expanduser(cache)  # noqa: PTH111 - who has no home gets a folder called "~", and no exception
    return Path(home) / f"{name}-{hashlib.sha256(store.encode()).hexdigest()[:8]}"
