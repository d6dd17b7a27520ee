"""The policies of all models: serving.json, read strictly.

{"qa": {"versions": 2, "labels": {"stable": 3}, "canary": {"version": 5, "percent": 10}, "nan": "refuse"}}
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from service import files
from service.errors import Fault, ServiceError, placed
from service.nested import show
from service.schemas import escape
from service.versions.policy import Canary, Policy, Versions
from service.versions.store import MODEL_NAME
from service.wording import MOST_ECHOED, nearest

FILE = "serving.json"
MOST_VERSION = 10**18 - 1


class BadPolicy(ServiceError):
    """The policy file cannot be read, or says what cannot be; the message has a line for each fault."""


def read(path: Path) -> dict[str, Policy]:
    """The policies of a file by model, {} where there is none; BadPolicy."""
    try:
        text = files.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BadPolicy(f"{path}: {error.strerror}") from None
    try:
        return parse(text)
    except BadPolicy as error:
        raise BadPolicy("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None


def parse(text: bytes) -> dict[str, Policy]:
    """The policies in a JSON text; BadPolicy."""
    faults: list[Fault] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        faults.extend(Fault("", f"{name[:MOST_ECHOED]!r} stands twice") for name in set(names) if names.count(name) > 1)
        return dict(pairs)

    try:
        document = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise BadPolicy(f"not JSON: {error}") from None
    policies = {}
    if type(document) is dict:
        faults += [
            Fault(f"/{escape(name[:MOST_ECHOED])}", "this is no model's name")
            for name in document
            if not MODEL_NAME.fullmatch(name)
        ]
        policies = {name: build(policy, f"/{escape(name)}", faults) for name, policy in document.items()}
    else:
        faults.append(Fault("", f"expected an object of models, got {show(document)}"))
    if faults:
        raise BadPolicy("\n".join(placed(fault.pointer, fault.detail) for fault in faults))
    return policies


def build(value: Any, at: str, faults: list[Fault]) -> Policy:
    """One model's policy; what is wrong with it is added to the faults."""
    if type(value) is not dict:
        faults.append(Fault(at, f"expected an object, got {show(value)}"))
        return Policy()
    found: dict[str, Any] = {}
    for key, given in value.items():
        if key not in PARTS:
            hint = nearest(key, list(PARTS), "keys")
            faults.append(Fault(f"{at}/{escape(key[:MOST_ECHOED])}", f"unknown key {key[:MOST_ECHOED]!r}{hint}"))
        elif given is not None or key not in ("canary", "shadow"):
            found[key] = PARTS[key](given, f"{at}/{key}", faults)
    return Policy(**found)


def document(policy: Policy) -> dict[str, Any]:
    """A policy as the file has it: what is as without a file is left out."""
    versions = list(policy.versions) if isinstance(policy.versions, tuple) else policy.versions
    parts = {
        "versions": versions,
        "labels": dict(policy.labels) or None,
        "canary": policy.canary._asdict() if policy.canary else None,
        "shadow": policy.shadow,
        "nan": policy.nan if policy.nan != "pass" else None,
    }
    return {key: part for key, part in parts.items() if part is not None}


def number(value: Any, at: str, faults: list[Fault]) -> int:
    """A version's number."""
    if type(value) is int and 1 <= value <= MOST_VERSION:
        return value
    faults.append(Fault(at, f"expected a version, a whole number of at least 1, got {show(value)}"))
    return 1


def versions(value: Any, at: str, faults: list[Fault]) -> Versions:
    """How many, which, or all."""
    if type(value) is list:
        return tuple(sorted({number(one, f"{at}/{place}", faults) for place, one in enumerate(value)}, reverse=True))
    if value == "all":
        return "all"
    if type(value) is int and 1 <= value <= MOST_VERSION:
        return value
    told = "expected how many of the newest (at least 1), 'all', or a list of versions ([] for none)"
    faults.append(Fault(at, f"{told}, got {show(value)}"))
    return 1


def labels(value: Any, at: str, faults: list[Fault]) -> dict[str, int]:
    """Versions by label."""
    if type(value) is not dict:
        faults.append(Fault(at, f"expected an object of labels and versions, got {show(value)}"))
        return {}
    folded: dict[str, str] = {}
    for label in value:
        pointer = f"{at}/{escape(label[:MOST_ECHOED])}"
        if not MODEL_NAME.fullmatch(label):
            faults.append(Fault(pointer, "expected a label of letters, digits, '.', '_' and '-'"))
        other = folded.setdefault(label.casefold(), label)
        if other != label:
            faults.append(Fault(pointer, f"differs from {other[:MOST_ECHOED]!r} only in case"))
    return {label: number(one, f"{at}/{escape(label)}", faults) for label, one in value.items()}


def canary(value: Any, at: str, faults: list[Fault]) -> Canary | None:
    """A version and its percent."""
    if type(value) is not dict or value.keys() != {"version", "percent"}:
        faults.append(Fault(at, f"expected an object of version and percent, got {show(value)}"))
        return None
    percent = value["percent"]
    if type(percent) not in (int, float) or not 0 <= percent <= 100:
        faults.append(Fault(f"{at}/percent", f"expected a number from 0 to 100, got {show(percent)}"))
        percent = 0
    return Canary(number(value["version"], f"{at}/version", faults), percent)


def nan(value: Any, at: str, faults: list[Fault]) -> str:
    """Whether answers that are no number pass."""
    if value not in ("pass", "refuse"):
        faults.append(Fault(at, f"expected 'pass' or 'refuse', got {show(value)}"))
        return "pass"
    return str(value)


PARTS: Mapping[str, Callable[[Any, str, list[Fault]], Any]] = {
    "versions": versions,
    "labels": labels,
    "canary": canary,
    "shadow": number,
    "nan": nan,
}
