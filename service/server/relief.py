"""How a worker and its parent agree on who leaves: the old ones only once as many younger ones listen."""

import os
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.sock import ssl_context

from service.beside import starting

LOOK_SECONDS = 0.2
"""Between two looks of a worker that waits: for its models, or for its last connections."""
LISTENS, LEAVES = 1, 2


class Relief:
    """What a worker of either kind and its parent know of each other (service/master.py)."""

    cfg: Any
    tmp: Any
    alive: bool
    slot = 0  # whose socket is its own, of those that share the port
    relieves = False  # whether others served when it was started
    dismissed = False  # whether its parent has told it to leave

    @property
    def settled(self) -> bool:
        """Whether the worker has said that it listens."""
        return self.said == LISTENS

    @property
    def leaving(self) -> bool:
        """Whether the worker leaves, told or by itself."""
        return self.dismissed or self.said == LEAVES

    @property
    def said(self) -> int:
        """What it has told its parent, 0 at first."""
        return os.fstat(self.tmp.fileno()).st_size

    def say(self, what: int) -> None:
        """Tell the parent, by the size of the file of the heartbeat, which both have open."""
        os.ftruncate(self.tmp.fileno(), what)
        self.tmp.notify()

    def read_certificate(self) -> None:
        """With TLS: have what this process needs for it, or end it."""
        if self.cfg.is_ssl:
            with starting(self):
                ssl_context(self.cfg)

    def await_models(self, app: Flask, pause: Callable[[float], None] = time.sleep) -> None:
        """Let the others serve until this worker has what they serve; its parent sees meanwhile that it lives."""
        stands: Callable[[], bool] = app.extensions["stands"]
        while self.relieves and self.alive and not stands():
            self.tmp.notify()
            pause(LOOK_SECONDS)
