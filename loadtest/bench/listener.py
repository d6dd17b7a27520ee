"""Hears a client's answers: every distinct one is kept with how often it came, as wrk's script does."""

import re
from collections import Counter

import numpy as np

from loadtest.bench.answers import Told
from loadtest.bench.client import parts

ENGINE = re.compile(rb"\r\nserver-timing:[^\r]*rows=(\d+)[^\r]*infer;dur=([\d.]+)", re.IGNORECASE)


class Listener:
    """Called with each answer; `told` are the distinct ones, their rows numbered from 1."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[int, bytes]] = Counter()
        self._calls: list[float] = []

    def __call__(self, request: int, answer: bytes) -> None:
        status, head, body = parts(answer)
        self._seen[request, b"%d " % status + body] += 1
        engine = ENGINE.search(head)
        if engine:
            self._calls.append(float(engine[2]))

    @property
    def told(self) -> list[Told]:
        """What came, and how often."""
        return [
            Told(str(request + 1), int(answer[:3]), answer[4:].decode(), times)
            for (request, answer), times in self._seen.items()
        ]

    @property
    def longest_call(self) -> float:
        """Milliseconds of the longest engine call that an answer told of."""
        return max(self._calls, default=0.0)


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Of latencies, in milliseconds.

    >>> percentiles([0.001] * 99 + [0.1])["median"]
    1.0
    """
    found = np.percentile(np.asarray(seconds) * 1e3, [50, 99, 99.9, 100])
    return dict(zip(("median", "p99", "p999", "most"), (round(float(one), 3) for one in found), strict=True))
