"""gunicorn's worker of threads, for this service."""

import select
import signal
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from service.beside import Side, front, starting
from service.server.relief import HELP_SECONDS, LISTENS, Relief


class Threads(ThreadWorker, Relief):  # type: ignore[misc]
    """gunicorn -k service.server.Threads: a thread per request, and one with an event loop for the front."""

    side: Side | None = None
    wsgi: Any = None

    def load_wsgi(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # gunicorn hears it by now
        super().load_wsgi()
        self.read_certificate()
        self.await_models(self.wsgi)
        beside = front(self.wsgi)
        if beside is not None:
            with starting(self):
                self.side = Side(beside, self.cfg.graceful_timeout)

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.side is not None:
            self.side.drain()
        self.leave()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        self.end_streams(self.wsgi)  # Python waits for their threads
        super().handle_quit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """As gunicorn says; at the end what waits is taken in, as by the other worker, and the sockets are left."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            time.sleep(HELP_SECONDS)
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
                listener.close()

    def notify(self) -> None:
        """Called every second, and at once when the worker is to end."""
        if not self.alive:
            self.end_streams(self.wsgi)
        super().notify()

    def run(self) -> None:
        self.say(LISTENS)
        super().run()
        if self.side is not None:
            self.side.close()
