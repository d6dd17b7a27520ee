"""What one model costs one core: the engine per call and row, HTTP per request and row, memory, the start."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import ceil
from pathlib import Path
from typing import Any

MEASURED = Path("docs/measurements/capacity.json")
MOST_ROWS = 64
"""Rows of a batch at most: MANIFOLD_MAX_BATCH_ROWS."""
MICRO = 1e-6


@dataclass(frozen=True)
class Costs:
    """Seconds of one core, megabytes, bytes; a worker is one process on one core.

    A turn of a worker reads what has come, computes it as one batch and answers it, so that a turn of n requests of r
    rows takes `loop` + `call` + n · (`request` + r · (`row` + `request_row`)): affine, as the service has it of its
    engine (service/batching/cost.py), with HTTP added.
    """

    model: str
    call: float
    row: float
    loop: float
    request: float
    request_row: float = 0.0
    most_rows: int = MOST_ROWS
    """Of a batch, as the service finds them: what pays, or is quick (service/batching/cost.py)."""
    start: float = 0.0
    """From the command until it is ready."""
    base_mb: float = 0.0
    """What the process above the workers holds."""
    worker_mb: float = 0.0
    asked_bytes: int = 0
    told_bytes: int = 0
    """A request of one row, and its answer, with their heads."""

    def most(self, rows: int = 1) -> int:
        """Requests of so many rows in a turn; a request of more rows than a batch has goes alone, in several."""
        return max(1, self.most_rows // rows)

    def each(self, rows: int = 1) -> float:
        """Seconds that one more request adds to a turn."""
        return self.request + rows * (self.row + self.request_row)

    def turn(self, requests: int, rows: int = 1) -> float:
        """Seconds of a turn that answers so many requests, of which each row is in one of its batches.

        >>> Costs("a", call=0.25, row=0.25, loop=0.25, request=1.0).turn(2, rows=4)
        4.5
        """
        return (self.loop + self.call) * ceil(requests * rows / self.most_rows) + requests * self.each(rows)

    def turns(self, rows: int = 1) -> list[float]:
        """Seconds of turns of 0, 1, … requests, up to a full batch."""
        return [0.0, *(self.turn(requests, rows) for requests in range(1, self.most(rows) + 1))]

    def peak(self, rows: int = 1) -> float:
        """Requests a second that a core answers at most: every batch is full.

        >>> Costs("a", call=0.5, row=0.0, loop=0.0, request=0.25, most_rows=2).peak()
        2.0
        """
        most = self.most(rows)
        return most / self.turn(most, rows)


def read(file: Path = MEASURED) -> Mapping[str, Costs]:
    """Measured costs by model; SystemExit says how to measure them."""
    if not file.is_file():
        raise SystemExit(f"{file} is missing: python -m loadtest.capacity.measure --store STORE")
    return {name: of(name, told) for name, told in json.loads(file.read_text())["models"].items()}


def of(model: str, told: Mapping[str, Any]) -> Costs:
    """One model's costs, of which the file has microseconds.

    >>> of(
    ...     "qa", {"call_us": 900, "row_us": 10, "loop_us": 100, "request_us": 100, "request_row_us": 1, "start": 2.0}
    ... ).turn(1)
    0.001111
    """
    known = {field.name for field in fields(Costs)}
    seconds = {name.removesuffix("_us"): round(us * MICRO, 9) for name, us in told.items() if name.endswith("_us")}
    plain = {name: value for name, value in told.items() if name in known}
    return Costs(**{"model": model, **plain, **seconds})
