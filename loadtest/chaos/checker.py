"""Judges everything that clients get back: right answers, honest refusals, and what must not happen.

What may happen depends on when. `Times` keeps which versions may answer a model, and what a fault excuses while it
lasts; a request is judged by what held at any moment between its sending and its end.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from loadtest.bench.questions import apart
from loadtest.chaos.questions import Question

TOLERANCE = 1e-4
"""Largest difference of a right answer: as far as a twin may be from its SavedModel."""

HINTED = (429, 503)
"""Statuses that say when to try again."""

NEVER = "could not be loaded"
"""A model that will not come back promises no time."""

SHOWN = 300
DETAILS = 20
"""Violations that are kept in full."""
VIOLATION = "violation"


class Wrong(Exception):
    """What came must not have come."""


@dataclass(frozen=True)
class Reply:
    """What came: a status with headers and body, or, with status 0, how the connection broke."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    broken: str = ""
    """"refused", "closed" before anything of an answer came, "cut" within it, or "silent"."""
    surplus: bytes = b""
    """Bytes behind the answer, which nobody asked for."""


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
    def excused(self, *what: int | str, model: str = "") -> "Any":
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


class Checker:
    """Judges replies and counts them; `violations` are what must not happen, each with enough to find it."""

    def __init__(self, versions: Versions, excuses: Excuses) -> None:
        self.versions, self.excuses = versions, excuses
        self.counts: Counter[str] = Counter()
        self.violations: list[dict[str, Any]] = []
        self.worst = 0.0
        self.during = "start"
        """The fault that is on."""
        self._open: dict[str, Question] = {}
        self._lock = threading.Lock()

    def asked(self, number: str, question: Question) -> None:
        """A request is about to be sent under this number."""
        with self._lock:
            self._open[number] = question
            self.counts["asked"] += 1

    def heard(self, number: str, question: Question, sent: float, reply: Reply) -> str:
        """Judge the end of a request; what it is counted as: "right", a status, how it broke, or "violation"."""
        came = time.monotonic()
        with self._lock:
            try:
                kind = self._judge(number, question, sent, came, reply)
            except Wrong as wrong:
                kind = self._note(str(wrong), question, reply)
            except Exception as error:  # whatever a parser says of an answer that is none
                kind = self._note(f"no answer of its form: {error!r}", question, reply)
            self.counts[kind] += 1
            return kind

    def count(self, kind: str, times: int = 1) -> None:
        """So many more of something that was judged, or needs no judgement."""
        with self._lock:
            self.counts[kind] += times

    def lost(self) -> None:
        """At the end: what was asked and never ended is a violation."""
        with self._lock:
            for number, question in self._open.items():
                self._note(f"{number} never ended", question, Reply(0))
                self.counts[VIOLATION] += 1
            self._open.clear()

    def violate(self, what: str) -> None:
        """Note what must not happen, and no reply shows."""
        with self._lock:
            self.counts[VIOLATION] += 1
            self.violations.append({"what": what, "during": self.during, "at": time.time()})

    def _judge(self, number: str, question: Question, sent: float, came: float, reply: Reply) -> str:
        if self._open.pop(number, None) is None:
            raise Wrong(f"{number} was answered twice")
        if reply.surplus:
            raise Wrong(f"unasked bytes behind an answer: {reply.surplus[:SHOWN]!r}")
        what = reply.status or reply.broken
        if what != 200 and not self.excuses.excuse(what, question.whose, sent, came):
            raise Wrong(f"{what}, and nothing excuses it")
        if not reply.status:
            return reply.broken
        told = reply.headers.get("x-request-id", number)
        if told != number:
            raise Wrong(f"the answer to {told} came to {number}")
        if reply.status != 200:
            check_refusal(reply)
            return str(reply.status)
        self._check_answer(question, sent, came, reply)
        return "right"

    def _check_answer(self, question: Question, sent: float, came: float, reply: Reply) -> None:
        """Wrong unless it is that of a version that may answer."""
        version = int(reply.headers["x-model-version"])
        if question.version not in (None, version):
            raise Wrong(f"version {version} answered for {question.version}")
        if question.version is None and not self.versions.may(question.model, version, sent, came):
            raise Wrong(f"version {version} answered, which was not to")
        off = apart(question.answers[version], question.read(reply.headers, reply.body))
        if not off <= TOLERANCE:
            raise Wrong(f"{off:.2g} off the right answer of version {version}")
        self.worst = max(self.worst, off)

    def _note(self, what: str, question: Question, reply: Reply) -> str:
        """Keep what went wrong, with enough to find it."""
        if len(self.violations) < DETAILS:
            self.violations.append(
                {
                    "what": what,
                    "during": self.during,
                    "at": time.time(),
                    "asked": f"{question.form} {question.path} {question.body[:SHOWN]!r}",
                    "answered": f"{reply.status or reply.broken} {dict(reply.headers)} {reply.body[:SHOWN]!r}",
                }
            )
        return VIOLATION


def check_refusal(reply: Reply) -> None:
    """Wrong unless it says why, and when to try again."""
    said = json.loads(reply.body)
    why = said.get("detail") or said.get("error")
    if not why:
        raise Wrong(f"{reply.status} without a reason")
    if reply.status in HINTED and NEVER not in why and not reply.headers.get("retry-after", "").isdigit():
        raise Wrong(f"{reply.status} without a Retry-After")
