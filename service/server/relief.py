"""How a worker and its parent agree on who leaves: the old ones only once as many younger ones listen."""

import os
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.sock import ssl_context

from service.beside import starting
from service.sockets import deafen

LOOK_SECONDS = 0.2
"""Between two looks of a worker that waits: for its models, or for its last connections."""
HELP_SECONDS = 0.05
"""A connection waits so long, at most twice, for a worker that is gone or busy, before another takes it in."""
LISTENS, LEAVES, ENDS = 1, 2, 3
"""What a worker says of itself, and what its parent says to it: nobody listens after it."""


class Relief:
    """What a worker of either kind and its parent know of each other (service/master.py)."""

    cfg: Any
    tmp: Any
    sockets: list[Any]
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
        """What it has told its parent, 0 at first, or its parent to it."""
        return os.fstat(self.tmp.fileno()).st_size

    def say(self, what: int) -> None:
        """Tell the other, by the size of the file of the heartbeat, which both have open."""
        os.ftruncate(self.tmp.fileno(), what)
        self.tmp.notify()

    def be_last(self) -> None:
        """Called by the parent: the server ends, nobody listens after this worker."""
        self.say(ENDS)

    def leave(self) -> None:
        """Tell the parent that this worker leaves. If it is among the last, no connection begins at its sockets now."""
        if self.said != ENDS:
            self.say(LEAVES)
            return
        for listener in self.sockets:
            deafen(listener.sock)

    def read_certificate(self) -> None:
        """With TLS: have what this process needs for it, or end it."""
        if self.cfg.is_ssl:
            with starting(self):
                ssl_context(self.cfg)

    def end_streams(self, app: Flask | None) -> None:
        """Have answers that last come to their end, so that nobody waits for them."""
        streams = app.extensions.get("streams") if app is not None else None
        if streams is not None:
            streams.end()

    def await_models(self, app: Flask, pause: Callable[[float], None] = time.sleep) -> None:
        """Let the others serve until this worker has what they serve; its parent sees meanwhile that it lives."""
        stands: Callable[[], bool] = app.extensions["stands"]
        while self.relieves and self.alive and not stands():
            self.tmp.notify()
            pause(LOOK_SECONDS)
