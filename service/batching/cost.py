"""What a batch costs on this engine: measured on a few batches at warm-up, predicted for all others.

The model is affine in the rows, as in Nexus (Shen et al., SOSP 2019: a batch of b takes αb + β), and both its
coefficients are affine in a row's size, its number of elements: a recurrent layer's steps cost by the length whatever
the rows, a dense one by rows and length.
"""

import bisect
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from service.engines.base import Engine
from service.tensors import Array, Tensors

CHEAP_SECONDS = 0.005
"""A batch this quick may always grow: nobody notices having waited for it."""
WORTHWHILE = 1.1
"""Beyond that, a batch twice as large must answer at least so many times the rows per second."""
PROMISING = 1.5
"""So many times the rows per second make the next trial worth its time and memory; less may be another's noise."""
TRIES = 3
"""So often is a trial repeated, and the best counts: what else the machine does only ever adds."""
STEP = 4
"""Trials take 1 row, then so many times as many."""
BUDGET = 0.05
"""Seconds that the trials of one model may take in all, beside those of its largest row."""

CAUTION = (3, 2, 0, 1)
"""The coefficients of a cost, first those that make a large batch dear."""
DIGITS = 6
"""Decimals of the sum of squared relative errors: what agrees in them fits alike."""

Clock = Callable[[], float]


class Trial(NamedTuple):
    """One measured batch: how many rows, elements of each, and seconds."""

    rows: int
    size: int
    seconds: float


@dataclass(frozen=True)
class Cost:
    """Seconds of one call: `call` + `element` · size + rows · (`row` + `row_element` · size); none is negative.

    >>> Cost(call=0.5, row=0.25).seconds(rows=4, size=100)
    1.5
    """

    call: float = 0.0
    element: float = 0.0
    row: float = 0.0
    row_element: float = 0.0

    def seconds(self, rows: int, size: int) -> float:
        """Of a batch of so many rows of so many elements each; it never falls as either grows."""
        call, row = self.parts(size)
        return call + rows * row

    def parts(self, size: int) -> tuple[float, float]:
        """Seconds of a call, and of each row in it, for rows of so many elements."""
        return self.call + self.element * size, self.row + self.row_element * size

    def within(self, target: float, size: int, most: int) -> int:
        """The most rows of that size whose batch takes at most `target` seconds, from 1 to `most`.

        >>> Cost(call=0.5, row=0.25).within(2.0, size=100, most=64), Cost(row=3.0).within(2.0, size=100, most=64)
        (6, 1)
        """
        return max(1, bisect.bisect_right(range(1, most + 1), target, key=lambda rows: self.seconds(rows, size)))


def fit(trials: Sequence[Trial]) -> Cost:
    """The cost nearest to the trials: least squares of the relative error, no coefficient below 0.

    A trial that something disturbed is only ever too slow, and then weighs less than its own, not more. The solution
    of non-negative least squares is the plain one of some subset of its terms (Lawson and Hanson, 1974): of four, all
    are tried. Of those that fit alike, as where all trials are of one size, the first in the order of CAUTION counts.

    >>> exact = Cost(call=1e-3, row=2e-4, row_element=1e-5)
    >>> found = fit([Trial(rows, size, exact.seconds(rows, size)) for rows in (1, 4, 16) for size in (10, 30)])
    >>> f"{found.call:.6f} {found.element:.6f} {found.row:.6f} {found.row_element:.6f}"
    '0.001000 0.000000 0.000200 0.000010'
    """
    rows, size, seconds = (np.array(column, np.float64) for column in zip(*trials, strict=True))
    terms = np.stack([np.ones_like(rows), size, rows, rows * size], axis=1) / seconds[:, None]
    subsets = [chosen for count in range(1, 5) for chosen in itertools.combinations(CAUTION, count)]
    solutions = [one for one in (solution(terms, chosen) for chosen in subsets) if (one >= 0).all()]
    return Cost(*min(solutions, key=lambda one: round(float(np.sum((terms @ one - 1) ** 2)), DIGITS)).tolist())


def solution(terms: Array, chosen: Sequence[int]) -> Array:
    """The least squares of terms · x = 1 in which x is 0 but for the terms chosen."""
    found, of = np.zeros(terms.shape[1]), list(chosen)
    scale = np.linalg.norm(terms[:, of], axis=0)
    found[of] = np.linalg.lstsq(terms[:, of] / scale, np.ones(len(terms)))[0] / scale
    return found


def measure(
    engine: Engine, samples: Mapping[int, Tensors], most: int, clock: Clock = time.perf_counter, budget: float = BUDGET
) -> list[Trial]:
    """Trials of 1, 4, 16, … up to `most` rows of every sample; a sample is a row, with a batch axis of 1, by its size.

    The first sample, which should be the largest, is tried twice with two numbers of rows, and with more while that
    pays; the others with one row, and with more as long as that leaves half the budget. Then all are tried again in
    turn while the budget lasts, and the best counts. Batches that do not pay are not tried, for their memory would be
    taken for nothing.
    """
    start = clock()
    first = next(iter(samples))
    by_size: dict[int, list[Trial]] = {size: [] for size in samples}
    for rows, (size, sample) in itertools.product(multiplied(most), samples.items()):
        own = by_size[size]
        late = size != first and rows > 1 and clock() + own[-1].seconds * rows / own[-1].rows > start + budget / 2
        if late or not worth_more(own):
            continue
        batch = repeated(sample, rows)
        tries = 2 if size == first and rows <= STEP else 1
        own.append(Trial(rows, size, min(timed(engine, batch, clock) for _ in range(tries))))
    found = [trial for trials in by_size.values() for trial in trials]
    for place in [*range(len(found))] * TRIES:
        best = found[place]
        if clock() + best.seconds <= start + budget:
            again = timed(engine, repeated(samples[best.size], best.rows), clock)
            found[place] = best._replace(seconds=min(best.seconds, again))
    return found


def worth_more(trials: Sequence[Trial]) -> bool:
    """Whether to try more rows: after less than two trials, a cheap batch, or one that paid beside the one before it.

    >>> worth_more([Trial(1, 9, 0.010), Trial(4, 9, 0.020)]), worth_more([Trial(1, 9, 0.010), Trial(4, 9, 0.040)])
    (True, False)
    """
    if len(trials) < 2 or trials[-1].seconds <= CHEAP_SECONDS:
        return True
    before, last = trials[-2:]
    return last.rows / last.seconds >= PROMISING * before.rows / before.seconds


def multiplied(most: int) -> list[int]:
    """Rows of the trials.

    >>> multiplied(64), multiplied(6)
    ([1, 4, 16, 64], [1, 4, 6])
    """
    return [*itertools.takewhile(lambda rows: rows < most, (STEP**power for power in itertools.count())), most]


def repeated(row: Tensors, rows: int) -> Tensors:
    """A batch of so many times a row."""
    return {name: np.repeat(array, rows, axis=0) for name, array in row.items()}


def seconds(engine: Engine, row: Tensors, rows: int, clock: Clock = time.perf_counter) -> float:
    """Seconds of one batch that repeats a row, the best of a few tries."""
    batch = repeated(row, rows)
    engine.run(batch)
    return min(timed(engine, batch, clock) for _ in range(TRIES))


def timed(engine: Engine, batch: Tensors, clock: Clock) -> float:
    """Seconds of one engine call."""
    started = clock()
    engine.run(batch)
    return clock() - started


def grow(seconds: Callable[[int], float], most: int, tried: int | None = None) -> int:
    """Rows of a full batch, doubled from 1 while it is cheap or pays, at most `most`; what pays must have been tried.

    >>> grow(lambda rows: 0.001 + 0.0001 * rows, 64)  # overhead, then little per row: as many as allowed
    64
    >>> grow(lambda rows: 0.003 * rows, 64)  # nothing is shared between rows: small batches, soon done
    1
    """
    rows, taken = 1, seconds(1)
    while rows < most:
        larger = min(2 * rows, most)
        then = seconds(larger)
        pays = larger / then >= WORTHWHILE * rows / taken and larger <= (tried or most)
        if then > CHEAP_SECONDS and not pays:
            break
        rows, taken = larger, then
    return rows


def limit(cost: Cost, size: int, most: int, target: float, tried: int | None = None) -> int:
    """Rows of a full batch of that size, from 1 to `most`: as many as take `target` seconds, or, if 0, as pay."""
    if target:
        return cost.within(target, size, most)
    return grow(lambda rows: cost.seconds(rows, size), most, tried)
