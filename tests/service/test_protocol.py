"""One connection, without a socket: whatever the pieces in which requests come, each gets its own answer, in order."""

import asyncio
import gc
import os
import re
import weakref
from collections.abc import Awaitable, Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from hypothesis import given
from hypothesis import strategies as st

from service.batching.admission import Room
from service.batching.future import Future
from service.batching.jobs import Answer
from service.batching.overload import REFUSED, Refusal, Refused
from service.server.door import EACH, Door
from service.server.patience import HEAD_SECONDS, HURRY_SECONDS, LEAST_RATE
from service.server.protocol import CONTINUE, Protocol
from service.server.tasks import wait

MOST = 1000
MOST_CONNECTIONS = 2
ROOM = 60_000
LATER = "/later"


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock is moved by hand."""

    now = 1000.0

    def time(self) -> float:
        return self.now


class Client:
    """What has come from one and the loop has not read waits in a pipe, as it would at a socket."""

    waits, sends = os.pipe()

    def fileno(self) -> int:
        return self.waits


class Transport(asyncio.Transport):
    """What the protocol writes, and whether it has closed."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2), "socket": Client()})
        self.written = b""
        self.closed = False
        self.aborted = False
        self.unread = 0

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unread

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def refuse(path: str, error: Exception) -> Refusal:
    """What is said without asking the app."""
    body = f"{path} refused".encode()
    return Refusal("429 Too Many Requests", [("Content-Length", str(len(body)))], body, lambda: None)


class Site:
    """A connection to an app that echoes; what it answers under /later waits for `free`."""

    def __init__(self, app: Callable[..., Iterable[bytes]] | None = None, most: int = MOST) -> None:
        self.parked: list[Future[Answer]] = []
        self.stopped = 0
        cfg = Config()
        self.worker = SimpleNamespace(
            cfg=cfg,
            log=Logger(cfg),
            asgi=app or self.echo,
            loop=asyncio.get_running_loop(),
            alive=True,
            nr=0,
            max_requests=10**9,
            nr_conns=0,
            max_body_bytes=most,
            most_connections=MOST_CONNECTIONS,
            connections=set(),
            bodies=Room(size=ROOM).share(),
            door=Door(),
            refuse=refuse,
            count=lambda: None,
        )
        self.transport = Transport()
        self.connection = Protocol(self.worker)
        self.connection.connection_made(self.transport)

    def echo(self, environ: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
        if environ["PATH_INFO"] == LATER:
            future: Future[Answer] = Future()
            self.parked.append(future)
            try:
                wait(future, 60)
            except BaseException:
                self.stopped += 1
                raise
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    async def say(self, data: bytes) -> None:
        """Send it, and let the loop come to rest."""
        if not self.transport.closed:
            self.connection.data_received(data)
        await self.rest()

    async def rest(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def rested(self) -> None:
        """Let refused connections be read again."""
        self.worker.loop.now += 10 * EACH
        await self.rest()

    async def free(self) -> None:
        """Let everything that waits go on, and what comes after it."""
        while self.parked:
            self.parked.pop(0).set_result(Answer({}, 0, 1, 0))
            await self.rest()

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of the responses so far; all have a Content-Length."""
        found, rest = [], self.transport.written
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            if head.startswith(b"HTTP/1.1 100 "):
                continue
            length = int(re.findall(rb"content-length: *(\d+)", head, re.IGNORECASE)[0])
            found.append(rest[:length])
            rest = rest[length:]
        return found


def run(test: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(test())  # type: ignore[arg-type]


def post(body: bytes, path: str = "/", head: str = "", version: str = "1.1") -> bytes:
    return f"POST {path} HTTP/{version}\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@given(
    st.lists(st.tuples(st.binary(max_size=40), st.sampled_from(["/", LATER])), min_size=1, max_size=6),
    st.lists(st.integers(1, 60), max_size=30),
    st.integers(0, 30),
)
def test_requests_in_any_pieces_are_each_answered_in_order(asked, pieces, freed):
    async def check() -> None:
        site = Site()
        data = b"".join(post(body, path) for body, path in asked)
        for number, size in enumerate([*pieces, len(data)]):
            if data:
                await site.say(data[:size])
            data = data[size:]
            if number == freed:
                await site.free()
        await site.free()
        assert site.bodies == [body for body, _ in asked]
        assert not site.transport.closed

    run(check)


def chunked(body: bytes, sizes: list[int]) -> bytes:
    """The body in chunks of these sizes, the rest in one."""
    made = b""
    for size in [*sizes, len(body)]:
        if body:
            made += f"{len(body[:size]):x};a=b\r\n".encode() + body[:size] + b"\r\n"
            body = body[size:]
    return made + b"0\r\nA: b\r\n\r\n"


@given(
    st.lists(st.tuples(st.binary(max_size=40), st.lists(st.integers(1, 20), max_size=3)), min_size=1, max_size=4),
    st.lists(st.integers(1, 60), max_size=30),
)
def test_chunks_are_joined_whatever_the_pieces_in_which_they_come(asked, pieces):
    async def check() -> None:
        site = Site()
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        data = b"".join(head + chunked(body, sizes) + post(b"next") for body, sizes in asked)
        for size in [*pieces, len(data)]:
            if data:
                await site.say(data[:size])
            data = data[size:]
        assert site.bodies == [body for asked_body, _ in asked for body in (asked_body, b"next")]
        assert not site.transport.closed

    run(check)


def test_beyond_as_many_connections_as_a_worker_may_have_each_is_refused():
    async def check() -> None:
        site = Site()
        others = [Protocol(site.worker) for _ in range(MOST_CONNECTIONS)]
        transports = [Transport() for _ in others]
        for other, transport in zip(others, transports, strict=True):
            other.connection_made(transport)
        assert [transport.closed for transport in transports] == [False] * (MOST_CONNECTIONS - 1) + [True]
        assert transports[-1].written.startswith(b"HTTP/1.1 503 ")
        others[-1].data_received(post(b"too late"))
        others[-1].connection_lost(None)
        assert len(site.worker.connections) == MOST_CONNECTIONS

    run(check)


def test_nothing_remains_of_a_connection_that_is_lost():
    async def check() -> None:
        site = Site()
        await site.say(post(b"one"))
        site.connection.connection_lost(None)
        lost = weakref.ref(site.connection)
        site.connection = None
        gc.collect()
        assert lost() is None

    run(check)


def test_what_came_before_is_read_before_what_comes_now():
    """A body that looks like a request comes between the answer before it and the reading of its own head."""

    async def check() -> None:
        site = Site()
        await site.say(post(b"one", LATER))
        hidden = post(b"", "/hidden")
        head, _, _ = post(hidden).partition(b"\r\n\r\n")
        await site.say(head + b"\r\n\r\n")
        site.parked.pop().set_result(Answer({}, 0, 1, 0))
        site.worker.loop.call_soon(site.connection.data_received, hidden)  # after the answer, before the next turn
        await site.rest()
        assert site.bodies == [b"one", hidden]

    run(check)


@pytest.mark.parametrize("target", ["http://example.org/where?x=1", "http://example.org/where"])
def test_a_target_may_be_a_whole_url(target):
    seen: list[Any] = []

    def app(environ: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
        seen.extend([environ["PATH_INFO"], environ["HTTP_HOST"]])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    async def check() -> None:
        await Site(app).say(f"GET {target} HTTP/1.1\r\nHost: other\r\n\r\n".encode())
        assert seen == ["/where", "example.org"]

    run(check)


def test_a_task_waits_without_holding_up_its_neighbours():
    async def check() -> None:
        first = Site()
        second = Site()
        await first.say(post(b"one", LATER))
        await second.say(post(b"two"))
        assert (first.bodies, second.bodies) == ([], [b"two"])
        await first.free()
        assert first.bodies == [b"one"]

    run(check)


def test_a_client_that_leaves_stops_what_was_done_for_it():
    async def check() -> None:
        site = Site()
        await site.say(post(b"one", LATER))
        site.connection.connection_lost(None)
        assert site.stopped == 1
        assert not site.worker.connections
        await site.free()  # the answer comes when nobody waits any more
        assert site.bodies == []

    run(check)


def test_what_a_client_that_leaves_has_sent_ahead_is_not_begun():
    async def check() -> None:
        site = Site()
        await site.say(post(b"one", LATER) + post(b"two", LATER) + post(b"three", LATER))
        site.connection.connection_lost(None)
        await site.rest()
        assert (len(site.parked), site.stopped) == (1, 1)

    run(check)


class TestAClientThatSendsNothingMore:
    """One that is gone says the same: what it is sent next comes back, and `connection_lost` follows."""

    def test_is_answered_before_the_connection_is_closed(self):
        async def check() -> None:
            site = Site()
            await site.say(post(b"one", LATER) + post(b"two", LATER))
            assert site.connection.eof_received()
            assert site.transport.written == CONTINUE
            await site.free()
            assert site.bodies == [b"one", b"two"]
            assert site.transport.closed
            assert site.transport.written.count(b"Connection: close") == 1

        run(check)

    def test_is_asked_again_and_again_whether_it_is_there(self):
        async def check() -> None:
            site = Site()
            await site.say(post(b"one", LATER))
            site.connection.eof_received()
            site.connection.overdue(0)
            assert site.transport.written == 2 * CONTINUE

        run(check)

    def test_but_not_in_the_middle_of_an_answer(self):
        async def check() -> None:
            site = Site(stream)
            site.connection.pause_writing()
            await site.say(post(b""))
            before = bytes(site.transport.written)
            assert site.connection.eof_received()
            site.connection.overdue(0)
            assert site.transport.written == before

        run(check)

    @pytest.mark.parametrize(
        "said",
        [b"", b"POST / HTTP/1.1\r\n", post(b"one"), post(b"one", LATER, version="1.0")],
        ids=["nothing", "half", "all and was answered", "as of old, when nothing could be said meanwhile"],
    )
    def test_is_left_where_it_waits_for_nothing_or_cannot_be_asked(self, said):
        async def check() -> None:
            site = Site()
            await site.say(said)
            assert not site.connection.eof_received()
            assert CONTINUE not in site.transport.written

        run(check)

    def test_gets_no_answer_to_half_a_request(self):
        async def check() -> None:
            site = Site()
            await site.say(post(b"one", LATER) + post(b"two")[:-1])
            assert site.connection.eof_received()
            await site.free()
            assert site.bodies == [b"one"]
            assert site.transport.closed

        run(check)


@pytest.mark.parametrize(
    ("head", "version", "stays"),
    [
        ("", "1.1", True),
        ("Connection: close\r\n", "1.1", False),
        ("", "1.0", False),
        ("Connection: keep-alive\r\n", "1.0", True),
    ],
)
def test_a_connection_stays_open_as_its_client_wishes(head, version, stays):
    async def check() -> None:
        site = Site()
        await site.say(post(b"x", "/", head, version))
        assert site.bodies == [b"x"]
        assert site.transport.closed is not stays
        assert (b"Connection: close" in site.transport.written) is not stays

    run(check)


def test_a_worker_that_ends_closes_idle_connections_and_answers_the_others():
    async def check() -> None:
        idle, busy = Site(), Site()
        await busy.say(post(b"one", LATER))
        busy.worker.alive = False
        for site in (idle, busy):
            site.connection.retire()
        assert idle.transport.closed
        assert not busy.transport.closed
        await busy.free()
        assert busy.bodies == [b"one"]
        assert b"Connection: close" in busy.transport.written
        assert busy.transport.closed

    run(check)


def test_an_idle_connection_is_not_closed_over_a_request_that_has_come():
    """The process stood still: its time is over, or its worker ends, before the loop has read what came meanwhile."""

    async def check() -> None:
        site = Site()
        now = site.worker.loop.time() + site.worker.cfg.keepalive + HEAD_SECONDS + 1
        os.write(Client.sends, b"GET")
        site.connection.overdue(now)
        site.connection.retire()
        assert not site.transport.closed
        os.read(Client.waits, 3)
        site.connection.overdue(now)
        assert site.transport.closed

    run(check)


class TestTime:
    """Seconds are those of the loop's clock, and come as an argument."""

    def test_an_idle_connection_is_closed_in_silence(self):
        async def check() -> None:
            site = Site()
            await site.say(post(b"one"))
            now = site.worker.loop.time()
            site.connection.overdue(now)
            assert not site.transport.closed
            site.connection.overdue(now + site.worker.cfg.keepalive + 1)
            assert site.transport.closed
            assert site.bodies == [b"one"]

        run(check)

    def test_a_request_that_never_ends_is_a_408(self):
        async def check() -> None:
            site = Site()
            await site.say(post(b"body")[:-1])
            now = site.worker.loop.time()
            site.connection.overdue(now)
            assert not site.transport.closed
            site.connection.overdue(now + site.worker.cfg.timeout + 1)
            assert site.transport.closed
            assert site.transport.written.startswith(b"HTTP/1.1 408 ")

        run(check)

    def test_a_head_that_drips_in_is_a_408(self):
        async def check() -> None:
            site = Site()
            for byte in b"GET / HTT":
                await site.say(bytes([byte]))
                now = site.worker.loop.time()
                site.connection.overdue(now)
            assert not site.transport.closed
            site.connection.overdue(now + HEAD_SECONDS + 1)
            assert site.transport.written.startswith(b"HTTP/1.1 408 ")

        run(check)

    def test_a_body_that_drips_in_is_given_time_for_what_has_come_and_no_more(self):
        async def check() -> None:
            site = Site()
            site.worker.max_body_bytes = 10**6
            head, timeout = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {10**6}\r\n\r\n", site.worker.cfg.timeout
            start = site.worker.loop.time()
            await site.say(head.encode() + b"x" * (9 * LEAST_RATE * timeout // 10))
            site.connection._patience.until = start + 5  # most of its time is over
            await site.say(b"x" * (3 * LEAST_RATE))
            site.connection.overdue(start + 7)
            assert not site.transport.closed
            site.connection.overdue(start + 9)
            assert site.transport.written.startswith(b"HTTP/1.1 408 "), "what came quickly before counts no more"

        run(check)

    @pytest.mark.parametrize("rate", [LEAST_RATE, 1])
    def test_a_slow_client_is_served_as_long_as_it_reads_and_not_too_slowly(self, rate):
        async def check() -> None:
            site = Site(stream)
            site.connection.pause_writing()
            await site.say(post(b""))
            now, timeout = site.worker.loop.time(), site.worker.cfg.timeout
            for seconds in (0, 0.9, 1.8, 2.7):
                site.transport.unread = round((4 - seconds) * timeout * rate)
                if rate < LEAST_RATE and seconds > 1:
                    break
                site.connection.overdue(now + seconds * timeout)
                assert not site.transport.closed
            site.connection.overdue(now + 4 * timeout)
            assert site.transport.aborted

        run(check)

    def test_a_closed_connection_whose_rest_nobody_reads_is_let_go(self):
        async def check() -> None:
            site = Site()
            await site.say(post(b"one", head="Connection: close\r\n"))
            site.transport.unread = 100
            now = site.worker.loop.time()
            site.connection.overdue(now)
            assert (site.transport.closed, site.transport.aborted) == (True, False)
            site.connection.overdue(now + site.worker.cfg.timeout + 1)
            assert site.transport.aborted

        run(check)

    def test_a_client_that_does_not_read_loses_its_connection_one_that_waits_for_its_answer_does_not(self):
        async def check() -> None:
            slow, waiting = Site(stream), Site()
            slow.connection.pause_writing()
            await slow.say(post(b""))
            await waiting.say(post(b"one", LATER))
            later = slow.worker.loop.time() + slow.worker.cfg.timeout + 1
            slow.connection.overdue(later)
            waiting.connection.overdue(later)
            assert (slow.transport.closed, waiting.transport.closed) == (True, False)
            await waiting.free()

        run(check)


def stream(_: dict[str, Any], start_response: Callable[..., None]) -> Iterable[bytes]:
    start_response("200 OK", [])
    yield from (b"one", b"", b"two")


class TestResponses:
    def test_a_body_of_unknown_length_comes_in_chunks(self):
        async def check() -> None:
            site = Site(stream)
            await site.say(post(b""))
            head, _, body = site.transport.written.partition(b"\r\n\r\n")
            assert b"Transfer-Encoding: chunked" in head
            assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
            assert not site.transport.closed

        run(check)

    def test_events_are_the_last_of_their_connection(self):
        def events(_: dict[str, Any], start_response: Callable[..., None]) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Type", "text/event-stream; charset=utf-8")])
            yield b": here\n\n"

        async def check() -> None:
            site = Site(events)
            await site.say(post(b""))
            assert b"Connection: close" in site.transport.written
            assert site.transport.closed

        run(check)

    def test_an_old_client_is_sent_it_as_it_is_until_the_connection_closes(self):
        async def check() -> None:
            site = Site(stream)
            await site.say(post(b"", version="1.0", head="Connection: keep-alive\r\n"))
            head, _, body = site.transport.written.partition(b"\r\n\r\n")
            assert b"chunked" not in head
            assert b"keep-alive" not in head
            assert body == b"onetwo"
            assert site.transport.closed

        run(check)

    def test_a_slow_client_gets_all_of_it_as_it_reads(self):
        async def check() -> None:
            site = Site(stream)
            site.connection.pause_writing()
            await site.say(post(b""))
            assert not site.transport.written.endswith(b"0\r\n\r\n")
            while not site.transport.written.endswith(b"0\r\n\r\n"):
                before = site.transport.written
                site.connection.resume_writing()
                await site.rest()
                assert site.transport.written != before

        run(check)

    def test_between_two_parts_others_have_a_turn(self):
        made: list[bytes] = []

        def parts(_: dict[str, Any], start_response: Callable[..., None]) -> Iterable[bytes]:
            start_response("200 OK", [])
            for part in (b"one", b"two", b"three"):
                made.append(part)
                yield part

        async def check() -> None:
            site, other = Site(parts), Site()
            site.connection.data_received(post(b""))
            assert len(made) == 1
            await other.say(post(b"x"))
            assert other.bodies == [b"x"]
            await site.rest()
            assert site.transport.written.endswith(b"0\r\n\r\n")

        run(check)

    @pytest.mark.parametrize(
        ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")]
    )
    def test_some_responses_have_no_body(self, method, status):
        def app(_: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
            start_response(status, [])
            return [b"body"]

        async def check() -> None:
            site = Site(app)
            await site.say(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert site.transport.written.endswith(b"\r\n\r\n")
            assert not site.transport.closed

        run(check)

    @pytest.mark.parametrize("field", [("X", "a\r\nSet-Cookie: b"), ("X\nY", "a"), ("X", "a\0")])
    def test_no_header_can_make_another(self, field):
        def app(_: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
            start_response("200 OK", [("Content-Length", "0"), field])
            return []

        async def check() -> None:
            site = Site(app)
            await site.say(post(b""))
            assert site.transport.written.startswith(b"HTTP/1.1 500 ")
            assert b"Cookie" not in site.transport.written
            assert site.transport.closed

        run(check)

    def test_an_app_that_fails_is_a_500_and_the_end_of_the_connection(self):
        def app(_: dict[str, Any], _start_response: Callable[..., None]) -> list[bytes]:
            raise RuntimeError("secret")

        async def check() -> None:
            site = Site(app)
            await site.say(post(b""))
            assert site.transport.written.startswith(b"HTTP/1.1 500 ")
            assert b"secret" not in site.transport.written
            assert site.transport.closed

        run(check)


class TestBodies:
    def test_one_that_is_too_long_reaches_the_app_as_its_length_only(self):
        def app(environ: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
            start_response("413 Too Large", [("Content-Length", "0")])
            assert environ["CONTENT_LENGTH"] == str(MOST + 1)
            assert environ["wsgi.input"].read() == b""
            return []

        async def check() -> None:
            site = Site(app)
            await site.say(post(b"x" * (MOST + 1)))
            assert site.transport.written.startswith(b"HTTP/1.1 413 ")
            assert not site.transport.closed

        run(check)

    def test_of_one_without_end_so_much_is_read_and_no_more(self):
        async def check() -> None:
            site = Site()
            await site.say(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(10):
                await site.say(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
            assert site.transport.written.startswith(b"HTTP/1.1 200 ")
            assert site.transport.closed

        run(check)

    def test_who_asks_before_sending_is_told_to_send(self):
        async def check() -> None:
            site = Site()
            head, _, body = post(b"body", head="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
            await site.say(head + b"\r\n\r\n")
            assert site.transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
            await site.say(body)
            assert site.transport.written.endswith(b"\r\n\r\nbody")

        run(check)


class TestRoomForBodies:
    """Of 60 000 bytes for all bodies; one may have 100 000."""

    def test_one_that_finds_no_room_is_read_but_not_kept_and_the_connection_lives_on(self):
        async def check() -> None:
            site = Site(most=100_000)
            site.worker.bodies.take(0, 50_000)
            await site.say(post(b"x" * 40_000) + post(b"small"))
            assert site.bodies == [b"/ refused"]
            assert site.worker.bodies.size == 50_000
            await site.rested()
            assert site.bodies == [b"/ refused", b"small"]

        run(check)

    @pytest.mark.parametrize("head", ["", "Expect: 100-continue\r\n"])
    def test_a_body_is_held_as_it_comes_until_its_answer(self, head):
        async def check() -> None:
            site = Site(most=100_000)
            data = post(b"x" * 40_000, LATER, head)
            start = data.index(b"\r\n\r\n") + 4
            await site.say(data[:start])
            assert site.worker.bodies.size == 0, "nobody takes room by saying how much will come"
            await site.say(data[start:-10_000])
            assert site.worker.bodies.size == 30_000
            await site.say(data[-10_000:])
            assert site.worker.bodies.size == 40_000
            await site.free()
            assert site.worker.bodies.size == 0

        run(check)

    def test_who_asks_first_is_refused_before_he_sends(self):
        async def check() -> None:
            site = Site(most=100_000)
            site.worker.bodies.take(0, 50_000)
            await site.say(post(b"x" * 40_000, head="Expect: 100-continue\r\n")[:100])
            assert site.bodies == [b"/ refused"]
            assert site.transport.closed

        run(check)

    def test_chunks_are_held_as_they_come(self):
        async def check() -> None:
            site = Site(most=100_000)
            await site.say(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            seen = []
            for _ in range(4):
                await site.say(b"4e20\r\n" + b"x" * 20_000 + b"\r\n")
                seen.append(site.worker.bodies.size)
            assert seen == [20_000, 40_000, 0, 0]  # a fifth stays free for others
            await site.say(b"0\r\n\r\n")
            assert site.bodies == [b"/ refused"]

        run(check)

    def test_a_client_that_leaves_holds_nothing(self):
        async def check() -> None:
            site = Site(most=100_000)
            await site.say(post(b"x" * 40_000)[:-10_000])
            assert site.worker.bodies.size == 30_000
            site.connection.connection_lost(None)
            assert site.worker.bodies.size == 0

        run(check)

    @pytest.mark.parametrize("comes_on", [False, True])
    def test_while_room_is_short_who_holds_some_and_stops_goes_early(self, comes_on):
        async def check() -> None:
            site = Site(most=100_000)
            await site.say(post(b"x" * 90_000)[:-60_000])
            later = site.worker.loop.time() + HURRY_SECONDS + 1
            site.connection.overdue(later)
            assert not site.transport.closed
            if comes_on:
                site.connection._patience.credit(later, 10 * LEAST_RATE)
            site.connection.overdue(later, hurry=True)
            assert site.transport.closed == (not comes_on)

        run(check)

    def test_what_a_client_does_not_read_is_held_until_it_does(self):
        async def check() -> None:
            site = Site(stream)
            site.connection.pause_writing()
            site.transport.unread = 40_000
            await site.say(post(b""))
            assert site.worker.bodies.size == 40_000
            site.transport.unread = 0
            site.connection.resume_writing()
            assert (site.worker.bodies.size, site.transport.aborted) == (0, False)

        run(check)

    def test_and_where_there_is_no_room_for_it_its_connection_is_lost(self):
        async def check() -> None:
            site = Site(stream)
            site.worker.bodies.take(0, 50_000)
            site.connection.pause_writing()
            site.transport.unread = 40_000
            await site.say(post(b""))
            assert site.transport.aborted
            site.connection.connection_lost(None)
            assert site.worker.bodies.size == 50_000

        run(check)


def test_a_rest_grows_with_those_who_rest_and_with_each_knock_and_ends():
    door = Door()
    assert [door.rest(0) for _ in range(3)] == [EACH, 2 * EACH, 3 * EACH]
    door.resting = 10**6
    assert [door.rest(knocks) for knocks in (0, 1, 2, 99)] == [1.0, 2.0, 4.0, 4.0]


class TestRefusals:
    def full(self, environ: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
        """An app that refuses all, and counts how often it is asked."""
        self.asked += 1
        environ[REFUSED] = Refused(self.seconds, lambda: self.told.append(1))
        start_response("429 Too Many Requests", [("Content-Length", "4"), ("X-Request-Id", "app")])
        return [b"full"]

    @pytest.mark.parametrize(("seconds", "asked"), [(60.0, 1), (0.0, 3)])
    def test_one_that_holds_for_a_while_is_given_to_others_who_ask_the_same(self, seconds, asked):
        async def check() -> None:
            self.asked, self.told, self.seconds = 0, [], seconds
            site = Site(self.full)
            for number in range(3):
                await site.say(post(b"x", "/a", f"X-Request-Id: r{number}\r\n"))
                await site.rested()
            assert site.bodies == [b"full"] * 3
            assert self.asked == asked
            assert len(self.told) == 3 - asked
            if seconds:
                assert re.findall(rb"X-Request-Id: (\w+)", site.transport.written) == [b"app", b"r1", b"r2"]
            await site.say(post(b"x", "/b"))
            assert self.asked == asked + 1

        run(check)

    def test_a_connection_that_was_refused_is_not_read_for_a_while(self):
        async def check() -> None:
            self.asked, self.told, self.seconds = 0, [], 0.0
            site = Site(self.full)
            site.worker.door.resting = 10**6
            await site.say(post(b"x") + post(b"y"))
            assert self.asked == 1
            await site.say(post(b"z"))
            assert self.asked == 1
            assert site.worker.door.resting == 10**6 + 1
            site.connection._rested()
            await site.rest()
            assert self.asked == 2

        run(check)

    @pytest.mark.parametrize(("before", "asked"), [(1e-6, 1), (-1e-6, 2)], ids=["still", "no more"])
    def test_what_came_meanwhile_is_refused_if_it_would_have_been_then(self, before, asked):
        async def check() -> None:
            self.asked, self.told, self.seconds = 0, [], 60.0
            site = Site(self.full)
            site.worker.door.resting = 10**6
            await site.say(post(b"x"))
            await site.say(post(b"y"))
            [(path, (_, kept))] = site.worker.door.kept.items()
            site.worker.door.kept[path] = site.connection._came + before, kept
            site.connection._rested()
            await site.rest()
            assert self.asked == asked
            assert site.bodies == [b"full"] * 2

        run(check)

    def test_a_worker_that_ends_closes_a_connection_that_rests(self):
        async def check() -> None:
            self.asked, self.told, self.seconds = 0, [], 0.0
            site = Site(self.full)
            await site.say(post(b"x"))
            site.connection.retire()
            assert site.transport.closed
            await site.rested()

        run(check)
