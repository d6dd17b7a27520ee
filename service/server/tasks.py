"""Synchronous code that waits without holding a thread: each request is a greenlet in the thread of an event loop.

A task runs until it parks, and goes on when what it waits for has come: never beside another, and always from a
callback of the loop.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import greenlet

from service.batching.future import Future
from service.batching.jobs import Answer
from service.errors import DeadlineExceeded

Result = TypeVar("Result")
Callback = Callable[[], object]


OVER = object()
"""What a task hands to the loop when its call is over."""
MOST_FREE = 1024
"""Tasks that are kept for later calls."""


class Task(greenlet.greenlet):  # type: ignore[misc]
    """A greenlet that makes one call after another; `start` takes one that is free.

    Python gives each new greenlet memory straight from the system and takes it back at the end: with tasks for one call
    each, a page fault and two system calls per request.
    """

    def begin(self, call: Callback, ended: Callback) -> None:
        """Make a call until it parks; once it is over, the loop calls `ended`."""
        self._call = call
        self._ended = ended
        self.go()

    def go(self) -> None:
        """Go on with the call. From the loop only."""
        self._settle(self.switch())

    def stop(self) -> None:
        """End the call where it is parked: what it waits for raises GreenletExit. From the loop only."""
        self._settle(self.throw())

    def run(self) -> None:
        while True:
            self._call()
            self.parent.switch(OVER)

    def _settle(self, told: object) -> None:
        if told is OVER:
            ended, self._call, self._ended = self._ended, nothing, nothing
            if len(_LOCAL.free) < MOST_FREE:
                _LOCAL.free.append(self)
            ended()
        elif self.dead:
            self._ended()


def nothing() -> None:
    """What a free task does."""


def start(call: Callback, ended: Callback) -> Task:
    """Make a call in a task until it parks; once it is over, the loop calls `ended`. From the loop only."""
    task = _LOCAL.free.pop() if _LOCAL.free else Task()
    task.begin(call, ended)
    return task


class Parked:
    """A task that waits; of all that wake it only the first does."""

    def __init__(self, task: Task) -> None:
        self._task: Task | None = task

    def wait(self) -> None:
        """Park the task, whose own code this is, until it is woken."""
        assert self._task is not None, "a task parks once. This is a bug."
        try:
            self._task.parent.switch()
        finally:
            self._task = None

    def wake(self) -> None:
        """Go on with the task, if it still waits. From the loop only."""
        task, self._task = self._task, None
        if task is not None:
            task.go()


class Inbox:
    """Callbacks for the loop of the thread that makes it, from any thread: one wake-up for all that come meanwhile."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._callbacks: deque[Callback] = deque()
        self._woken = False

    def post(self, callback: Callback) -> None:
        """Have the loop call it soon."""
        self._callbacks.append(callback)
        if not self._woken:
            self._woken = True
            here = threading.get_ident() == self._thread
            if not self.loop.is_closed():  # else nobody waits any more
                (self.loop.call_soon if here else self.loop.call_soon_threadsafe)(self._open)

    def _open(self) -> None:
        self._woken = False  # before the first is taken: what comes after the last is called for again
        try:
            while self._callbacks:
                self._callbacks.popleft()()
        finally:
            if self._callbacks and not self._woken:  # one of them has failed, alone
                self._woken = True
                self.loop.call_soon(self._open)


class _Local(threading.local):
    """What a thread with an event loop has: greenlets cannot change threads."""

    def __init__(self) -> None:
        self.inbox: Inbox | None = None
        self.free: list[Task] = []


_LOCAL = _Local()


def inbox() -> Inbox:
    """The inbox of the loop that runs in this thread."""
    found = _LOCAL.inbox
    if found is None or found.loop is not asyncio.get_running_loop():
        found = _LOCAL.inbox = Inbox()
    return found


def wait(future: "Future[Answer]", seconds: float) -> Answer:
    """The future's answer or exception; after so many seconds the future is cancelled and DeadlineExceeded raised.

    In a task it parks the task, elsewhere it blocks the thread.
    """
    task = greenlet.getcurrent()
    seconds = max(seconds, 0)
    try:
        if isinstance(task, Task):
            if not future.done():
                _park(Parked(task), future, seconds)
            seconds = 0
        return future.result(seconds)
    except TimeoutError:
        future.cancel()
        raise DeadlineExceeded("the answer was not there in the time the request allows") from None


def parks() -> bool:
    """Whether `wait` would park a task here, and hold no thread."""
    return isinstance(greenlet.getcurrent(), Task)


def _park(parked: Parked, future: "Future[Answer]", seconds: float) -> None:
    """Wait until the future is done, or so many seconds are over."""
    own = inbox()
    timer = own.loop.call_later(seconds, parked.wake)
    future.add_done_callback(lambda _: own.post(parked.wake))
    try:
        parked.wait()
    finally:
        timer.cancel()


async def run(call: Callable[[], Result]) -> Result:
    """Run synchronous code that may wait in a task; its result or exception. A cancellation stops the task."""
    done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    ended: list[bool] = []

    def work() -> None:
        try:
            result = call()
        except BaseException as error:
            if not done.done():
                done.set_exception(error)
        else:
            if not done.done():
                done.set_result(result)

    task = start(work, lambda: ended.append(True))
    try:
        return await done
    except asyncio.CancelledError:
        if not ended:
            task.stop()
        raise
