"""What wrk prints, and the answers that its script writes."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loadtest.bench.answers import Told
from loadtest.bench.wrk import parse, read, run

REPORT = """Running 2s test @ http://127.0.0.1:8500/v1/models/qa:predict
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    10.91ms    4.61ms  45.92ms   79.77%
    Req/Sec     2.97k   319.34     3.29k    85.00%
  Latency Distribution
     50%  {median}
     75%   12.16ms
     90%   15.98ms
     99%   28.95ms
  5925 requests in 2.00s, 3.63MB read
{errors}Requests/sec:   2959.62
Transfer/sec:      1.81MB
"""


@pytest.mark.parametrize(
    ("median", "milliseconds"), [("950.00us", 0.95), ("10.02ms", 10.02), ("1.25s", 1250.0), ("1.50m", 90_000.0)]
)
def test_a_report_is_read_in_milliseconds(median: str, milliseconds: float) -> None:
    figures = parse(REPORT.format(median=median, errors=""))

    assert figures.median == pytest.approx(milliseconds)
    assert (figures.requests, figures.rate, figures.p99, figures.broken) == (5925, 2959.62, 28.95, 0)


def test_broken_connections_are_counted() -> None:
    errors = "  Socket errors: connect 1, read 20, write 300, timeout 4000\n"

    assert parse(REPORT.format(median="10.02ms", errors=errors)).broken == 4321


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:8500 Connection refused")


def test_answers_are_read_as_the_script_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "answers"
    file.write_text('1 200 7\n{"predictions": [[0.5]]}\n- 503 1\nno such model  here\n2 200 1\n\n')

    assert list(read(file)) == [
        Told("1", 200, '{"predictions": [[0.5]]}', 7),
        Told("-", 503, "no such model  here", 1),
        Told("2", 200, "", 1),
    ]


class Echo(BaseHTTPRequestHandler):
    """Answers a body with itself and its number, the second one with an error; counts what it answered."""

    protocol_version = "HTTP/1.1"
    answered: Counter[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        number = self.headers["X-Request-Id"]
        self.answered[number] += 1
        self.send_response(503 if number == "2" else 200)
        self.send_header("X-Request-Id", number)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def echo() -> Iterator[tuple[str, Counter[str]]]:
    """The address of such a server, and its count."""
    handler = type("Counting", (Echo,), {"answered": Counter()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", handler.answered
        server.shutdown()


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_the_script_asks_the_rows_in_turn_and_keeps_every_answer(tmp_path: Path) -> None:
    bodies = tmp_path / "bodies"
    bodies.write_text('{"row": 1}\n{"row": 2}\n{"row": 3}')
    for seconds in (1, 5, 25):  # on a busy machine not every row may be answered in one
        with echo() as (url, answered):
            ran = run(url, bodies, connections=2, seconds=seconds)
        if {told.number for told in ran.told} == {"1", "2", "3"}:
            break

    assert {(told.number, told.status, told.body) for told in ran.told} == {
        ("1", 200, '{"row": 1}'),
        ("2", 503, '{"row": 2}'),
        ("3", 200, '{"row": 3}'),
    }
    kept = sum(told.times for told in ran.told)
    assert ran.figures.requests <= kept <= answered.total() <= kept + 2
