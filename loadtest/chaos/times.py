"""What may happen when; threads share it."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class Span:
    """What holds from one moment to another."""

    what: Any
    begins: float
    ends: float = float("inf")


class Times:
    """What may happen when; threads share it."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._lock = threading.Lock()

    def begin(self, what: Any) -> Span:
        """From now on it holds."""
        with self._lock:
            self._spans.append(Span(what, time.monotonic()))
            return self._spans[-1]

    def end(self, span: Span) -> None:
        """From now on it does not."""
        span.ends = time.monotonic()

    def held(self, sent: float, came: float) -> list[Any]:
        """All that held at any moment between."""
        with self._lock:
            return [span.what for span in self._spans if span.begins <= came and sent <= span.ends]


class Excuses(Times):
    """What clients may get instead of answers: (status or word, model), the model "" for any."""

    @contextmanager
    def excused(self, *what: int | str, model: str = "") -> Iterator[None]:
        """While it lasts, these may happen."""
        spans = [self.begin((one, model)) for one in what]
        try:
            yield
        finally:
            for span in spans:
                self.end(span)

    def excuse(self, what: int | str, models: Sequence[str], sent: float, came: float) -> bool:
        """Whether it may have happened to a request of this time, for a model or a version that has these names."""
        return any(one == what and whose in ("", *models) for one, whose in self.held(sent, came))


class Versions(Times):
    """Which versions may answer who names none."""

    def __init__(self) -> None:
        super().__init__()
        self._now: dict[str, Span] = {}
        self.changes = 0
        """How often it changed."""

    def allow(self, model: str, *versions: int) -> None:
        """From now on these, and no others."""
        self.changes += 1
        before = self._now.get(model)
        self._now[model] = self.begin((model, versions))
        if before:
            self.end(before)

    def now(self, model: str) -> Sequence[int]:
        """Those that may answer now."""
        return self._now[model].what[1]

    def may(self, model: str, version: int, sent: float, came: float) -> bool:
        """Whether this version may have answered."""
        return any(name == model and version in versions for name, versions in self.held(sent, came))
