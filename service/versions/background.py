"""Threads of a worker that follow and change what is served: one that goes on until the end, one for one call."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from service.batching.future import Future

LOG = logging.getLogger("manifold.repository")

LOOK = 0.3
"""Seconds between two looks at what other workers told."""


def go_on(
    look: Callable[[], None], name: str, lasts: Callable[[], bool], pause: Callable[[float], None] = time.sleep
) -> threading.Thread:
    """Look again and again, as long as it `lasts`; a look that fails is logged, once, and is not the last."""

    def run() -> None:
        said = ""
        while lasts():
            try:
                look()
                said = ""
            except Exception as error:
                if repr(error) != said and lasts():
                    LOG.exception("the %s could not look, and will again", name)
                said = repr(error)
            pause(LOOK)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def in_background(call: Callable[[], object]) -> "Future[Any]":
    """Run on a thread of its own, for its result; who no longer waits does not stop it."""
    done: Future[Any] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = call()
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(result)

    threading.Thread(target=run, name="background", daemon=True).start()
    return done
