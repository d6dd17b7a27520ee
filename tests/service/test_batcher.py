"""The batcher's promises, over every mix of kinds, failures, deadlines, cancellations and shutdowns."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from service import tensors
from service.batching.admission import Room
from service.batching.batcher import Batcher
from service.batching.drivers import ThreadDriver
from service.batching.jobs import Job
from service.batching.queueing import Queue
from service.errors import DeadlineExceeded, Draining, EngineFailed, EngineHung, NotFinite, Overloaded, QueueFull
from tests.service import fakes
from tests.service.fakes import (
    BLURS,
    FAR,
    HANGS,
    LONG,
    NAMELESS,
    RAGGED,
    RAISES,
    SCALAR,
    SHORT,
    Clock,
    FakeEngine,
    ManualDriver,
    blurred,
    job,
    weighted,
    weighted_steps,
)

SECONDS = 60
"""How long a test waits for what must come at once, before it fails."""

MOST = 6
"""Rows of a batch."""

SHARE = 20
"""Rows that one may hold of the room."""

POISON = {RAISES, SHORT, LONG, NAMELESS, SCALAR}
VALUES = st.integers(-50, 50) | st.sampled_from([*sorted(POISON), BLURS])
DTYPES = st.sampled_from(["float32", "float64", "int8"])


def is_poisoned(one: Job, by: set[int] = POISON) -> bool:
    return bool(by & set(one.tensors["x"].ravel().tolist()))


def right(one: Job) -> np.ndarray:
    """What a job's rows get, alone or among others."""
    return blurred(one.tensors["x"], weighted(one.tensors)["y"])


class Accepted:
    """A job the batcher took, and what the test did to it since."""

    def __init__(self, one: Job) -> None:
        self.job = one
        self.cancelled = False


class BatcherMachine(RuleBasedStateMachine):
    """Any order of requests, steps, passing time, clients that leave, and the end."""

    jobs = Bundle("jobs")
    make_engine = FakeEngine
    refuses = False

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.engine = self.make_engine()
        self.room = Room(rows=SHARE * 5 // 4)
        self.queue = Queue(MOST, max_queue_rows=24, room=self.room)
        self.batcher = Batcher(self.engine, self.queue, ManualDriver, clock=self.clock)
        self.batcher.refuses_not_finite = self.refuses
        self.accepted: list[Accepted] = []
        self.closed = False

    @rule(
        target=jobs,
        width=st.integers(1, 5),
        dtype=DTYPES,
        rows=st.integers(1, 8),
        seconds=st.sampled_from([1.0, 5.0, FAR]),
        data=st.data(),
    )
    def submit(self, width, dtype, rows, seconds, data):
        x = data.draw(st.lists(st.lists(VALUES, min_size=width, max_size=width), min_size=rows, max_size=rows))
        one = job(x, dtype, self.clock.now, self.clock.now + seconds, self.engine.ragged)
        waiting = self.batcher.waiting_rows
        accepted = Accepted(one)
        if self.batcher.hung or self.closed:
            with pytest.raises(EngineHung if self.batcher.hung else Draining):
                self.batcher.submit([one])
        elif waiting + rows > self.queue.max_queue_rows:
            with pytest.raises(QueueFull):
                self.batcher.submit([one])
            assert self.batcher.waiting_rows == waiting
        elif waiting and waiting + rows > SHARE:
            with pytest.raises(Overloaded):
                self.batcher.submit([one])
            assert self.batcher.waiting_rows == waiting
        else:
            self.batcher.submit([one])
            self.accepted.append(accepted)
        return accepted

    @rule()
    def step(self):
        calls = len(self.engine.calls)
        waited = self.batcher.waiting_rows > 0
        worked = self.batcher.step()
        assert waited or not worked
        assert worked or len(self.engine.calls) == calls

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0]))
    def time_passes(self, seconds):
        self.clock.now += seconds

    @rule(accepted=jobs)
    def client_leaves(self, accepted):
        accepted.cancelled |= accepted.job.future.cancel()

    @precondition(lambda self: not self.closed)
    @rule()
    def close(self):
        self.batcher.close()
        self.closed = True

    @invariant()
    def every_job_gets_its_own_answer_or_its_own_error(self):
        for accepted in self.accepted:
            one = accepted.job
            if accepted.cancelled:
                assert one.future.cancelled()
            elif one.future.done():
                self.check(one, one.future)

    def check(self, one: Job, future: "Future") -> None:
        error = future.exception(0)
        if isinstance(error, DeadlineExceeded):
            assert one.deadline <= self.clock.now
        elif isinstance(error, EngineHung):
            assert self.batcher.hung
        elif is_poisoned(one):
            assert isinstance(error, EngineFailed)
        elif self.refuses and is_poisoned(one, {BLURS}):
            assert isinstance(error, NotFinite)
        else:
            np.testing.assert_array_equal(future.result(0).outputs["y"], right(one))
            assert future.result(0).batch_rows >= one.rows

    @invariant()
    def a_batch_holds_one_kind_and_no_more_rows_than_allowed_unless_it_is_one_job(self):
        largest = max((accepted.job.rows for accepted in self.accepted), default=0)
        assert all(len({tensors.kind(call)}) == 1 for call in self.engine.calls)
        assert all(tensors.rows(call) <= max(MOST, largest) for call in self.engine.calls)

    @invariant()
    def once_closed_every_accepted_job_is_done(self):
        assert not self.closed or all(accepted.job.future.done() for accepted in self.accepted)

    @invariant()
    def the_queue_counts_the_rows_that_wait(self):
        pending = sum(a.job.rows for a in self.accepted if not a.job.future.done())
        gone = sum(a.job.rows for a in self.accepted if a.cancelled)
        assert pending <= self.batcher.waiting_rows <= pending + gone

    @invariant()
    def the_room_holds_what_waits_and_nothing_else_between_two_batches(self):
        assert self.room.held_rows == self.batcher.waiting_rows
        assert self.room.held_size == self.queue.size
        assert (self.room.held_size > 0) is (self.room.held_rows > 0)

    def teardown(self):
        self.batcher.close()
        assert self.room.held_rows == self.room.held_size == 0
        assert not self.room.shares
        assert all(accepted.job.future.done() for accepted in self.accepted)


class RaggedMachine(BatcherMachine):
    """The same for an engine that takes rows of different lengths in one batch."""

    make_engine = partial(FakeEngine, function=weighted_steps, ragged=RAGGED)


class HangingMachine(BatcherMachine):
    """The same where NaN is refused, and where a call may hang until the engine is given up."""

    refuses = True

    def __init__(self) -> None:
        super().__init__()
        self.engine.hangs = lambda: self.batcher.give_up("it hangs")

    @precondition(lambda self: not (self.closed or self.batcher.hung))
    @rule(rows=st.integers(1, 3))
    def hang(self, rows):
        one = job([[HANGS]] * rows)
        if self.batcher.waiting_rows + rows <= SHARE:
            self.batcher.submit([one])
            self.accepted.append(Accepted(one))

    @invariant()
    def once_it_hangs_everybody_knows(self):
        assert not self.batcher.hung or all(accepted.job.future.done() for accepted in self.accepted)


TestAnyOrderOfEvents = BatcherMachine.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestAnyOrderOfEventsAtAnyLength = RaggedMachine.TestCase
TestAnyOrderOfEventsAtAnyLength.settings = TestAnyOrderOfEvents.settings
TestAnyOrderOfEventsUntilItHangs = HangingMachine.TestCase
TestAnyOrderOfEventsUntilItHangs.settings = TestAnyOrderOfEvents.settings


def by_hand(engine: FakeEngine, clock: Clock | None = None, observer=None) -> Batcher:
    return Batcher(engine, Queue(8, 64), ManualDriver, observer, clock or Clock())


def test_what_queued_while_the_engine_was_busy_is_one_batch():
    engine = FakeEngine()
    batcher = by_hand(engine)
    jobs = [job([[number]]) for number in range(3)]
    for one in jobs:
        batcher.submit([one])
    batcher.step()
    assert [len(call["x"]) for call in engine.calls] == [3]
    assert [one.future.result(0).batch_rows for one in jobs] == [3, 3, 3]


def test_rows_of_different_lengths_are_one_batch_where_the_engine_takes_their_lengths():
    engine = FakeEngine(function=weighted_steps, ragged=RAGGED)
    batcher = by_hand(engine)
    jobs = [job([[1] * width], ragged=RAGGED) for width in (4, 7, 5)]
    for one in jobs:
        batcher.submit([one])
    batcher.step()
    [call] = engine.calls
    assert call["x"].tolist() == [[1, 1, 1, 1, 0, 0, 0], [1] * 7, [1, 1, 1, 1, 1, 0, 0]]
    assert call["x/length"].tolist() == [4, 7, 5]
    assert [one.future.result(0).outputs["y"].tolist() for one in jobs] == [[[10.0]], [[28.0]], [[15.0]]]


def test_a_lone_job_is_answered_by_the_first_step():
    """No window: an idle batcher adds no wait."""
    batcher = by_hand(FakeEngine())
    one = job([[4]])
    batcher.submit([one])
    assert batcher._driver.wakes == 1
    assert batcher.step()
    assert one.future.result(0).outputs["y"].tolist() == [[4.0]]


def test_an_idle_batcher_does_nothing():
    engine = FakeEngine()
    assert not by_hand(engine).step()
    assert engine.calls == []


@pytest.mark.parametrize("poison", sorted(POISON), ids=["raises", "short", "long", "nameless", "scalar"])
def test_only_the_culprit_of_a_failed_batch_fails(poison):
    batcher = by_hand(FakeEngine())
    before, culprit, after = job([[1]]), job([[poison]]), job([[2]])
    batcher.submit([before, culprit, after])
    batcher.step()
    assert before.future.result(0).outputs["y"].tolist() == [[1.0]]
    assert isinstance(culprit.future.exception(0), EngineFailed)
    assert after.future.result(0).outputs["y"].tolist() == [[2.0]]


def test_an_engines_error_is_one_line_with_its_cause_kept():
    batcher = by_hand(FakeEngine())
    one = job([[RAISES]])
    batcher.submit([one])
    batcher.step()
    error = one.future.exception(0)
    assert str(error) == "RuntimeError: poisoned row"
    assert isinstance(error.__cause__, RuntimeError)


def test_an_engines_error_without_words_still_has_a_message():
    def silent(_):
        raise KeyError

    batcher = by_hand(FakeEngine(function=silent))
    one = job([[1]])
    batcher.submit([one])
    batcher.step()
    assert str(one.future.exception(0)) == "KeyError: no message"


def test_a_missing_output_is_named():
    batcher = by_hand(FakeEngine())
    one = job([[NAMELESS]])
    batcher.submit([one])
    batcher.step()
    assert str(one.future.exception(0)) == "the model returned no y"


@pytest.mark.parametrize(("poison", "shape"), [(SHORT, "(0, 1)"), (LONG, "(2, 1)"), (SCALAR, "()")])
def test_an_output_without_the_batchs_rows_is_named(poison, shape):
    batcher = by_hand(FakeEngine())
    one = job([[poison]])
    batcher.submit([one])
    batcher.step()
    assert str(one.future.exception(0)) == f"output 'y': expected rows: 1, got the shape {shape}"


def test_a_model_that_is_wrong_in_batches_only_answers_each_job_alone():
    def first_alone(inputs):
        return {"y": weighted(inputs)["y"][:1]}

    engine = FakeEngine(function=first_alone)
    batcher = by_hand(engine)
    jobs = [job([[number]]) for number in range(3)]
    batcher.submit(jobs)
    batcher.step()
    assert [one.future.result(0).outputs["y"].tolist() for one in jobs] == [[[0.0]], [[1.0]], [[2.0]]]
    assert [len(call["x"]) for call in engine.calls] == [3, 1, 1, 1]


def test_only_the_job_whose_answer_is_not_finite_is_refused_and_counted():
    notes = Notes()
    batcher = by_hand(FakeEngine(), observer=notes)
    batcher.refuses_not_finite = True
    before, culprit, after = job([[1]]), job([[2], [BLURS]]), job([[3]])
    batcher.submit([before, culprit, after])
    batcher.step()
    assert str(culprit.future.exception(0)) == "the model's answer has NaN or infinity in 'y'"
    assert [one.future.result(0).outputs["y"].tolist() for one in (before, after)] == [[[1.0]], [[3.0]]]
    assert (notes.refused, [rows for rows, _, _ in notes.batches]) == ([(["y"], 2)], [4])


def test_the_policy_may_change_between_two_batches():
    batcher = by_hand(FakeEngine())
    first, second = job([[BLURS]]), job([[BLURS]])
    batcher.submit([first])
    batcher.step()
    batcher.refuses_not_finite = True
    batcher.submit([second])
    batcher.step()
    assert np.isnan(first.future.result(0).outputs["y"]).all()
    assert isinstance(second.future.exception(0), NotFinite)


def test_an_expired_job_gets_its_error_and_never_reaches_the_engine():
    engine, clock = FakeEngine(), Clock()
    batcher = by_hand(engine, clock)
    late, early = job([[1]], deadline=2.0), job([[2]], deadline=4.0)
    batcher.submit([late, early])
    clock.now = 3.0
    batcher.step()
    assert isinstance(late.future.exception(0), DeadlineExceeded)
    assert early.future.result(0).outputs["y"].tolist() == [[2.0]]
    assert engine.seen() == [[2.0]]


def test_a_cancelled_job_never_reaches_the_engine():
    engine = FakeEngine()
    batcher = by_hand(engine)
    gone, here = job([[1]]), job([[2]])
    batcher.submit([gone, here])
    gone.future.cancel()
    batcher.step()
    assert engine.seen() == [[2.0]]
    assert here.future.done()


def test_a_client_that_leaves_takes_the_rows_of_every_kind_with_it():
    class Left(BaseException):
        """What stops a task whose client has gone."""

    def leaves(future, seconds):
        raise Left

    engine = FakeEngine()
    handle = fakes.handle(engine, ManualDriver)
    with pytest.raises(Left):
        handle.predict([{"x": np.ones(width, np.float32)} for width in (1, 2, 1, 3)], FAR, leaves)
    assert handle.batcher.waiting_rows == 4
    handle.batcher.step()
    assert (handle.batcher.waiting_rows, engine.calls) == (0, [])


class Notes:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.batches: list = []
        self.refused: list = []

    def batch(self, rows, queue_seconds, engine_seconds) -> None:
        self.batches.append((rows, list(queue_seconds), engine_seconds))

    def not_finite(self, outputs, rows) -> None:
        self.refused.append((outputs, rows))


def test_each_job_learns_what_its_wait_and_its_batch_took():
    clock, notes = Clock(), Notes()

    def takes_half_a_second(inputs):
        clock.now += 0.5
        return weighted(inputs)

    batcher = by_hand(FakeEngine(function=takes_half_a_second), clock, notes)
    first = job([[1]], arrived=0.0)
    clock.now = 2.0
    second = job([[2], [3]], arrived=2.0)
    batcher.submit([first, second])
    clock.now = 3.0
    batcher.step()
    assert first.future.result(0)[1:] == (3.0, 3, 0.5)
    assert second.future.result(0)[1:] == (1.0, 3, 0.5)
    assert notes.batches == [(3, [3.0, 1.0], 0.5)]


def test_a_batch_that_had_to_be_taken_apart_is_observed_once_per_job_that_was_answered():
    notes = Notes()
    batcher = by_hand(FakeEngine(), observer=notes)
    batcher.submit([job([[1]]), job([[RAISES]]), job([[2]])])
    batcher.step()
    assert [rows for rows, _, _ in notes.batches] == [1, 1]


class Gate:
    """A row-wise function that says when it runs, and waits to be let on."""

    def __init__(self) -> None:
        self.entered = threading.Barrier(2)
        self.go_on = threading.Event()

    def __call__(self, inputs):
        if not self.go_on.is_set():
            self.entered.wait(SECONDS)
            assert self.go_on.wait(SECONDS)
        return weighted(inputs)


def test_a_failing_batch_does_not_end_the_thread():
    batcher = Batcher(FakeEngine(), Queue(8, 64))
    bad, good = job([[RAISES]]), job([[3]])
    batcher.submit([bad])
    assert isinstance(bad.future.exception(SECONDS), EngineFailed)
    batcher.submit([good])
    assert good.future.result(SECONDS).outputs["y"].tolist() == [[3.0]]
    batcher.close()


def test_close_answers_everything_that_waits_and_ends_the_thread():
    gate = Gate()
    batcher = Batcher(FakeEngine(function=gate), Queue(2, 64))
    jobs = [job([[number]]) for number in range(7)]
    batcher.submit(jobs[:1])
    gate.entered.wait(SECONDS)
    batcher.submit(jobs[1:])
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(batcher.close)
        gate.go_on.set()
        closing.result(SECONDS)
    assert [one.future.result(0).outputs["y"].tolist() for one in jobs] == [[[float(n)]] for n in range(7)]
    with pytest.raises(Draining):
        batcher.submit([job([[1]])])
    batcher.close()


def test_while_the_engine_is_busy_others_queue_and_leave_together():
    gate = Gate()
    engine = FakeEngine(function=gate)
    batcher = Batcher(engine, Queue(8, 64))
    first, second, third = job([[1]]), job([[2]]), job([[3]])
    batcher.submit([first])
    gate.entered.wait(SECONDS)
    batcher.submit([second])
    batcher.submit([third])
    gate.go_on.set()
    assert third.future.result(SECONDS).batch_rows == 2
    assert len(engine.calls) == 2
    batcher.close()


def test_many_threads_each_get_their_own_answer():
    batcher = Batcher(FakeEngine(), Queue(4, 10_000))
    callers, each = 8, 25
    together = threading.Barrier(callers)

    def ask(caller: int) -> bool:
        together.wait(SECONDS)
        jobs = [job([[caller * each + number + 0.5] * (1 + number % 3)]) for number in range(each)]
        for one in jobs:
            batcher.submit([one])
        return all(np.array_equal(one.future.result(SECONDS).outputs["y"], weighted(one.tensors)["y"]) for one in jobs)

    with ThreadPoolExecutor(callers) as pool:
        assert all(pool.map(ask, range(callers)))
    batcher.close()


def test_work_that_comes_between_the_last_step_and_the_end_is_still_done():
    """close() may begin just after a step has found nothing, and a job may have come in that moment."""
    waiting, done = [], []

    def step() -> bool:
        if waiting:
            done.append(waiting.pop())
            return True
        if not done and not driver._closed:
            waiting.append("late")
            closing.start()
            assert driver._work.wait(SECONDS)
        return False

    driver = ThreadDriver(step)
    closing = threading.Thread(target=driver.close)
    driver.wake()
    driver._thread.join(SECONDS)
    closing.join(SECONDS)
    assert done == ["late"]
