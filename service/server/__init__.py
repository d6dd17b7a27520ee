"""The gunicorn workers: an ordinary WSGI app, one greenlet per request, on the event loop of gunicorn's asgi worker.

    socket ─▶ Protocol ─▶ environ ─▶ Task: WSGI app ─▶ wait(future) ─╮ parks the task,
    socket ◀─ Protocol ◀─ Response ◀─       ◀─                       ◀╯ the loop serves others

No thread waits. Outside these tasks `wait` blocks its thread, so the app runs under any WSGI server.
`choose_driver` puts the engine calls of quick models on the loop itself, which saves two hand-overs between threads.
"""

from service.server.drivers import LoopDriver, choose_driver
from service.server.tasks import parks, run, wait
from service.server.threads import Threads
from service.server.worker import Worker

__all__ = ["LoopDriver", "Threads", "Worker", "choose_driver", "parks", "run", "wait"]
