"""The flood's client: every request comes to one end, and only right answers count."""

import socket
import threading
from collections import Counter
from types import SimpleNamespace

import pytest

from loadtest.bench.answers import Checker, Told
from loadtest.bench.client import post
from loadtest.bench.forms import FORMS
from loadtest.bench.overload import Flood, Loop, Mixture
from loadtest.bench.reference import Reference

REPLIES = {
    b"good": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"full": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
    b"last": b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"fail": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    b"lost": b"",
}


def serve(listening: socket.socket) -> None:
    """Answer as the body of each request says; nothing is the end of the connection."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            while chunk := connection.recv(65536):
                reply = REPLIES[chunk[-4:]]
                connection.sendall(reply)
                if not reply or b"close" in reply:
                    break


@pytest.mark.parametrize(("limit", "in_time"), [(60.0, "good"), (-1.0, "late")])
def test_what_becomes_of_each_request_is_counted_and_a_closed_connection_made_anew(limit, in_time):
    bodies = [b"good", b"lost", b"full", b"last", b"fail", b"good"]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        client = Flood(listening.getsockname()[1], [post("/", body) for body in bodies], 1, lambda *_: None)
        client.counts, client.limit, client.begun, client.ended = Counter(), limit, 0.0, float("inf")
        client.closed(lambda: client.asked >= len(bodies))
        client.close()
        listening.shutdown(socket.SHUT_RDWR)
    assert client.counts == {in_time: 2, "refused": 2, "errors": 1, "lost": 1}


def test_a_peak_has_no_refusals_in_it():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        client = Loop(listening.getsockname()[1], [post("/", body) for body in (b"good", b"full")], 1, lambda *_: None)
        client.closed(lambda: client.asked >= 10)
        client.close()
        listening.shutdown(socket.SHUT_RDWR)
    assert (client.refused, len(client.latencies)) == (5, 10)


def test_in_a_mixture_every_answer_is_checked_as_one_of_its_own_scenario_and_refusals_are_not(tmp_path):
    asked = []
    for name, answer in (("a", 1.0), ("b", 2.0)):
        (tmp_path / name).write_text("{}")
        checker = Checker(Reference({}, [{}], [{"y": [answer]}]), FORMS["tensorflow-serving"])
        server = SimpleNamespace(command=SimpleNamespace(path="/"), port=0)
        asked.append(SimpleNamespace(server=server, bodies=tmp_path / name, checker=checker))
    mixture = Mixture(asked)
    right = [Told("1", 200, '{"predictions": [[1.0]]}', 3), Told("2", 200, '{"predictions": [[2.0]]}', 3)]
    mixture.check([*right, Told("2", 429, "", 9)])
    with pytest.raises(SystemExit, match="3 of 3 answers were wrong"):
        mixture.check([right[0], Told("2", 200, '{"predictions": [[1.0]]}', 3)])
