"""What came between two looks at the totals; and what many such samples say together. Pure.

A sample, as a line of JSON, has whatever is not 0; history.py adds whose it is:

    {"at": 1767225600, "seconds": 5.0, "models": {"qa": {"ok": 90, "errors": 1, "refused": 2, "rows": 90, "waiting": 3,
     "took": [0, 0, 12, …], "batches": [90, …]}}}

`at` is the second at which it ends, and its name: none has an earlier one than the sample before. `took` and `batches`
are counts of requests and batches, by the buckets of service/metrics/families.py.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from service.live.totals import BATCHES, ERRORS, OK, REFUSED, ROWS, SECONDS, WAITING, WIDTH, Row, Totals
from service.metrics import families
from service.quantiles import quantile

Sample = dict[str, Any]
Rates = dict[str, dict[str, float | None]]
"""By model: requests_per_second, p50_ms, p95_ms; None where nothing was answered. Models nobody asked are left out."""

NUMBERS = {"ok": OK, "errors": ERRORS, "refused": REFUSED, "rows": ROWS, "waiting": WAITING}
LISTS = {"took": SECONDS, "batches": BATCHES}
NOTHING: Row = [0.0] * WIDTH


def sample(at: int, seconds: float, before: Totals, now: Totals) -> Sample:
    """What came in so many seconds."""
    came = {model: said(since(before.get(model, NOTHING), row)) for model, row in now.items()}
    return {"at": at, "seconds": round(seconds, 3), "models": {model: row for model, row in came.items() if row}}


def since(before: Row, now: Row) -> Row:
    """What came to a row; what waits stands for itself.

    A sum that is less than before has lost the counts of a process: how much came is not known, and so 0. Prometheus
    would take all of it for new, which is right of one process that begins again, and not of a sum of many.
    """
    came = [max(0.0, later - earlier) for earlier, later in zip(before, now, strict=True)]
    came[WAITING] = now[WAITING]
    return came


def said(row: Row) -> dict[str, Any]:
    """A row by its names, without what is 0."""
    numbers = {name: round(row[column]) for name, column in NUMBERS.items()}
    lists = {name: [round(count) for count in row[columns]] for name, columns in LISTS.items()}
    found: dict[str, Any] = {name: number for name, number in numbers.items() if number}
    return found | {name: counts for name, counts in lists.items() if any(counts)}


def rates(samples: Iterable[Sample]) -> Rates:
    """Of each model: requests a second, and milliseconds that half, and 95 of 100, of the answers took at most."""
    seconds = 0.0
    requests: dict[str, int] = {}
    took: dict[str, list[int]] = {}
    for one in samples:
        seconds += one["seconds"]
        for model, row in one["models"].items():
            requests[model] = requests.get(model, 0) + sum(row.get(name, 0) for name in ("ok", "errors", "refused"))
            added = row.get("took")
            if added:
                took[model] = [*map(sum, zip(took[model], added, strict=True))] if model in took else added
    return {
        model: {
            "requests_per_second": count / seconds,
            "p50_ms": milliseconds(0.5, took.get(model)),
            "p95_ms": milliseconds(0.95, took.get(model)),
        }
        for model, count in requests.items()
        if model and count and seconds
    }


def milliseconds(share: float, counts: Sequence[int] | None) -> float | None:
    """A quantile of what answers took."""
    return None if counts is None else 1e3 * quantile(share, (0.0, *families.SECONDS), counts)
