"""Our future does what the standard library's does."""

import concurrent.futures
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.batching.future import Future

OPERATIONS = st.lists(
    st.sampled_from(
        [
            "cancel",
            "cancelled",
            "running",
            "done",
            "set_running_or_notify_cancel",
            "result",
            "exception",
            "set",
            "fail",
            "listen",
        ]
    ),
    max_size=12,
)


def play(future: Any, operations: list[str]) -> list[Any]:
    """What each operation gives, or raises; and when listeners hear."""
    told: list[Any] = []
    for number, operation in enumerate(operations):
        try:
            if operation == "set":
                told.append(future.set_result(number))
            elif operation == "fail":
                told.append(future.set_exception(KeyError(number)))
            elif operation == "listen":
                future.add_done_callback(lambda heard, number=number: told.append(("heard", number, heard is future)))
            elif operation in ("result", "exception"):
                told.append(repr(getattr(future, operation)(0)))
            else:
                told.append(getattr(future, operation)())
        except BaseException as error:
            told.append((type(error).__name__, repr(error) if isinstance(error, KeyError) else ""))
    return told


def sensible(operations: list[str]) -> bool:
    """Without what the original calls a mistake of its user: to begin twice, or what is done."""
    begun = [place for place, operation in enumerate(operations) if operation == "set_running_or_notify_cancel"]
    ends = [place for place, operation in enumerate(operations) if operation in ("set", "fail")]
    return len(begun) < 2 and (not begun or not ends or begun[0] < ends[0])


@given(OPERATIONS.filter(sensible))
def test_every_sequence_of_operations_gives_the_same(operations):
    assert play(Future(), operations) == play(concurrent.futures.Future(), operations)


def test_a_thread_may_wait_for_another():
    future: Future[int] = Future()
    threading.Timer(0.001, future.set_result, [3]).start()
    assert future.result(60) == 3
    with pytest.raises(TimeoutError):
        Future[int]().result(0.001)


def test_of_all_that_wait_while_it_is_set_none_is_forgotten():
    for _ in range(200):
        future: Future[int] = Future()
        together = threading.Barrier(3)
        heard: list[int] = []

        def listen() -> None:
            together.wait(60)  # noqa: B023 - both threads end before the next round
            future.add_done_callback(lambda one: heard.append(one.result()))  # noqa: B023

        threads = [threading.Thread(target=listen) for _ in range(2)]
        for thread in threads:
            thread.start()
        together.wait(60)
        future.set_result(1)
        for thread in threads:
            thread.join(60)
        assert heard == [1, 1]
