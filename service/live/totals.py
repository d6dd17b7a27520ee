"""What has been counted so far, by model: the numbers of all processes that share them, the dead ones' too.

Only the families are read that the page shows, from prometheus_client's files as they are: MultiProcessCollector would
take six times as long.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.utils import floatToGoString

from service import remains
from service.metrics import families

DIALECTS = frozenset({"native", "tfs", "oip", "grpc"})
"""Those that ask for models. What is asked of the console, or by who looks after the server, is not counted here."""
OK, ERRORS, REFUSED, ROWS, WAITING = range(5)
"""Where a row has its numbers: requests by what became of them, rows answered, and rows that wait just now."""
SECONDS = slice(5, 5 + len(families.SECONDS) + 1)
"""How many requests took so long, by bucket; the last has no end."""
BATCHES = slice(SECONDS.stop, SECONDS.stop + len(families.ROWS) + 1)
"""How many batches had so many rows."""
WIDTH = BATCHES.stop

Row = list[float]
Totals = dict[str, Row]
"""By model; "" for none that is served, of which only errors and refusals are counted."""
Place = tuple[str, int]
"""Model, and where in its row."""

FILE = re.compile(r"(?:counter|histogram|gauge_livesum)_[0-9]+\.db")
REFUSALS = frozenset({"429", "503"})
"""Statuses that ask to come again later."""
OTHERS = {"manifold_rows_total": ROWS, "manifold_queue_rows": WAITING}
KNOWN = (
    families.REQUESTS,
    families.REQUEST_SECONDS,
    families.PREDICTED_ROWS,
    families.BATCH_ROWS,
    families.QUEUE_ROWS,
)


def bucket_places(first: int, bounds: Iterable[float]) -> Mapping[str, int]:
    """Where the buckets with these bounds stand, by their label `le`."""
    labels: Callable[[float], str] = floatToGoString
    return {labels(bound): first + place for place, bound in enumerate((*bounds, float("inf")))}


BUCKETS = {
    "manifold_request_seconds_bucket": bucket_places(SECONDS.start, families.SECONDS),
    "manifold_batch_rows_bucket": bucket_places(BATCHES.start, families.ROWS),
}


def of_files(folder: Path) -> Totals:
    """Of all processes that write there; what stood in one that is gone, as what waited, is gone with it."""
    with remains.locked(folder):
        remains.forget(folder)
        return add_up(chain.from_iterable(values(file) for file in folder.iterdir() if FILE.fullmatch(file.name)))


def values(file: Path) -> Iterator[tuple[Place, float]]:
    """What one process has of these families."""
    if not file.stat().st_size:  # it is being made
        return
    for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
        place = place_of(key)
        if place is not None:
            yield place, value


def of_process() -> Totals:
    """Of this process alone, where none share their numbers: each bucket of a histogram then has the ones below."""
    samples = chain.from_iterable(metric.samples for family in KNOWN for metric in family.collect())
    found = ((place(sample.name, sample.labels), sample.value) for sample in samples)
    totals = add_up((where, value) for where, value in found if where is not None)
    for row in totals.values():
        for part in (SECONDS, BATCHES):
            below = row[part]
            row[part] = [upper - lower for lower, upper in zip([0.0, *below], below, strict=False)]
    return totals


def add_up(amounts: Iterable[tuple[Place, float]]) -> Totals:
    """Amounts that belong together as one."""
    totals: Totals = {}
    for (model, column), value in amounts:
        row = totals.get(model)
        if row is None:
            row = totals[model] = [0.0] * WIDTH
        row[column] += value
    return totals


@lru_cache(1 << 16)
def place_of(key: str) -> Place | None:
    """Where a number belongs, by its key in a file; None: nowhere here."""
    _, name, labels, _ = json.loads(key)
    return place(name, labels)


def place(name: str, labels: Mapping[str, str]) -> Place | None:
    """Where a number belongs.

    >>> place("manifold_requests_total", {"model": "qa", "dialect": "native", "status": "429"})
    ('qa', 2)
    """
    model = labels.get("model", "")
    if labels.get("dialect", "native") not in DIALECTS:
        return None
    if name == "manifold_requests_total":
        status = labels["status"]
        column = REFUSED if status in REFUSALS else ERRORS if status >= "400" else OK
        return (model, column) if model or column != OK else None
    if not model:
        return None
    if name in BUCKETS:
        return model, BUCKETS[name][labels["le"]]
    return (model, OTHERS[name]) if name in OTHERS else None
