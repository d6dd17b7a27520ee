"""What an operator wants served of a model, and which versions follow from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from service.errors import VersionNotFound
from service.wording import MOST_ECHOED, nearest

Versions = int | Literal["all"] | tuple[int, ...]
"""So many of the newest, all, or exactly these."""


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

    def labelled(self, model: str, label: str) -> int:
        """The version that a label of the model names, whether or not it is there; VersionNotFound."""
        if label not in self.labels:
            known = nearest(label, list(self.labels), "labels") if self.labels else "; it has none"
            raise VersionNotFound(f"{model} has no label {label[:MOST_ECHOED]!r}{known}")
        return self.labels[label]

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
