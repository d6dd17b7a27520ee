"""Where a batcher's engine calls run: on the event loop while they are quick, else on a thread of their own."""

import asyncio
import concurrent.futures
from collections.abc import Callable

from service.batching.drivers import MakeDriver, ThreadDriver

LOOP_SECONDS = 0.005
"""A full batch quicker than this is answered on the loop: every other request waits so long at most."""


class Running:
    """The event loop of this process, once the worker serves."""

    loop: asyncio.AbstractEventLoop | None = None


def on_loop(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether this is code of the loop, not another thread."""
    return asyncio._get_running_loop() is loop  # noqa: SLF001 - documented for such uses: None where none runs


REST = 4
"""Turns of the loop between two batches of a model: so many a request needs that came meanwhile, from its bytes to its
answer from another model. Without, it would wait for two more of these batches."""


class LoopDriver:
    """Answers batches on the event loop, and rests between two, so that the loop takes in and answers requests."""

    def __init__(self, step: Callable[[], bool], loop: asyncio.AbstractEventLoop) -> None:
        self._step = step
        self._loop = loop
        self._scheduled = False

    def wake(self) -> None:
        if not on_loop(self._loop):
            self._loop.call_soon_threadsafe(self.wake)
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        if self._step():
            self._rest(REST)
        else:
            self._scheduled = False

    def _rest(self, turns: int) -> None:
        """Take the next turn after so many of the loop's."""
        self._loop.call_soon(*((self._rest, turns - 1) if turns else (self._turn,)))

    def close(self) -> None:
        if on_loop(self._loop) or not self._loop.is_running():
            while self._step():
                pass
            return
        drained: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(self._drain, drained)
        drained.result()

    def _drain(self, drained: "concurrent.futures.Future[None]") -> None:
        """As from the loop, but turn by turn, so that it does not stop for long."""
        if self._step():
            self._loop.call_soon(self._drain, drained)
        else:
            drained.set_result(None)


def choose_driver(seconds: float) -> MakeDriver:
    """What drives the batcher of a model whose full batch takes so many seconds, in this process."""
    loop = Running.loop
    if loop is None or seconds > LOOP_SECONDS:
        return ThreadDriver
    return lambda step: LoopDriver(step, loop)
