"""Judges everything that clients get back: right answers, honest refusals, and what must not happen.

What may happen depends on when. `Times` keeps which versions may answer a model, and what a fault excuses while it
lasts; a request is judged by what held at any moment between its sending and its end.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.bench.questions import apart
from loadtest.chaos.questions import Question
from loadtest.chaos.times import Excuses, Versions

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
