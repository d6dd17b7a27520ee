"""What gRPC itself says where a server is not there, goes, or does not answer: the words that failures.py relies on."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from service.engines.tf_serving.failures import Again, Failed
from service.engines.tf_serving.link import Channel
from service.telemetry.record import BATCH
from tests.service.server import SECONDS

ASK = "/any/Method"


class Peer(grpc.GenericRpcHandler):
    """A server of one method, on any free port: `answer` makes of a request what it answers."""

    def __init__(self, answer: Callable[[bytes, Any], bytes]) -> None:
        self.answer = answer
        self.server = grpc.server(ThreadPoolExecutor(2), [self], options=[("grpc.max_receive_message_length", 1000)])
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def service(self, _: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self.answer)


@pytest.fixture
def reach() -> Iterator[Callable[[Callable[[bytes, Any], bytes]], tuple[Peer, Channel]]]:
    """Makes a server and a connection to it."""
    made: list[tuple[Peer, Channel]] = []

    def reach(answer: Callable[[bytes, Any], bytes]) -> tuple[Peer, Channel]:
        peer = Peer(answer)
        made.append((peer, Channel(peer.address)))
        return made[-1]

    yield reach
    for peer, channel in made:
        channel.close()
        peer.server.stop(None)


def failure(call: Callable[[], bytes]) -> Failed:
    with pytest.raises(Failed) as caught:
        call()
    return caught.value


def test_bytes_go_there_and_back(reach):
    _, channel = reach(lambda request, _: request[::-1])
    assert channel.call(ASK, b"abc", SECONDS) == b"cba"
    assert channel.begin(ASK, b"abc", SECONDS)() == b"cba"


def test_a_call_is_in_the_trace_of_the_batch_that_asks(reach):
    seen: list[dict[str, Any]] = []

    def answer(_: bytes, rpc: Any) -> bytes:
        seen.append(dict(rpc.invocation_metadata()))
        return b""

    _, channel = reach(answer)
    span = NonRecordingSpan(SpanContext(0xA1, 0xB2, is_remote=False, trace_flags=TraceFlags(1)))
    token = BATCH.set(span)
    channel.call(ASK, b"", SECONDS)
    BATCH.reset(token)
    channel.call(ASK, b"", SECONDS)
    assert [one.get("traceparent") for one in seen] == [f"00-{0xA1:032x}-{0xB2:016x}-01", None]


def test_an_answer_may_be_larger_than_grpc_takes_by_default(reach):
    _, channel = reach(lambda *_: bytes(5_000_000))
    assert len(channel.call(ASK, b"", SECONDS)) == 5_000_000


@pytest.mark.parametrize("begun", [False, True])
def test_where_nobody_listens_nothing_was_sent(deaf_port: int, begun: bool):
    channel = Channel(f"127.0.0.1:{deaf_port}")
    for _ in range(2):  # while it connects, and while it rests after that
        failed = failure(channel.begin(ASK, b"", SECONDS) if begun else lambda: channel.call(ASK, b"", SECONDS))
        assert failed.unreached
        assert failed.again is Again.FREELY
    channel.close()


def test_a_server_that_ends_breaks_what_it_was_asked(reach):
    entered, leave = threading.Event(), threading.Event()
    peer, channel = reach(lambda *_: (entered.set(), leave.wait(SECONDS), b"")[-1])
    answer = channel.begin(ASK, b"", SECONDS)
    assert entered.wait(SECONDS)
    peer.server.stop(None)
    failed = failure(answer)
    leave.set()
    assert failed.broke
    assert failed.again is Again.ONCE


@pytest.mark.parametrize("begun", [False, True])
def test_a_connection_that_is_closed_breaks_what_was_asked_over_it(reach, begun: bool):
    entered, leave = threading.Event(), threading.Event()
    _, channel = reach(lambda *_: (entered.set(), leave.wait(SECONDS), b"")[-1])
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(channel.begin(ASK, b"", SECONDS) if begun else lambda: channel.call(ASK, b"", SECONDS))
        assert entered.wait(SECONDS)
        channel.close()
        assert failure(lambda: asked.result(SECONDS)).broke
        leave.set()
    assert failure(lambda: channel.call(ASK, b"", SECONDS)).unreached
    assert failure(channel.begin(ASK, b"", SECONDS)).unreached


def test_what_is_too_large_is_told_from_what_is_too_much(reach):
    _, channel = reach(lambda *_: b"")
    failed = failure(lambda: channel.call(ASK, bytes(2000), SECONDS))
    assert failed.code == "RESOURCE_EXHAUSTED"
    assert failed.too_large


def test_one_that_does_not_answer_in_time_is_late(reach):
    leave = threading.Event()
    _, channel = reach(lambda *_: (leave.wait(SECONDS), b"")[-1])
    assert failure(lambda: channel.call(ASK, b"", 0.05)).code == "DEADLINE_EXCEEDED"
    leave.set()


def test_a_refusal_has_its_words_and_when_to_come_back(reach):
    def refuse(_: bytes, rpc: Any) -> bytes:
        rpc.set_trailing_metadata((("retry-after", "2"), ("grpc-retry-pushback-ms", "1250")))
        rpc.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "32 rows wait already")
        raise AssertionError

    _, channel = reach(refuse)
    failed = failure(lambda: channel.call(ASK, b"", SECONDS))
    assert (failed.code, failed.details, failed.after) == ("RESOURCE_EXHAUSTED", "32 rows wait already", 1.25)
