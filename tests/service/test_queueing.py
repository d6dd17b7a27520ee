"""Who leaves together, and when: properties of the pure queue."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.batching.jobs import Job, Terms
from service.batching.queueing import Queue
from service.errors import QueueFull
from tests.service.fakes import FAR

ROOM = 10**6
KINDS = st.sampled_from("abcd")
DEADLINES = st.sampled_from([1.0, 2.0, 3.0, FAR])


def a_job(kind: str, rows: int = 1, deadline: float = FAR) -> Job:
    return Job({}, kind, rows, 0.0, deadline)


JOBS = st.lists(st.builds(a_job, KINDS, st.integers(1, 12), DEADLINES), max_size=30)


def emptied(queue: Queue, now: float = 0.0) -> tuple[list[list[Job]], list[Job]]:
    """Every batch until nothing waits, and every expired job."""
    batches, expired = [], []
    while True:
        batch, late = queue.take(now)
        expired += late
        if not batch and not late:
            return batches, expired
        batches += [batch] if batch else []


def filled(jobs: list[Job], max_batch_rows: int = 8) -> Queue:
    queue = Queue(max_batch_rows, ROOM)
    for one in jobs:
        queue.put([one])
    return queue


@given(JOBS)
def test_jobs_of_one_kind_leave_in_the_order_they_came(jobs):
    batches, _ = emptied(filled(jobs))
    left = [one for batch in batches for one in batch]
    for kind in "abcd":
        assert [one for one in left if one.kind == kind] == [one for one in jobs if one.kind == kind]


@given(JOBS, st.integers(1, 16))
def test_no_batch_has_more_rows_than_allowed_unless_it_is_a_single_job(jobs, most):
    batches, _ = emptied(filled(jobs, most))
    assert all(sum(one.rows for one in batch) <= most or len(batch) == 1 for batch in batches)


LIMITS = st.fixed_dictionaries({kind: st.integers(1, 16) for kind in "abcd"})


@given(JOBS, LIMITS)
def test_every_kind_may_have_a_limit_of_its_own(jobs, limits):
    queue = Queue(99, ROOM, lambda kind: Terms(limits[kind]))
    for one in jobs:
        queue.put([one])
    batches, _ = emptied(queue)
    for batch in batches:
        assert len(batch) == 1 or sum(one.rows for one in batch) <= limits[batch[0].kind]
    for kind, most in limits.items():
        own = [batch for batch in batches if batch[0].kind == kind]
        assert all(sum(one.rows for one in left) + right[0].rows > most for left, right in pairwise(own))


@given(JOBS)
def test_a_batch_holds_one_kind_only(jobs):
    batches, _ = emptied(filled(jobs))
    assert all(len({one.kind for one in batch}) == 1 for batch in batches)


@given(JOBS, st.integers(1, 16))
def test_a_batch_takes_all_that_fits(jobs, most):
    """Of one kind, no two batches that follow each other would have fitted into one."""
    batches, _ = emptied(filled(jobs, most))
    for kind in "abcd":
        own = [batch for batch in batches if batch[0].kind == kind]
        assert all(sum(one.rows for one in left) + right[0].rows > most for left, right in pairwise(own))


@given(JOBS, st.lists(st.tuples(KINDS, st.integers(1, 8)), max_size=40))
def test_no_kind_starves_whatever_comes_after_it(jobs, later):
    """Once a kind waits, at most every other kind is served before it, however much of them keeps coming."""
    queue = filled([*jobs, a_job("patient")])
    kinds_before_it = len({one.kind for one in jobs})
    coming = iter(later)
    for _ in range(kinds_before_it):
        batch, _ = queue.take(0.0)
        if batch[0].kind == "patient":
            return
        queue.put([a_job(kind, rows) for kind, rows in [next(coming, ("a", 1))]])
    assert queue.take(0.0)[0][0].kind == "patient"


@given(JOBS, st.integers(1, 60))
def test_a_request_is_queued_whole_or_not_at_all(jobs, room):
    queue = Queue(8, room)
    wanted = sum(one.rows for one in jobs)
    if wanted <= room:
        queue.put(jobs)
        assert queue.rows == wanted
    else:
        with pytest.raises(QueueFull, match=f"at most {room} may"):
            queue.put(jobs)
        assert queue.rows == 0
        assert queue.take(0.0) == ([], [])


def test_a_full_queue_says_how_many_rows_wait():
    queue = Queue(8, 4)
    queue.put([a_job("a", 3)])
    with pytest.raises(QueueFull, match="3 rows wait already, and at most 4 may"):
        queue.put([a_job("a", 2)])
    queue.put([a_job("b", 1)])
    assert queue.rows == 4


@given(JOBS, st.integers(0, 20))
def test_rows_counts_what_waits(jobs, takes):
    queue = filled(jobs)
    waiting = sum(one.rows for one in jobs)
    for _ in range(takes):
        batch, expired = queue.take(2.0)
        waiting -= sum(one.rows for one in [*batch, *expired])
        assert queue.rows == waiting


@given(JOBS, st.sampled_from([0.0, 1.0, 1.5, 2.0, 9.0]))
def test_expired_jobs_are_handed_back_apart(jobs, now):
    batches, expired = emptied(filled(jobs), now)
    assert {id(one) for one in expired} == {id(one) for one in jobs if one.deadline <= now}
    assert {id(one) for batch in batches for one in batch} == {id(one) for one in jobs if one.deadline > now}


@given(JOBS, st.data())
def test_cancelled_jobs_are_in_no_batch_and_free_their_place(jobs, data):
    queue = filled(jobs)
    cancelled = [one for one in jobs if data.draw(st.booleans()) and one.future.cancel()]
    batches, expired = emptied(queue, 2.0)
    left = [*expired, *(one for batch in batches for one in batch)]
    assert not {id(one) for one in cancelled} & {id(one) for one in left}
    assert len(left) + len(cancelled) == len(jobs)
    assert queue.rows == 0


def test_cancelled_jobs_do_not_make_an_empty_batch_while_others_wait():
    gone, here = a_job("a"), a_job("b")
    queue = filled([gone, here])
    gone.future.cancel()
    assert queue.take(0.0) == ([here], [])


def test_a_job_that_left_can_no_longer_be_cancelled():
    one = a_job("a")
    filled([one]).take(0.0)
    assert not one.future.cancel()
