"""What the last hour was like: totals, samples, the history and its streams, without a server."""

import json
import math
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from service import remains
from service.app import create_app
from service.batching.future import Future
from service.dialects.bodies.coding import inflate
from service.errors import DeadlineExceeded
from service.live import totals
from service.live.history import KEPT, NEVER, PART, History, at_of
from service.live.keeper import Keeper
from service.live.samples import rates, sample, since
from service.live.streams import BEGIN, COMMENT, LASTS, QUIET, Streams
from service.live.totals import BATCHES, ERRORS, OK, REFUSED, ROWS, SECONDS, WAITING, WIDTH, Totals
from service.metrics import families
from service.quantiles import quantile
from service.settings import Settings
from tests.service import fakes

GONE = 10_000_001
"""Above any process id that Linux gives."""
EDGES = (0.0, *families.SECONDS)
COUNTS = st.lists(st.integers(0, 1000), min_size=len(families.SECONDS) + 1, max_size=len(families.SECONDS) + 1)


def write(folder: Path, process: int, kind: str, name: str, value: float, **labels: str) -> None:
    """One number, as prometheus_client keeps it."""
    file = MmapedDict(str(folder / f"{kind}_{process}.db"))
    file.write_value(mmap_key(name, name, list(labels), list(labels.values()), "Help."), value, 0.0)
    file.close()


def request(folder: Path, process: int, number: int, status: int, **other: str) -> None:
    labels = {"model": "qa", "version": "1", "dialect": "native", "status": str(status)} | other
    write(folder, process, "counter", "manifold_requests_total", number, **labels)


class TestTotals:
    def test_all_processes_and_versions_and_dialects_together(self, tmp_path: Path):
        for process in (GONE, GONE + 1, os.getpid()):
            request(tmp_path, process, 5, 200)
            request(tmp_path, process, 2, 200, dialect="grpc")
            request(tmp_path, process, 3, 422)
            request(tmp_path, process, 1, 429)
            write(tmp_path, process, "counter", "manifold_rows_total", 9, model="qa", version="2")
            labels = {"model": "qa", "version": "1", "dialect": "tfs", "le": "0.0005"}
            write(tmp_path, process, "histogram", "manifold_request_seconds_bucket", 4, **labels)
        found = totals.of_files(tmp_path)["qa"]
        assert (found[OK], found[ERRORS], found[REFUSED], found[ROWS]) == (21, 9, 3, 27)
        assert found[SECONDS][families.SECONDS.index(0.0005)] == sum(found[SECONDS]) == 12
        remains.merge(tmp_path)
        assert totals.of_files(tmp_path)["qa"] == found

    def test_what_waits_goes_with_its_process(self, tmp_path: Path):
        for process in (GONE, os.getpid()):
            write(tmp_path, process, "gauge_livesum", "manifold_queue_rows", 4, model="qa", version="1")
        assert totals.of_files(tmp_path)["qa"][WAITING] == 4

    @pytest.mark.parametrize(("dialect", "status", "model"), [("console", 200, "qa"), ("native", 200, "")])
    def test_what_asks_for_no_model_is_not_counted(self, tmp_path: Path, dialect, status, model):
        request(tmp_path, os.getpid(), 5, status, dialect=dialect, model=model)
        assert totals.of_files(tmp_path) == {}

    def test_an_error_for_no_model_is(self, tmp_path: Path):
        request(tmp_path, os.getpid(), 5, 404, model="")
        assert totals.of_files(tmp_path)[""][ERRORS] == 5

    def test_a_file_that_is_being_made_has_nothing_yet(self, tmp_path: Path):
        (tmp_path / f"counter_{os.getpid()}.db").touch()
        assert totals.of_files(tmp_path) == {}

    def test_of_this_process_alone_where_none_share_their_numbers(self, tmp_path: Path):
        labels = ("live", "1")
        before = totals.of_process().get("live", [0.0] * WIDTH)
        families.REQUESTS.labels(*labels, "oip", "200").inc(3)
        families.PREDICTED_ROWS.labels(*labels).inc(8)
        for seconds in (0.0002, 0.0002, 99):
            families.REQUEST_SECONDS.labels(*labels, "oip").observe(seconds)
        families.BATCH_ROWS.labels(*labels).observe(8)
        came = since(before, totals.of_process()["live"])
        assert (came[OK], came[ROWS]) == (3, 8)
        assert came[SECONDS][1] == 2
        assert came[SECONDS][-1] == 1
        assert sum(came[SECONDS]) == 3
        assert came[BATCHES][families.ROWS.index(8)] == sum(came[BATCHES]) == 1


def row(**values: float) -> list[float]:
    found = [0.0] * WIDTH
    for name, value in values.items():
        found[{"ok": OK, "errors": ERRORS, "rows": ROWS, "waiting": WAITING, "quick": SECONDS.start}[name]] = value
    return found


class TestSamples:
    def test_what_came_and_nothing_else(self):
        before = {"qa": row(ok=5, rows=7), "old": row(ok=3)}
        now = {"qa": row(ok=8, rows=9, waiting=2), "old": row(ok=3), "new": row(errors=4)}
        assert sample(60, 5.0, before, now) == {
            "at": 60,
            "seconds": 5.0,
            "models": {"qa": {"ok": 3, "rows": 2, "waiting": 2}, "new": {"errors": 4}},
        }

    @given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=8), min_size=1, max_size=5))
    def test_nothing_that_came_is_lost_or_told_twice(self, came):
        """Workers come and go between any two samples; what the dead counted stays in the sum."""
        total, told, before = 0, 0, {"qa": row()}
        for amounts in came:
            total += sum(amounts)
            now = {"qa": row(ok=total)}
            told += sample(0, 5.0, before, now)["models"].get("qa", {}).get("ok", 0)
            before = now
        assert told == total

    @given(st.integers(0, 1000), st.integers(0, 1000))
    def test_counts_that_were_lost_make_none_that_came(self, before, now):
        assert since(row(ok=before), row(ok=now))[OK] == max(0, now - before)

    @given(COUNTS.filter(any), st.floats(0, 1))
    def test_a_quantile_lies_where_its_share_does(self, counts, share):
        found = quantile(share, EDGES, counts)
        bounds = (*families.SECONDS, math.inf)
        rank = share * sum(counts)
        upper = next(at for at in range(len(counts)) if counts[at] and sum(counts[: at + 1]) >= rank)
        lower = 0.0 if upper == 0 else bounds[upper - 1]
        assert lower <= found <= min(bounds[upper], families.SECONDS[-1]) * (1 + 1e-9)

    @given(COUNTS.filter(any), st.floats(0, 1), st.floats(0, 1))
    def test_a_larger_share_takes_no_less(self, counts, one, other):
        small, large = sorted((one, other))
        assert quantile(small, EDGES, counts) <= quantile(large, EDGES, counts) * (1 + 1e-9)

    def test_a_quantile_as_prometheus_reckons_it(self):
        """The values of its own tests: promql/promqltest/testdata/histograms.test, testhistogram3."""
        assert quantile(0.2, (0, 0.1, 0.2), (0, 6, 0)) == pytest.approx(0.12)
        assert quantile(0.99, (0, 0.1, 0.2), (0, 0, 9)) == 0.2

    def test_rates_of_each_model(self):
        took = [0] * (len(families.SECONDS) + 1)
        took[families.SECONDS.index(0.001)] = 10
        some = [
            {"at": 5, "seconds": 5.0, "models": {"qa": {"ok": 6, "errors": 4, "took": took}, "": {"errors": 9}}},
            {"at": 10, "seconds": 5.0, "models": {"qa": {"refused": 10, "took": took}, "digits": {"errors": 1}}},
        ]
        assert rates(some) == {
            "qa": {"requests_per_second": 2.0, "p50_ms": 0.75, "p95_ms": pytest.approx(0.975)},
            "digits": {"requests_per_second": 0.1, "p50_ms": None, "p95_ms": None},
        }
        assert rates([]) == {}


def quiet(at: int) -> dict[str, Any]:
    return {"at": at, "seconds": 5.0, "models": {}}


def kept(history: History, after: int = 0) -> list[int]:
    return [at_of(line) for lines in history.after(after) for line in lines]


class TestHistory:
    @given(gaps=st.lists(st.integers(1, 700), max_size=60), back=st.integers(0, 5000))
    def test_an_hour_is_kept_and_no_more_and_nothing_is_told_twice(self, tmp_path_factory, gaps, back):
        history = History(tmp_path_factory.mktemp("live"))
        at, written = 1_000_000, []
        for gap in gaps:
            at += gap
            history.append(quiet(at))
            written.append(at)
        least = (at // PART - KEPT) * PART
        assert kept(history) == [one for one in written if one >= least]
        assert at - least >= 3600
        assert kept(history, at - back) == [one for one in written if one >= least and one > at - back]
        assert len(list(history.folder.iterdir())) <= KEPT + 1

    def test_a_line_that_is_not_whole_yet_is_not_told(self, tmp_path: Path):
        history = History(tmp_path)
        history.append(quiet(600))
        with next(tmp_path.glob("*.jsonl")).open("a") as file:
            file.write('{"at":605,"sec')
        assert kept(history) == [600]

    def test_without_a_folder_there_is_none(self):
        assert kept(NEVER) == []
        assert (NEVER.mark(), NEVER.rates()) == (0, {})

    def test_the_last_minute_is_told(self, tmp_path: Path):
        history = History(tmp_path)
        for at, number in ((100, 1000), (200, 1000), (PART - 10, 30), (PART + 40, 20), (PART + 45, 10)):
            history.append({"at": at, "seconds": 5.0, "models": {"qa": {"ok": number}}})
        assert history.rates()["qa"]["requests_per_second"] == 4.0  # what ended before it is not of it

    def test_however_many_ask_it_is_read_once_for_each_sample(self, tmp_path: Path):
        server = Server(tmp_path / "live")
        process = server.process()
        for requests in (10, 20):
            process.step()
            server.go_on(5.0, requests)
        process.step()
        told = server.history.rates()
        assert told["qa"]["requests_per_second"] == 3.0
        for file in server.history.folder.glob("*.jsonl"):
            file.unlink()
        assert server.history.rates() == told
        server.go_on(5.0, requests=5)
        process.step()
        assert server.history.rates()["qa"]["requests_per_second"] == 1.0


class Server:
    """Processes that count together, and clocks that are moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.history = History(folder)
        self.now = 1000.0
        self.clock = 5_000_000.0
        self.totals: Totals = {"qa": row()}

    def process(self) -> Keeper:
        return Keeper(self.history, lambda: self.totals, lambda: self.clock, lambda: self.now)

    def go_on(self, seconds: float, requests: int = 0) -> None:
        self.now += seconds
        self.clock += seconds
        self.totals = {"qa": row(ok=self.totals["qa"][OK] + requests)}

    def samples(self) -> list[tuple[int, float, int]]:
        found = [json.loads(line) for lines in self.history.after() for line in lines]
        return [(one["at"], one["seconds"], one["models"].get("qa", {}).get("ok", 0)) for one in found]


class TestKeeper:
    def test_one_process_adds_what_came_every_five_seconds(self, tmp_path: Path):
        server = Server(tmp_path / "live")
        processes = [server.process() for _ in range(3)]
        for _ in range(11):
            for process in processes:
                process.step()
            server.go_on(1.0, requests=2)
        assert server.samples() == [(5_000_000, 0.0, 0), (5_000_005, 5.0, 10), (5_000_010, 5.0, 10)]

    def test_another_goes_on_where_it_ends(self, tmp_path: Path):
        server = Server(tmp_path / "live")
        first, second = server.process(), server.process()
        first.step()
        second.step()
        server.go_on(3.0, requests=7)
        assert first.lock is not None
        os.close(first.lock)  # as its end does
        server.go_on(6.0, requests=2)
        second.step()
        assert server.samples() == [(5_000_000, 0.0, 0), (5_000_009, 9.0, 9)]

    def test_what_was_counted_before_the_first_look_came_at_no_time(self, tmp_path: Path):
        server = Server(tmp_path / "live")
        server.go_on(0, requests=99)
        server.process().step()
        assert server.samples() == [(5_000_000, 0.0, 0)]

    def test_a_clock_that_is_set_back_does_not_tell_of_an_earlier_time(self, tmp_path: Path):
        server = Server(tmp_path / "live")
        process = server.process()
        for back in (0, 1000, 0):
            process.step()
            server.go_on(5.0)
            server.clock -= back
        process.step()
        assert [at for at, *_ in server.samples()] == [5_000_000, 5_000_005, 5_000_006, 5_000_007]

    def test_what_was_lost_is_not_taken_for_new(self, tmp_path: Path):
        server = Server(tmp_path / "live")
        process = server.process()
        for amount in (100, -60, 5, 0):
            process.step()
            server.go_on(5.0, requests=amount)
        assert [came for *_, came in server.samples()] == [0, 100, 0, 5]


class Reader:
    """A stream whose pauses are steps of this clock; `then` is called in each."""

    def __init__(self, history: History, then: Callable[[float], None] = lambda _: None) -> None:
        self.now = 0.0
        self.then = then
        self.streams = Streams(history, self.wait, lambda: True, lambda: self.now)

    def wait(self, future: Future[Any], seconds: float) -> Any:
        self.now += seconds
        self.then(self.now)
        if not future.done():
            raise DeadlineExceeded
        return future.result(0)

    def ids(self, after: int = 0) -> Iterator[int]:
        for part in self.streams.events(after):
            if part.startswith(b"id: "):
                yield int(part[4 : part.index(b"\n")])


class TestStreams:
    def test_first_what_was_missed_then_what_comes(self, tmp_path: Path):
        history = History(tmp_path, "here")
        for at in (10, 20, 30):
            history.append(quiet(at))

        def come(now: float) -> None:
            if now == 3:
                history.append(quiet(40))
                history.last.touch()

        events = Reader(history, come).streams.events(after=10)
        assert next(events) == BEGIN
        assert next(events) == (
            b'id: 30@here\ndata: [{"at":20,"server":"here","seconds":5.0,"models":{}},'
            b'{"at":30,"server":"here","seconds":5.0,"models":{}}]\n\n'
        )
        assert next(events) == b'id: 40@here\ndata: [{"at":40,"server":"here","seconds":5.0,"models":{}}]\n\n'

    def test_a_comment_where_nothing_comes_and_an_end_after_minutes(self, tmp_path: Path):
        parts = list(Reader(History(tmp_path)).streams.events(0))
        assert parts == [BEGIN, *[COMMENT] * (int(LASTS / QUIET) - 1)]

    def test_all_end_at_once_and_so_do_those_that_begin_later(self, tmp_path: Path):
        reader = Reader(History(tmp_path))
        reader.then = lambda now: reader.streams.end() if now == 2 else None
        assert list(reader.streams.events(0)) == [BEGIN]
        assert reader.now == 2
        assert list(reader.streams.events(0)) == [BEGIN]
        assert reader.now == 2

    def test_a_thread_that_waits_for_its_client_is_let_go_a_while_after_the_end(self, tmp_path: Path):
        reader = Reader(History(tmp_path))
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        with ours, theirs:
            assert reader.streams.enter(1, ours)
            for reader.now in (1.0, 1.9):
                reader.streams.end()
                with pytest.raises(BlockingIOError):
                    theirs.recv(1)
            reader.now = 2.0
            reader.streams.end()
            assert theirs.recv(1) == b""
            reader.streams.leave(ours)
            assert reader.streams.enter(1)

    def test_places(self, tmp_path: Path):
        streams = Reader(History(tmp_path)).streams
        assert [streams.enter(2) for _ in range(3)] == [True, True, False]
        streams.leave()
        assert streams.enter(2)


class TestOverHttp:
    @pytest.fixture
    def history(self, tmp_path: Path) -> History:
        history = History(tmp_path, "here")
        for at in (10, 20, 30):
            history.append(quiet(at))
        return history

    @pytest.fixture
    def client(self, history: History) -> FlaskClient:
        app = create_app(Settings(threads=16), fakes.catalog([]), lambda *_: None)
        app.extensions["history"] = history
        app.extensions["streams"] = Reader(history).streams
        return app.test_client()

    def test_samples_after_a_second(self, client: FlaskClient):
        assert [one["at"] for one in client.get("/console/live/samples").json] == [10, 20, 30]
        assert [one["at"] for one in client.get("/console/live/samples?after=20").json] == [30]
        assert client.get("/console/live/samples?after=30").json == []

    def test_who_has_seen_those_of_another_server_gets_all(self, client: FlaskClient):
        for seen, told in (("20@here", [30]), ("20@there", [10, 20, 30]), ("@there", [10, 20, 30])):
            samples = client.get("/console/live/samples", query_string={"after": seen})
            events = client.get("/console/live/events", headers={"Last-Event-ID": seen})
            first = events.data.split(b"\n\n")[1].split(b"data: ")[1]
            assert samples.json == json.loads(first)
            assert [(one["at"], one["server"]) for one in samples.json] == [(at, "here") for at in told]

    @pytest.mark.parametrize("coding", ["", "gzip", "deflate", "zstd"])
    def test_samples_go_file_by_file_in_any_coding(self, client: FlaskClient, history: History, coding):
        history.append(quiet(PART + 10))
        answer = client.get("/console/live/samples", headers={"Accept-Encoding": coding})
        assert answer.headers.get("Content-Encoding", "") == coding
        pieces = list(answer.iter_encoded())
        assert len(pieces) >= 3
        found = json.loads(inflate(b"".join(pieces), coding, 1000))
        assert [one["at"] for one in found] == [10, 20, 30, PART + 10]

    @pytest.mark.parametrize("after", ["-1", "1.5", "now", "9" * 13, "²", "x@here"])
    def test_a_second_that_is_none_is_refused(self, client: FlaskClient, after):
        for answer in (
            client.get("/console/live/samples", query_string={"after": after}),
            client.get("/console/live/events", headers={"Last-Event-ID": after.encode("utf-8").decode("latin1")}),
        ):
            assert answer.status_code == 422
            assert answer.json["faults"][0]["pointer"] == "?/after"

    def test_events_go_on_after_the_last_that_was_seen(self, client: FlaskClient):
        answer = client.get("/console/live/events?after=10", headers={"Last-Event-ID": "20"})
        assert answer.mimetype == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Encoding" not in answer.headers
        parts = answer.data.split(b"\n\n")
        assert parts[1] == b'id: 30@here\ndata: [{"at":30,"server":"here","seconds":5.0,"models":{}}]'
        assert set(parts[2:]) == {COMMENT.strip(), b""}

    def test_a_place_is_free_again_when_its_client_has_gone_whatever_he_read(self, client: FlaskClient):
        streams: Streams = client.application.extensions["streams"]
        for _ in range(3):
            client.get("/console/live/events").close()  # it has sent a little
            client.head("/console/live/events").close()
        assert streams.enter(1)

    def test_no_more_than_there_are_places(self, client: FlaskClient):
        client.application.extensions["streams"].parks = lambda: False
        open_ones = [client.get("/console/live/events", environ_overrides=THREADED, buffered=False) for _ in range(3)]
        assert [one.status_code for one in open_ones] == [200, 200, 503]
        assert open_ones[2].headers["Retry-After"] == "30"
        assert open_ones[2].json["type"] == "urn:manifold:problem:streams-taken"
        assert client.get("/console/live/events", environ_overrides={"wsgi.multithread": False}).status_code == 503

    def test_a_server_that_keeps_no_history_has_none(self):
        client = create_app(Settings(), fakes.catalog([]), lambda *_: None).test_client()
        assert client.get("/console/live/samples").json == []
        assert client.get("/console/live/events").status_code == 503


THREADED = {"wsgi.multithread": True}
