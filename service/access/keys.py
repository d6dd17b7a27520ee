"""API keys as they stand in a file: one entry for each, with the key's hash, never the key.

    [{"name": "shop", "sha256": "9f86d0…", "scopes": ["predict", "read"], "models": ["qa"], "concurrency": 4,
      "expires": "2027-01-01T00:00:00Z", "created": "2026-11-22T12:00:00Z"}]

A key is 256 random bits: nobody finds it by trying, so a fast hash keeps it as safe as a slow one would.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from service.errors import ServiceError
from service.versions.store import MODEL_NAME

PREFIX = "mfd_"
"""What every key begins with, so that programs that look for lost secrets know one."""
RANDOM_BYTES = 32
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HASH = re.compile(r"[0-9a-f]{64}")
FIELDS = {"name", "sha256", "scopes", "models", "concurrency", "expires", "created"}
MOST_AT_ONCE = 1000
MOST_TOLD = 10
"""Faults of a file that are told at once."""


class BadKeys(ServiceError):
    """The file of keys cannot be used; the message says why, without any hash."""


class Scope(StrEnum):
    """What a key may do; none includes another."""

    PREDICT = "predict"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True)
class Key:
    """One entry; None of `models`, `concurrency` and `expires` (a POSIX second) sets no limit."""

    name: str
    digest: bytes
    scopes: frozenset[Scope]
    models: frozenset[str] | None = None
    concurrency: int | None = None
    expires: float | None = None


Keys = Mapping[bytes, Key]
"""By the digest of the key."""


def fresh() -> str:
    """A new key."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def digest(secret: str) -> bytes:
    """What a file keeps of a key.

    >>> digest("mfd_x").hex()[:8]
    'd5a9135d'
    """
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def loads(text: str | bytes) -> Keys:
    """The keys of a file's text; BadKeys says all that is wrong with it."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadKeys(f"it is not JSON: {error}") from None
    if type(entries) is not list:
        raise BadKeys("expected a list of entries")
    wrong = [f"entry {at}: {fault}" for at, entry in enumerate(entries) for fault in faults(entry)]
    if not wrong:
        first: dict[str, int] = {}
        wrong = [
            f"entry {at}: that key stands there already"
            for at, entry in enumerate(entries)
            if first.setdefault(entry["sha256"], at) != at
        ]
    if wrong:
        raise BadKeys("; ".join(wrong[:MOST_TOLD]))
    return {key.digest: key for key in map(made, entries)}


def faults(entry: Any) -> Iterator[str]:
    """All that is wrong with an entry."""
    if type(entry) is not dict:
        yield "expected an object"
        return
    for name in sorted(entry.keys() - FIELDS):
        yield f"there is no field {name[:40]!r}"
    if not matches(NAME, entry.get("name")):
        yield "name: expected up to 64 letters, digits and ._-"
    if not matches(HASH, entry.get("sha256")):
        yield "sha256: expected 64 hexadecimal digits, in lower case"
    known = [scope.value for scope in Scope]
    if not (is_texts(entry.get("scopes")) and entry["scopes"] and set(entry["scopes"]) <= set(known)):
        yield f"scopes: expected a list of {', '.join(known)}"
    if "models" in entry and not (is_texts(entry["models"]) and all(matches(MODEL_NAME, m) for m in entry["models"])):
        yield "models: expected a list of models' names"
    most = entry.get("concurrency", 1)
    if type(most) is not int or not 1 <= most <= MOST_AT_ONCE:
        yield f"concurrency: expected a whole number from 1 to {MOST_AT_ONCE}"
    if "expires" in entry and second(entry["expires"]) is None:
        yield "expires: expected a time such as 2027-01-01T00:00:00Z"


def matches(pattern: re.Pattern[str], value: Any) -> bool:
    return type(value) is str and pattern.fullmatch(value) is not None


def is_texts(value: Any) -> bool:
    return type(value) is list and all(type(one) is str for one in value)


def made(entry: Mapping[str, Any]) -> Key:
    """A faultless entry as a key."""
    return Key(
        name=entry["name"],
        digest=bytes.fromhex(entry["sha256"]),
        scopes=frozenset(map(Scope, entry["scopes"])),
        models=frozenset(entry["models"]) if "models" in entry else None,
        concurrency=entry.get("concurrency"),
        expires=second(entry["expires"]) if "expires" in entry else None,
    )


def second(text: Any) -> float | None:
    """The POSIX second of a time in ISO 8601, of UTC unless it says otherwise; None if it is none.

    >>> second("1970-01-02"), second("1970-01-01T01:00:00+01:00"), second("soon")
    (86400.0, 0.0, None)
    """
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
