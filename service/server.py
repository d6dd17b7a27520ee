"""The gunicorn worker: an ordinary WSGI app, one greenlet per request, on gunicorn's asgi event loop.

    socket ─▶ gunicorn asgi worker ─▶ Bridge ─▶ greenlet: WSGI app ─▶ wait(future) ─╮ parks the greenlet,
    socket ◀─ (parses HTTP in C)   ◀─        ◀─                     ◀───────────────╯ the loop serves others

No thread waits. Outside this worker, `wait` blocks its thread, so the app runs under any WSGI server.
`choose_driver` puts the engine calls of quick models on the loop itself, which saves two hand-overs between threads.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import io
import itertools
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import greenlet
from flask import Flask
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers.gasgi import ASGIWorker
from gunicorn.workers.gthread import ThreadWorker

from service.batcher import MakeDriver, ThreadDriver
from service.beside import Front, Side, front, starting
from service.errors import DeadlineExceeded
from service.queueing import Answer

WSGIApp = Callable[..., Iterable[bytes]]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LOOP_SECONDS = 0.005
"""A full batch quicker than this is answered on the loop: every other request waits so long at most."""

DISCARDED = 4
"""How many times the body limit is read, and thrown away, so that a client hears the 413 before its pipe breaks."""


HEADERS_BYTES = 65_536
"""As much as gunicorn reads of a request's headers, and more."""


class _Request(greenlet.greenlet):  # type: ignore[misc]
    """The greenlet one WSGI call runs in."""


class _Running:
    """The event loop of this process, once the worker serves."""

    loop: asyncio.AbstractEventLoop | None = None


def await_(awaitable: Awaitable[Any]) -> Any:
    """Have the loop await something, from synchronous code inside a request's greenlet."""
    parent = greenlet.getcurrent().parent
    assert parent is not None, "await_ outside a request. This is a bug."
    return parent.switch(awaitable)


def wait(future: "concurrent.futures.Future[Answer]", seconds: float) -> Answer:
    """The future's answer or exception; after so many seconds the future is cancelled and DeadlineExceeded raised."""
    inside = isinstance(greenlet.getcurrent(), _Request)
    try:
        if inside and not future.done():
            await_(_done(future, max(seconds, 0)))
        return future.result(0 if inside else max(seconds, 0))
    except TimeoutError:
        future.cancel()
        raise DeadlineExceeded("the answer was not there in the time the request allows") from None


def _done(future: "concurrent.futures.Future[Answer]", seconds: float) -> "asyncio.Future[None]":
    """An asyncio future that is done when `future` is, or after so many seconds."""
    loop = asyncio.get_running_loop()
    loop_thread = threading.get_ident()
    done = loop.create_future()

    def finish() -> None:
        timer.cancel()
        if not done.done():
            done.set_result(None)

    def wake(_: Any) -> None:
        if threading.get_ident() == loop_thread:
            finish()
        else:
            loop.call_soon_threadsafe(finish)

    timer = loop.call_later(seconds, finish)
    future.add_done_callback(wake)
    return done


async def run(call: Callable[[], Any]) -> Any:
    """Run synchronous code in a greenlet that may `await_`; returns its result."""
    request = _Request(call)
    value = request.switch()
    while not request.dead:
        try:
            result = await value
        except BaseException as error:  # the waiting code gets it, where it waited
            value = request.throw(error)
        else:
            value = request.switch(result)
    return value


def on_loop(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether this is code of the loop, not another thread."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


class LoopDriver:
    """Answers batches on the event loop: one per turn, so that the loop takes in new requests between two."""

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
            self._loop.call_soon(self._turn)
        else:
            self._scheduled = False

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
    loop = _Running.loop
    if loop is None or seconds > LOOP_SECONDS:
        return ThreadDriver
    return lambda step: LoopDriver(step, loop)


class Bridge:
    """WSGI app → ASGI app. Bodies are gathered up to `max_body_bytes`; what is longer the app refuses."""

    def __init__(self, app: WSGIApp, max_body_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        base = environ(scope)
        body = await self.gather(base, receive)
        if body is not None:
            await run(lambda: self.respond(base | {"wsgi.input": io.BytesIO(body)}, send))

    async def gather(self, base: dict[str, Any], receive: Receive) -> bytes | None:
        """The body; None if the client left. CONTENT_LENGTH becomes what was read, or stays what is too long."""
        declared = int(base.get("CONTENT_LENGTH") or 0)
        if declared > self.max_body_bytes and "HTTP_EXPECT" in base:
            return b""
        chunks, length, more = [], 0, True
        while more and length <= DISCARDED * self.max_body_bytes:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunk = message.get("body", b"")
            length += len(chunk)
            if length <= self.max_body_bytes:
                chunks.append(chunk)
            more = message.get("more_body", False)
        base["CONTENT_LENGTH"] = str(max(declared, length))
        base.pop("HTTP_TRANSFER_ENCODING", None)  # the chunks are joined; werkzeug would read no length beside it
        return b"".join(chunks) if length <= self.max_body_bytes else b""

    def respond(self, request: dict[str, Any], send: Send) -> None:
        """Call the app, in its greenlet, and send what it answers."""
        started: dict[str, Any] = {"type": "http.response.start"}

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
            started["status"] = int(status[:3])
            started["headers"] = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers]

        chunks = self.app(request, start_response)
        with closing(chunks):
            if any(name == b"content-length" for name, _ in started.get("headers", ())):
                await_(send_whole(send, started, b"".join(chunks)))
                return
            parts = iter(chunks)
            first = next(parts, b"")  # by now the app has said its status, whether it has a body or not
            await_(send(started))
            for chunk in itertools.chain([first], parts):
                await_(send({"type": "http.response.body", "body": chunk, "more_body": True}))
            await_(send({"type": "http.response.body", "body": b""}))


async def send_whole(send: Send, started: dict[str, Any], body: bytes) -> None:
    """A response whose length is known, in one visit to the loop."""
    await send(started)
    await send({"type": "http.response.body", "body": body})


@functools.lru_cache(1024)
def environ_key(name: bytes) -> str:
    """A header's name in the environment."""
    key = name.decode("latin1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


def environ(scope: Scope) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of an ASGI scope, without its input."""
    server = scope.get("server") or ("localhost", 80)
    request = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1] if len(server) > 1 else ""),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = environ_key(name)
        text = value.decode("latin1")
        request[key] = f"{request[key]},{text}" if key in request else text
    return request


@contextlib.contextmanager
def closing(chunks: Iterable[bytes]) -> Iterator[None]:
    """Call the response's `close`, if it has one (PEP 3333)."""
    try:
        yield
    finally:
        close: Callable[[], None] | None = getattr(chunks, "close", None)
        if close is not None:
            close()


def read_ahead(most: int) -> None:
    """Let a connection keep so many bytes of its next request while the last is still being put away.

    A client that sends its next request as soon as it is answered is quicker than that; of more than 64 KB gunicorn
    would lose the rest, and close the connection without an answer.
    """
    if ASGIProtocol._check_h1c_protocol_available():  # noqa: SLF001 - gunicorn passes its parser no such limit
        ASGIProtocol._h1c_protocol_class = functools.partial(ASGIProtocol._h1c_protocol_class, limit_remaining=most)  # noqa: SLF001


@contextlib.contextmanager
def listening_for_sigterm(worker: ASGIWorker) -> Iterator[None]:
    """Keep a SIGTERM that comes before the event loop runs: uvloop hears none until then."""

    def stop(*_: Any) -> None:
        worker.alive = False

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Worker(ASGIWorker):  # type: ignore[misc]
    """gunicorn -k service.server.Worker"""

    front: Front | None = None
    draining: "asyncio.Task[None] | None" = None

    def _setup_event_loop(self) -> None:
        super()._setup_event_loop()
        _Running.loop = self.loop

    def load_wsgi(self) -> None:
        with listening_for_sigterm(self):
            self._load()

    def _load(self) -> None:
        super().load_wsgi()
        app: Flask = self.asgi  # type: ignore[has-type]
        self.asgi = Bridge(app, app.config["MAX_CONTENT_LENGTH"])
        read_ahead(app.config["MAX_CONTENT_LENGTH"] + HEADERS_BYTES)
        self.front = front(app)
        if self.front is not None:
            with starting(self):
                self.loop.run_until_complete(self.front.start())

    def handle_exit_signal(self) -> None:
        super().handle_exit_signal()
        self.drain()

    def drain(self) -> None:
        """Begin to close the front, once."""
        if self.front is not None and self.draining is None:
            self.draining = self.loop.create_task(self.front.drain(self.cfg.graceful_timeout))

    async def _shutdown(self) -> None:
        self.drain()
        await super()._shutdown()
        if self.front is not None and self._quick_shutdown:
            await self.front.drain(0)
        if self.draining is not None:
            await self.draining


class Threads(ThreadWorker):  # type: ignore[misc]
    """gunicorn -k service.server.Threads: a thread per request, and one with an event loop for the front."""

    side: Side | None = None

    def load_wsgi(self) -> None:
        super().load_wsgi()
        beside = front(self.wsgi)
        if beside is not None:
            with starting(self):
                self.side = Side(beside, self.cfg.graceful_timeout)

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.side is not None:
            self.side.drain()
        super().handle_exit(sig, frame)

    def run(self) -> None:
        super().run()
        if self.side is not None:
            self.side.close()
