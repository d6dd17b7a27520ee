"""Tasks: synchronous code that waits on an event loop without a thread of its own."""

import asyncio
import threading
from functools import partial
from typing import Any

import greenlet
import pytest

from service.batching.future import Future
from service.batching.jobs import Answer
from service.errors import DeadlineExceeded
from service.server.tasks import Inbox, Parked, run, start, wait

ANSWER = Answer({}, 0, 1, 0)


def test_what_a_call_returns_or_raises_comes_out():
    def fail() -> None:
        raise KeyError("x")

    assert asyncio.run(run(lambda: 3)) == 3
    with pytest.raises(KeyError):
        asyncio.run(run(fail))


def test_a_wait_ends_with_the_answer_from_whatever_thread_or_with_the_deadline():
    async def check() -> None:
        future: Future[Answer] = Future()
        threading.Timer(0.001, future.set_result, [ANSWER]).start()
        assert await run(lambda: wait(future, 60)) is ANSWER
        late: Future[Answer] = Future()
        with pytest.raises(DeadlineExceeded):
            await run(lambda: wait(late, 0))
        assert late.cancelled()

    asyncio.run(check())


def test_outside_a_task_a_wait_blocks_its_thread():
    future: Future[Answer] = Future()
    with pytest.raises(DeadlineExceeded):
        wait(future, 0)
    done: Future[Answer] = Future()
    done.set_result(ANSWER)
    assert wait(done, 0) is ANSWER


def test_a_task_that_is_over_makes_the_next_call():
    async def check() -> None:
        tasks = []
        for _ in range(5):
            start(lambda: tasks.append(greenlet.getcurrent()), lambda: None)
        assert len(set(map(id, tasks))) == 1

    asyncio.run(check())


def test_of_all_that_wake_a_task_only_the_first_does():
    async def check() -> None:
        told: list[Any] = []
        parked: list[Parked] = []

        def call(name: str) -> None:
            parked.append(Parked(greenlet.getcurrent()))
            parked[-1].wait()
            told.append(name)

        start(lambda: call("first"), lambda: told.append("over"))
        parked[0].wake()
        start(lambda: call("second"), lambda: told.append("over"))  # in the same greenlet
        parked[0].wake()
        assert told == ["first", "over"]
        parked[1].wake()
        assert told == ["first", "over", "second", "over"]

    asyncio.run(check())


def test_a_stopped_task_cleans_up_and_is_over():
    async def check() -> None:
        told: list[str] = []

        def call() -> None:
            try:
                Parked(greenlet.getcurrent()).wait()
            finally:
                told.append("cleaned up")

        start(call, lambda: told.append("over")).stop()
        assert told == ["cleaned up", "over"]

    asyncio.run(check())


def test_a_call_whose_awaiter_is_cancelled_is_stopped():
    async def check() -> None:
        future: Future[Answer] = Future()
        stopped: list[bool] = []

        def call() -> None:
            try:
                wait(future, 60)
            except BaseException:
                stopped.append(True)
                raise

        task = asyncio.create_task(run(call))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stopped == [True]

    asyncio.run(check())


def test_a_callback_that_fails_fails_alone():
    async def check() -> None:
        inbox, called = Inbox(), []
        asyncio.get_running_loop().set_exception_handler(lambda *_: called.append("failed"))
        inbox.post(lambda: called.append("first"))
        inbox.post(lambda: 1 / 0)
        inbox.post(lambda: called.append("last"))
        for _ in range(3):
            await asyncio.sleep(0)
        assert called == ["first", "failed", "last"]

    asyncio.run(check())


def test_whatever_many_threads_post_is_called_once_each_by_the_loop():
    async def check() -> None:
        inbox, called, all_called = Inbox(), [], asyncio.Event()
        threads, each = 8, 500

        def call(number: int) -> None:
            called.append((number, threading.get_ident()))
            if len(called) == threads * each:
                all_called.set()

        def post(own: int) -> None:
            for number in range(each):
                inbox.post(partial(call, own * each + number))

        workers = [threading.Thread(target=post, args=[own]) for own in range(threads)]
        for worker in workers:
            worker.start()
        await asyncio.wait_for(all_called.wait(), 60)
        for worker in workers:  # the last may still be about to wake the loop, which must not end before
            worker.join(60)
        assert sorted(number for number, _ in called) == list(range(threads * each))
        assert {thread for _, thread in called} == {threading.get_ident()}

    asyncio.run(check())
