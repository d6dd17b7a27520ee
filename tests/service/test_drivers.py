"""The driver of quick models, which answers them on the event loop, however a job comes."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from service.batching.batcher import Batcher
from service.batching.drivers import PoolDriver
from service.batching.queueing import Queue
from service.server import LoopDriver
from service.server.tasks import run, wait
from service.tensors import Array, Tensors
from tests.service.fakes import FakeEngine, job, weighted
from tests.service.server import SECONDS

THREADS, EACH = 8, 300


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(SECONDS)
    loop.close()


def batcher_on(loop: asyncio.AbstractEventLoop) -> Batcher:
    return Batcher(FakeEngine(immune=True), Queue(8, 10**6), lambda step: LoopDriver(step, loop))


def test_jobs_from_many_threads_are_all_answered(loop):
    batcher = batcher_on(loop)
    together = threading.Barrier(THREADS)

    def ask(thread: int) -> list[float]:
        together.wait(SECONDS)
        answers = []
        for number in range(EACH):  # each waits for its answer, so that the loop falls asleep in between
            asked = job([[float(thread * EACH + number)]])
            batcher.submit([asked])
            answers.append(asked.future.result(SECONDS).outputs["y"].item())
        return answers

    with ThreadPoolExecutor(THREADS) as pool:
        answers = [answer for own in pool.map(ask, range(THREADS)) for answer in own]
    assert answers == [float(number) for number in range(THREADS * EACH)]


def test_a_pool_answers_every_job_of_many_threads_and_all_before_it_closes():
    batcher = Batcher(FakeEngine(immune=True), Queue(8, 10**6), lambda step: PoolDriver(step, 3))
    together = threading.Barrier(THREADS)

    def ask(thread: int) -> list[float]:
        together.wait(SECONDS)
        jobs = [job([[float(thread * EACH + number)]]) for number in range(EACH)]
        for one in jobs[: EACH // 2]:
            batcher.submit([one])
            one.future.result(SECONDS)  # so that the threads fall asleep in between
        batcher.submit(jobs[EACH // 2 :])
        return [one.future.result(SECONDS).outputs["y"].item() for one in jobs]

    with ThreadPoolExecutor(THREADS) as pool:
        answers = [answer for own in pool.map(ask, range(THREADS)) for answer in own]
    assert answers == [float(number) for number in range(THREADS * EACH)]
    last = [job([[float(number)]]) for number in range(EACH)]
    batcher.submit(last)
    batcher.close()
    assert [one.future.result(0).outputs["y"].item() for one in last] == [float(number) for number in range(EACH)]
    batcher.close()


def test_the_batches_of_a_pool_are_under_way_at_once():
    together = threading.Barrier(3)
    batches = iter(range(9))

    def step() -> bool:
        if next(batches, None) is None:
            return False
        together.wait(SECONDS)  # never comes to an end unless three do it at once
        return True

    driver = PoolDriver(step, 3)
    for _ in range(9):
        driver.wake()
    driver.close()
    assert next(batches, None) is None
    assert not together.broken


def test_to_close_from_a_thread_is_to_wait_for_what_was_accepted(loop):
    threads: set[int] = set()

    class Telling(FakeEngine):
        def run(self, inputs: Tensors) -> dict[str, Array]:
            threads.add(threading.get_ident())
            return super().run(inputs)

    batcher = Batcher(Telling(immune=True), Queue(8, 10**6), lambda step: LoopDriver(step, loop))
    jobs = [job([[float(number)]]) for number in range(EACH)]
    batcher.submit(jobs)
    batcher.close()
    assert [one.future.result(0).outputs["y"].item() for one in jobs] == [float(number) for number in range(EACH)]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_jobs_from_the_loop_and_from_a_thread_are_all_answered(loop):
    batcher = batcher_on(loop)
    jobs = [job([[float(number)]]) for number in range(2 * EACH)]

    async def submit() -> None:
        for one in jobs[:EACH]:
            batcher.submit([one])
            await asyncio.sleep(0)

    on_loop = asyncio.run_coroutine_threadsafe(submit(), loop)
    for one in jobs[EACH:]:
        batcher.submit([one])
    on_loop.result(SECONDS)
    answers = [one.future.result(SECONDS).outputs["y"].item() for one in jobs]
    assert answers == [float(number) for number in range(2 * EACH)]


def test_an_engine_on_the_loop_is_never_asked_from_another_thread(loop):
    asked = []

    class Engine(FakeEngine):
        def run(self, inputs):
            asked.append(threading.get_ident())
            return super().run(inputs)

    batcher = Batcher(Engine(), Queue(8, 100), lambda step: LoopDriver(step, loop))
    jobs = [job([[1.0]]) for _ in range(20)]
    for one in jobs:
        batcher.submit([one])
        one.future.result(SECONDS)
    loop_thread = asyncio.run_coroutine_threadsafe(own_thread(), loop).result(SECONDS)
    assert set(asked) == {loop_thread}


async def own_thread() -> int:
    return threading.get_ident()


def test_a_model_on_the_loop_is_answered_while_one_on_a_thread_computes(loop):
    computing, go_on = threading.Event(), threading.Event()

    def compute(inputs: Tensors) -> dict[str, Array]:
        computing.set()
        assert go_on.wait(SECONDS)
        return weighted(inputs)

    slow, quick = Batcher(FakeEngine(function=compute), Queue(8, 100)), batcher_on(loop)
    long, short = job([[1.0]]), job([[2.0]])
    slow.submit([long])
    assert computing.wait(SECONDS)
    quick.submit([short])
    assert short.future.result(SECONDS).outputs["y"].item() == 2.0
    assert not long.future.done()
    go_on.set()
    assert long.future.result(SECONDS).outputs["y"].item() == 1.0
    slow.close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@given(st.integers(1, 4), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_a_request_waits_for_no_more_than_one_call_of_any_other_model_on_the_loop(new_loop, models, at):
    """From the moment it comes, in the midst of a call, until its task goes on with the answer."""
    order: list[str] = []
    here, there = socket.socketpair()
    loop = new_loop()

    def engine(name: str) -> FakeEngine:
        def compute(inputs: Tensors) -> dict[str, Array]:
            order.append(name)
            if len(order) == at:
                there.send(b"request")
            return weighted(inputs)

        return FakeEngine(function=compute, immune=True)

    async def scenario() -> list[str]:
        names = [f"other {number}" for number in range(models)]
        patient, *others = [
            Batcher(engine(name), Queue(1, 10**6), lambda step: LoopDriver(step, loop)) for name in ["patient", *names]
        ]
        answered = loop.create_future()

        def ask() -> None:
            one = job([[2.0]])
            patient.submit([one])
            wait(one.future, SECONDS)
            answered.set_result(order[at - 1 :])

        loop.add_reader(here, lambda: (loop.remove_reader(here), asyncio.ensure_future(run(ask))))
        for other in others:
            other.submit([job([[1.0]]) for _ in range(40)])
        seen = await answered
        for batcher in [patient, *others]:
            batcher.close()
        return seen

    seen = loop.run_until_complete(scenario())
    loop.close()
    here.close()
    there.close()
    assert seen.count("patient") == 1
    assert all(seen.count(name) <= 1 for name in seen)
