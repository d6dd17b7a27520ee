"""The light client against a server of a few lines: every request answered once, none before it is due."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.bench import questions
from loadtest.bench.answers import Told
from loadtest.bench.client import Client, parts, post, whole
from loadtest.bench.listener import Listener, percentiles

REQUESTS = [post("/p", b"first"), post("/p", b"second" * 100_000)]


@contextmanager
def echo(pieces: int = 1) -> Iterator[int]:
    """The port of a server that answers each request with the first five letters of its body, in so many pieces."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening, pieces), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def accept(listening: socket.socket, pieces: int) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(connection, pieces), daemon=True).start()


def answer(connection: socket.socket, pieces: int) -> None:
    came = b""
    with connection:
        while chunk := connection.recv(65536):
            came += chunk
            head, found, body = came.partition(b"\r\n\r\n")
            if found and len(body) == int(head.rpartition(b"Content-Length: ")[2]):
                reply = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body[:5]
                step = -(-len(reply) // pieces)
                for start in range(0, len(reply), step):
                    connection.sendall(reply[start : start + step])
                came = b""


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_closed_loop_asks_all_requests_in_turn_and_hears_each_answer(pieces: int) -> None:
    listener = Listener()
    with echo(pieces) as port:
        client = Client(port, REQUESTS, 3, listener)
        client.closed(lambda: client.asked >= 20)
        client.close()

    heard = Counter({told.number: told.times for told in listener.told})
    assert len(client.latencies) == client.asked
    assert client.asked >= 20
    assert heard.total() == client.asked
    assert abs(heard["1"] - heard["2"]) <= 1
    assert {told.body for told in listener.told} == {"first", "secon"}


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize("connections", [1, 4])
def test_an_open_loop_asks_as_many_as_are_due_whatever_its_connections(connections: int, spread: bool) -> None:
    listener = Listener()
    with echo() as port:
        client = Client(port, REQUESTS[:1], connections, listener)
        client.open(10, 0.3, spread=spread)  # slow enough for a busy machine
        client.close()

    assert listener.told == [Told("1", 200, "first", 3)]
    assert all(latency > 0 for latency in client.latencies)


def test_a_server_that_hangs_up_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = Client(listening.getsockname()[1], REQUESTS[:1], 1, Listener())
        accepted, _ = listening.accept()
        accepted.shutdown(socket.SHUT_RDWR)
        with pytest.raises(ConnectionError):
            client.closed(lambda: True)
        client.close()
        accepted.close()


@given(st.binary(max_size=50))
def test_an_answer_is_whole_just_when_all_of_it_has_come(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    assert whole(answer[: answer.find(b"\r\n\r\n")]) is None
    assert whole(answer) == len(answer)
    assert parts(answer)[2] == body


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="without a length"):
        whole(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_the_longest_engine_call_is_read_from_server_timing() -> None:
    listener = Listener()
    for milliseconds in (b"2.500", b"31.250", b"4.000"):
        head = b'HTTP/1.1 200 OK\r\nServer-Timing: queue;dur=9.0, batch;desc="rows=3", infer;dur=' + milliseconds
        listener(0, head + b"\r\nContent-Length: 0\r\n\r\n")

    assert listener.longest_call == 31.25


@given(st.lists(st.floats(0, 10), min_size=1))
def test_percentiles_rise(seconds: list[float]) -> None:
    found = list(percentiles(seconds).values())

    assert found == sorted(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=1), inner, max_size=3),
)


@given(JSON, JSON)
def test_answers_are_no_distance_apart_just_where_they_are_equal(one: object, other: object) -> None:
    assert questions.apart(one, one) == 0
    assert (questions.apart(one, other) == 0) == (one == other)
