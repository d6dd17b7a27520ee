"""Who is let in: what a worker may hold, when to come again, which deadlines can be met; simulated, without a clock."""

import math
import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.batching.admission import GREED, Room
from service.batching.jobs import Job, Terms
from service.batching.pace import PROOF, PROOF_SECONDS, Pace
from service.batching.queueing import Allowed, Queue
from service.errors import DeadlineUnreachable, Overloaded, QueueFull
from service.tensors import Tensors
from tests.service.fakes import FAR

NAMES = st.sampled_from(["flooded", "quiet", "bodies"])


class TestRoom:
    @given(st.lists(st.tuples(NAMES, st.integers(0, 60), st.integers(0, 600), st.booleans()), max_size=60))
    def test_no_more_is_held_than_fits_unless_it_is_all_of_one(self, events):
        room = Room(100, 1000)
        shares = {name: room.share() for name in ("flooded", "quiet", "bodies")}
        held: dict[str, list[tuple[int, int]]] = {name: [] for name in shares}
        for name, rows, size, leaves in events:
            if leaves and held[name]:
                shares[name].give(*held[name].pop())
                continue
            free = 100 - room.held_rows, 1000 - room.held_size
            try:
                shares[name].take(rows, size)
            except Overloaded:
                assert rows > free[0] or size > free[1] or held[name], "who holds nothing only needs to fit"
            else:
                held[name].append((rows, size))
        assert room.held_rows == sum(rows for own in held.values() for rows, _ in own)
        assert room.held_size == sum(size for own in held.values() for _, size in own)
        assert room.held_rows <= 100 or sum(map(len, held.values())) == 1

    @pytest.mark.parametrize("floods", [1, 2, 5])
    def test_however_many_are_flooded_there_is_room_for_who_holds_nothing(self, floods):
        room = Room(1000)
        for share in [room.share() for _ in range(floods)] * 1000:
            try:
                share.take(1, 0)
            except Overloaded:
                continue
        free = 1000 - room.held_rows
        assert free >= 1000 // (1 + GREED * floods)
        room.share().take(free, 0)

    def test_a_request_larger_than_the_room_is_let_in_alone(self):
        room = Room(10, 10)
        alone, other = room.share(), room.share()
        alone.take(1, 100)
        with pytest.raises(Overloaded, match="holds 1 rows and 100 bytes, of which 0 rows and 0 bytes"):
            other.take(1, 1)
        alone.give(1, 100)
        other.take(1, 1)

    def test_who_holds_more_than_is_free_presses(self):
        share = (room := Room(size=100)).share()
        share.take(0, 50)
        assert not share.presses
        room.share().take(0, 1)
        assert share.presses

    def test_a_refusal_says_when_what_is_held_will_be_gone(self):
        room = Room(10)
        slow, gone, asking = room.share(lambda: 7.4), room.share(lambda: 99.0), room.share(lambda: 0.5)
        slow.take(10, 0)
        gone.close()
        with pytest.raises(Overloaded) as caught:
            asking.take(1, 0)
        assert (caught.value.retry_after, caught.value.retry_ms) == (8, 7400)


class TestPace:
    def proven(self, ratio: float = 1.0) -> Pace:
        pace = Pace()
        for number in range(PROOF):
            pace.ended((number + 1) * ratio, number * ratio, number * ratio, 1.0)
        return pace

    @given(st.floats(0.1, 10))
    def test_it_learns_what_the_last_calls_took(self, ratio):
        assert self.proven(ratio).seconds(7.0, 3) == pytest.approx(7 * ratio)

    def test_what_comes_between_two_calls_is_counted_by_the_batch(self):
        pace = Pace()
        pace.ended(2.0, 0.0, 1.0, 1.0)
        pace.ended(4.0, 0.0, 3.0, 1.0)
        assert (pace.ratio, pace.gap) == pytest.approx((1.0, 1.0))
        assert pace.seconds(predicted=10.0, batches=2) == pytest.approx(12.0)

    def test_an_idle_engine_is_not_taken_for_a_slow_one(self):
        pace = Pace()
        pace.ended(1.0, 0.0, 0.0, 1.0)
        pace.ended(8.0, 7.0, 7.0, 1.0)
        assert (pace.ratio, pace.gap) == pytest.approx((1.0, 0.0))

    def test_of_several_calls_at_once_each_counts_from_the_end_of_the_one_before(self):
        pace = Pace()
        pace.ended(2.0, 0.0, 0.0, 2.0)
        pace.ended(2.5, 0.0, 0.5, 2.0)
        pace.ended(3.0, 0.0, 1.0, 2.0)
        assert pace.ratio < 0.6
        assert pace.gap == 0.0

    def test_nothing_is_proven_by_few_batches_or_by_old_ones(self):
        pace = Pace()
        assert not pace.proven(0.0)
        pace = self.proven()
        assert pace.proven(PROOF + PROOF_SECONDS)
        assert not pace.proven(PROOF + PROOF_SECONDS + 0.1)
        pace.ended(1000.0, 999.0, 999.0, 1.0)
        assert not pace.proven(1000.0)

    @pytest.mark.parametrize("began", [PROOF, PROOF + 8.0], ids=["of the engine", "of the loop"])
    def test_one_stall_is_not_taken_for_the_rule(self, began):
        pace = self.proven()
        pace.ended(PROOF + 9.0, PROOF, began, 1.0)
        assert pace.seconds(1.0, 1) < 2.0

    def test_it_follows_an_engine_that_has_become_slower(self):
        pace = self.proven()
        now = float(PROOF)
        for _ in range(30):
            now += 5.0
            pace.ended(now, 0.0, now - 5.0, 1.0)
        assert pace.ratio == pytest.approx(5.0, rel=0.1)


def a_job(kind: str = "a", rows: int = 1, arrived: float = 0.0, deadline: float = FAR, tensors: Tensors | None = None):
    return Job(tensors or {}, kind, rows, arrived, deadline)  # type: ignore[arg-type]


class Server:
    """A queue and an engine whose batches take what they were predicted, times `factor`, give or take a tenth."""

    def __init__(self, terms: dict[str, Terms], factor: float = 1.0, noise: float = 0.0, **more) -> None:
        self.queue = Queue(8, more.pop("rows", 10**6), terms.__getitem__, **more)
        self.terms, self.factor, self.noise = terms, factor, noise
        self.rng = random.Random(0)
        self.now = 0.0
        self.answered: dict[Job, float] = {}
        self.expired: list[Job] = []
        self.running: tuple[float, list[Job]] | None = None

    def until(self, time: float) -> None:
        """Compute until then."""
        while True:
            if self.running is None:
                batch, expired = self.queue.take(self.now)
                self.expired += expired
                if not batch:
                    self.now = max(self.now, min(time, FAR))
                    return
                off = self.factor * (1 + self.noise * self.rng.uniform(-1, 1))
                self.running = self.now + off * batch[0].seconds, batch
            end, batch = self.running
            if end > time:
                self.now = time
                return
            self.now, self.running = end, None
            self.answered |= dict.fromkeys(batch, end)
            self.queue.done(batch, end)

    def prove(self) -> None:
        """Let it answer some batches, one by one."""
        for _ in range(2 * PROOF):
            self.queue.put([a_job(next(iter(self.terms)), arrived=self.now)])
            self.until(self.now + 10.0 / PROOF)

    def work(self) -> float:
        """Seconds until it would be idle."""
        left = self.running[0] - self.now if self.running else 0.0
        return left + self.factor * self.queue.seconds


TERMS = {"a": Terms(8, 0.004, 0.002), "b": Terms(4, 0.002, 0.008)}
FACTORS = st.floats(0.7, 1.3)


class TestDeadlines:
    @given(FACTORS, st.floats(0.5, 4.0), st.integers(0, 10**6))
    @settings(max_examples=40, deadline=None)
    def test_who_is_let_in_is_answered_in_time_and_nobody_is_refused_who_easily_would(self, factor, load, seed):
        """At half to four times what the engine can do, and with any deadlines."""
        server, rng = Server(TERMS, factor, noise=0.1), random.Random(seed)
        server.prove()
        begun, admitted = server.now, []
        rate = load / (factor * 0.006)  # rows a second, of full batches of both kinds
        while server.now < begun + 1.0:
            server.until(server.now + rng.expovariate(rate))
            allowed = rng.choice([0.02, 0.05, 0.1, 0.3])
            one = a_job(rng.choice("ab"), arrived=server.now, deadline=server.now + allowed)
            before = server.work()
            try:
                server.queue.put([one])
                admitted.append(one)
            except DeadlineUnreachable:
                assert before + 2 * factor * 0.010 > allowed / 2, "it would have been answered in half the time"
        server.until(FAR)
        met = sum(server.answered.get(one, math.inf) <= one.deadline for one in admitted)
        assert met >= 0.95 * len(admitted)

    def test_a_cost_that_is_far_off_is_corrected_by_what_is_seen(self):
        server = Server(TERMS, factor=20.0)
        server.prove()
        server.queue.put([a_job(arrived=server.now)])
        with pytest.raises(DeadlineUnreachable, match=r"expected in 0\.\d+ s, and the request allows 0\.1 s"):
            server.queue.put([a_job("b", arrived=server.now, deadline=server.now + 0.1)])

    def test_nobody_is_refused_by_an_estimate_that_is_not_proven(self):
        server = Server({"a": Terms(1, 1000.0)})
        for _ in range(5):
            server.queue.put([a_job(deadline=0.001)])

    def test_an_idle_model_is_asked_unless_the_call_alone_takes_far_too_long(self):
        server = Server({"a": Terms(8, 0.010)})
        server.prove()
        server.queue.put([a_job(arrived=server.now, deadline=server.now + 0.006)])
        server.until(server.now + 1.0)
        with pytest.raises(DeadlineUnreachable) as caught:
            server.queue.put([a_job(arrived=server.now, deadline=server.now + 0.004)])
        again = server.now + caught.value.retry_after + 1
        server.queue.put([a_job(arrived=again, deadline=again + 0.004)])

    def test_a_short_line_does_not_wait_for_all_of_a_long_one(self):
        server = Server(TERMS)
        server.prove()
        for _ in range(400):
            server.queue.put([a_job("a", arrived=server.now)])
        server.queue.put([a_job("b", arrived=server.now, deadline=server.now + 0.1)])
        with pytest.raises(DeadlineUnreachable):
            server.queue.put([a_job("a", arrived=server.now, deadline=server.now + 0.1)])


class TestWaiting:
    @given(st.lists(st.sampled_from("ab"), min_size=1, max_size=300), st.floats(0.05, 0.5), FACTORS)
    def test_nobody_waits_longer_than_what_waits_may_take(self, kinds, wait, factor):
        server = Server(TERMS, factor, allowed=Allowed(wait=wait))
        server.prove()
        admitted, refused = [], []
        for kind in kinds:
            one = a_job(kind, arrived=server.now)
            try:
                server.queue.put([one])
                admitted.append(one)
            except QueueFull as error:
                refused.append(error)
        server.until(FAR)
        assert all(server.answered[one] - one.arrived <= wait + 2 * 1.3 * 0.034 for one in admitted)
        assert all(f"at most {wait:g} s may" in str(error) and error.shut > 0 for error in refused)

    @given(st.lists(st.sampled_from("ab"), max_size=200), st.integers(1, 150), st.sampled_from([0.02, 0.1, math.inf]))
    @example(["b", *"a" * 11, *"b" * 8, "a", "a"], 22, 0.1)
    def test_who_waits_as_long_as_he_is_told_and_is_alone_is_let_in(self, kinds, room, wait):
        server = Server(TERMS, rows=room, allowed=Allowed(wait=wait))
        server.prove()
        for kind in kinds:
            try:
                server.queue.put([a_job(kind, arrived=server.now)])
            except QueueFull as error:
                assert error.retry_after == max(1, math.ceil(error.retry_ms / 1000))  # noqa: PT017 - not all are full
                server.until(server.now + error.retry_ms / 1000)
                server.queue.put([a_job(kind, arrived=server.now)])
                break

    @pytest.mark.parametrize("factor", [1.0, 3.0])
    def test_who_is_alone_may_ask_for_as_many_rows_as_may_wait_however_long_they_take(self, factor):
        """Though another second of them would be too much; and again, as soon as he has his answer."""
        server = Server(TERMS, factor, rows=1024, room=Room(4096), allowed=Allowed(wait=0.5))
        server.prove()
        for _ in range(3):
            jobs = [a_job("ab"[number % 2], 8, arrived=server.now, deadline=server.now + 30.0) for number in range(128)]
            server.queue.put(jobs)
            assert server.work() > 1.0
            with pytest.raises(QueueFull):
                server.queue.put([a_job(arrived=server.now)])
            while len(server.answered.keys() & set(jobs)) < len(jobs):
                server.until(server.now + 0.1)

    def test_bytes_are_counted_until_they_are_computed_and_one_request_may_have_more_than_all(self):
        server = Server({"a": Terms(2)}, allowed=Allowed(size=100))
        large = {"x": np.zeros((1, 200), np.int8)}
        server.queue.put([a_job(tensors=large)])
        with pytest.raises(QueueFull, match="200 bytes wait or are computed already, and at most 100 may"):
            server.queue.put([a_job(tensors=large)])
        batch, _ = server.queue.take(0.0)
        with pytest.raises(QueueFull):
            server.queue.put([a_job(tensors=large)])
        server.queue.done(batch, 0.0)
        assert server.queue.size == 0
        server.queue.put([a_job(tensors=large)])


def test_a_flooded_model_leaves_room_for_another_of_the_worker():
    room = Room(rows=100)
    flooded, quiet = (Queue(8, 1000, room=room) for _ in range(2))
    for _ in range(80):
        flooded.put([a_job()])
    with pytest.raises(Overloaded):
        flooded.put([a_job()])
    for _ in range(10):
        quiet.put([a_job()])
    with pytest.raises(Overloaded):
        flooded.put([a_job()])
    flooded.close()
    while batch := flooded.take(0.0)[0]:
        flooded.done(batch, 0.0)
    assert room.held_rows == 10
