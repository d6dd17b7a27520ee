"""What an operator wants served of each model: serving.json, read strictly, and which versions follow from it.

{"qa": {"versions": 2, "labels": {"stable": 3}, "canary": {"version": 5, "percent": 10}, "nan": "refuse"}}
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from service import files
from service.errors import Fault, ServiceError, placed
from service.fields import MOST_ECHOED, nearest
from service.nested import show
from service.schemas import escape
from service.versions.store import MODEL_NAME

FILE = "serving.json"
MOST_VERSION = 10**18 - 1

Versions = int | Literal["all"] | tuple[int, ...]
"""So many of the newest, all, or exactly these."""


class BadPolicy(ServiceError):
    """The policy file cannot be read, or says what cannot be; the message has a line for each fault."""


class Canary(NamedTuple):
    """The version that gets `percent` of the requests that name none."""

    version: int
    percent: float


@dataclass(frozen=True)
class Policy:
    """What is wanted of one model; `versions` None is the service's default."""

    versions: Versions | None = None
    labels: Mapping[str, int] = field(default_factory=dict)
    canary: Canary | None = None
    shadow: int | None = None
    nan: Literal["pass", "refuse"] = "pass"

    @property
    def aside(self) -> set[int]:
        """The versions that are served beside the newest, and are not the default: canary and shadow."""
        return ({self.canary.version} if self.canary else set()) | ({self.shadow} if self.shadow else set())

    def choose(self, numbers: Iterable[int], default: Versions, usable: Callable[[int], bool]) -> list[int]:
        """The versions to serve of those there are, newest first; what is not usable gives way to the next.

        Canary, shadow and what has a label are served besides the newest, and not counted among them.

        >>> Policy(canary=Canary(5, 10)).choose([3, 4, 5], 1, lambda number: True)
        [5, 4]
        """
        wanted = default if self.versions is None else self.versions
        present = sorted(set(numbers), reverse=True)
        if isinstance(wanted, tuple):
            return [number for number in present if number in wanted and usable(number)]
        if wanted == "all":
            return [number for number in present if usable(number)]
        named = self.aside | set(self.labels.values())
        chosen = []
        for number in present:
            counts = number not in self.aside
            if ((counts and wanted > 0) or number in named) and usable(number):
                chosen.append(number)
                wanted -= counts
        return chosen


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
