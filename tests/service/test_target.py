"""What a latency target promises: simulated by a clock of its own, an engine whose cost is known, and any arrivals."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import tensors
from service.batching import cost
from service.batching.batcher import Batcher
from service.batching.cost import Cost
from service.batching.jobs import Job, Terms
from service.batching.queueing import Queue
from tests.service.fakes import Clock, FakeEngine, ManualDriver, job, weighted

MOST, TARGET = 64, 0.020
COSTS = st.builds(
    Cost,
    call=st.floats(0, TARGET / 4),
    element=st.floats(0, TARGET / 400),
    row=st.floats(TARGET / 1000, TARGET / 4),
    row_element=st.floats(0, TARGET / 400),
)
SIZES = st.sampled_from([1, 5, 25])
"""Elements of a row, and so its kind; one row of any takes no longer than the target."""
ARRIVALS = st.lists(st.tuples(st.floats(0, TARGET), SIZES), min_size=1, max_size=80)
"""Seconds after the one before, and the size."""


class Simulation:
    """One model under a stream of single rows; jobs arrive while the engine computes, as they do in life."""

    def __init__(self, true: Cost, arrivals: list[tuple[float, int]], target: float = TARGET) -> None:
        self.true = true
        self.clock = Clock()
        self.calls: list[tuple[int, int]] = []
        engine = FakeEngine(function=self.compute, immune=True)
        limit = self.limits = {
            tensors.kind(row(size).tensors): cost.limit(true, size, MOST, target) for size in (1, 5, 25)
        }
        self.batcher = Batcher(
            engine, Queue(MOST, 10**6, lambda kind: Terms(limit[kind])), ManualDriver, clock=self.clock
        )
        times = np.cumsum([after for after, _ in arrivals]).tolist()
        self.coming = [row(size, at) for at, (_, size) in zip(times, arrivals, strict=True)]
        self.ahead: dict[Job, int] = {}
        self.waiting: list[Job] = []
        self.answered: dict[Job, float] = {}

    def arrive(self) -> None:
        """All that have come until now join the queue."""
        while self.coming and self.coming[0].arrived <= self.clock.now:
            one = self.coming.pop(0)
            self.waiting = [other for other in self.waiting if not other.future.running() and not other.future.done()]
            self.ahead[one] = sum(other.kind == one.kind for other in self.waiting)
            self.waiting.append(one)
            one.future.add_done_callback(partial(self.answer, one))
            self.batcher.submit([one])

    def answer(self, one: Job, _: object) -> None:
        self.answered[one] = self.clock.now

    def compute(self, inputs):
        self.calls.append(inputs["x"].shape)
        end = self.clock.now + self.true.seconds(*inputs["x"].shape)
        while self.coming and self.coming[0].arrived <= end:
            self.clock.now = max(self.clock.now, self.coming[0].arrived)
            self.arrive()
        self.clock.now = end
        return weighted(inputs)

    def run(self) -> "Simulation":
        while self.coming:
            self.clock.now = max(self.clock.now, self.coming[0].arrived)
            self.arrive()
            while self.batcher.step():
                pass
        return self


def row(size: int, arrived: float = 0.0) -> Job:
    return job([[1.0] * size], arrived=arrived)


def calls_before(one: Job, done: Simulation, kinds: int) -> int:
    """How many calls a job may have to be through: the one that runs when it comes, and the turns until its own."""
    return 1 + kinds * (done.ahead[one] // done.limits[one.kind] + 1)


@given(COSTS, ARRIVALS)
def test_no_call_takes_longer_than_the_target(true, arrivals):
    done = Simulation(true, arrivals).run()
    assert all(true.seconds(*call) <= TARGET or call[0] == 1 for call in done.calls)


@given(COSTS, ARRIVALS)
def test_a_job_is_answered_within_the_calls_that_its_place_in_the_line_needs(true, arrivals):
    done = Simulation(true, arrivals).run()
    kinds = len({size for _, size in arrivals})
    longest = max(true.seconds(*call) for call in done.calls)
    assert len(done.answered) == len(arrivals)
    for one, at in done.answered.items():
        assert at - one.arrived <= calls_before(one, done, kinds) * longest + 1e-9


@given(COSTS, st.lists(st.floats(0, TARGET), min_size=1, max_size=80))
def test_of_one_kind_whose_line_fits_a_batch_every_job_is_answered_within_two_targets(true, gaps):
    done = Simulation(true, [(gap, 5) for gap in gaps]).run()
    for one, at in done.answered.items():
        if done.ahead[one] < done.limits[one.kind]:
            assert at - one.arrived <= 2 * max(TARGET, true.seconds(1, 5)) + 1e-9


@pytest.mark.parametrize("target", [0.005, 0.020, 0.1])
def test_the_target_decides_the_rows_of_a_saturated_model(target):
    true = Cost(call=0.001, row=0.0015)
    done = Simulation(true, [(0.0, 5)] * 500, target).run()
    rows = [call[0] for call in done.calls]
    assert max(rows) == min(MOST, math.floor((target - true.call) / true.row + 1e-9))
    assert sum(rows) == 500
