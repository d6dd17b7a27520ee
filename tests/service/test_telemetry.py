"""What a trace says, whatever mix of requests shares batches, fails, or is refused; and where nothing is told."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import SpanKind, StatusCode

from service import server
from service.app import create_app
from service.batching.drivers import MakeDriver
from service.batching.jobs import Answer
from service.batching.overload import Refusal
from service.batching.queueing import Queue
from service.errors import QueueFull
from service.handle import ModelHandle
from service.loading import plain
from service.logs import Fields
from service.metrics import ModelMetrics
from service.settings import BadSettings, Settings
from service.telemetry.access import Access
from service.telemetry.batches import RecordingBatcher, TracingBatcher
from service.telemetry.export import Processor
from service.telemetry.http import PROBES, Unheard, observe
from service.telemetry.installed import check_installed
from service.telemetry.record import BATCH, CURRENT, STEP, Batch, Epoch, Finish, Record, outgoing
from service.telemetry.spans import Spans, described
from service.telemetry.whole import Parts, Telemetry, timed
from service.versions.shadow import Shadow
from service.versions.store import Version
from tests.service import fakes
from tests.service.fakes import BLURS, RAISES, AtOnce, Clock, FakeEngine, Hand
from tests.service.server import ROOT, SECONDS, said

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Traced:
    """A service of one fake model, whose spans are kept."""

    def __init__(
        self, sampler: Sampler = ALWAYS_ON, engine: FakeEngine | None = None, finish: Sequence[Finish] = ()
    ) -> None:
        self.exporter = InMemorySpanExporter()
        self.lines: list[Fields] = []
        self.spans = Spans(SimpleSpanProcessor(self.exporter), sampler)
        self.telemetry = Telemetry([*finish, Access(1, self.lines.append)], self.spans)
        self.hand = Hand()
        self.engine = engine or FakeEngine()
        self.clock = Clock(time.monotonic())
        self.handle = self.of(1)
        self.app = create_app(Settings(), fakes.catalog([self.handle]), timed(self.hand.wait))
        observe(self.app, self.telemetry)
        self.client = self.app.test_client()

    def of(self, version: int, hand: MakeDriver | None = None) -> ModelHandle:
        """A version of the model."""
        hand = hand or self.hand
        plain = fakes.handle(self.engine, hand, version=version, shadow=Shadow(lambda _: None, self.clock))
        batcher = self.telemetry.make_batcher(Version("fake", version, Path()), self.engine, Queue(8, 32), hand)
        return replace(plain, batcher=batcher)

    def ask(self, rows: Sequence[Any], **headers: str) -> Any:
        body = [{"x": row} for row in rows]
        return self.client.post("/predict/fake", json=body, headers={**headers})

    def finished(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(str(line)) for line in self.lines]


def named(spans: Sequence[ReadableSpan], name: str) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


def test_a_request_has_a_span_with_one_for_each_of_its_parts():
    site = Traced()
    answer = site.ask([[1.0, 2.0]], traceparent=TRACEPARENT, **{"X-Request-Id": "abc"})
    assert answer.status_code == 200
    [request] = named(site.finished(), "POST /predict/<model>")
    assert request.kind is SpanKind.SERVER
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == PARENT
    assert dict(request.attributes) == {
        "manifold.dialect": "native",
        "manifold.model": "fake",
        "manifold.version": "1",
        "manifold.rows": 1,
        "manifold.request_id": "abc",
        "http.request.method": "POST",
        "http.route": "/predict/<model>",
        "http.response.status_code": 200,
        "http.request.body.size": len(json.dumps([{"x": [1.0, 2.0]}])),
        "http.response.body.size": len(answer.data),
        "url.path": "/predict/fake",
        "url.scheme": "http",
        "server.address": "localhost",
        "server.port": 80,
        "network.protocol.version": "1.1",
    }
    parts = [span for span in site.finished() if span.parent and span.parent.span_id == request.context.span_id]
    assert [span.name for span in parts] == ["parse", "queue", "engine", "encode"]


def test_the_parts_add_up_with_server_timing():
    site = Traced()
    timing = site.ask([[1.0]]).headers["Server-Timing"]
    spans = {span.name: span for span in site.finished()}
    said = dict(part.split(";dur=") for part in timing.split(", ") if ";dur=" in part)
    for word, name in (("queue", "queue"), ("infer", "engine")):
        assert milliseconds(spans[name]) == pytest.approx(float(said[word]), abs=0.001)
    assert spans["parse"].end_time == spans["queue"].start_time
    assert spans["queue"].end_time == spans["engine"].start_time
    assert spans["parse"].start_time == spans["POST /predict/<model>"].start_time
    assert spans["encode"].end_time == spans["POST /predict/<model>"].end_time
    assert spans["batch"].start_time == pytest.approx(spans["engine"].start_time, abs=1000)


def milliseconds(span: ReadableSpan) -> float:
    return (span.end_time - span.start_time) / 1e6


def assert_well_formed(spans: Sequence[ReadableSpan], strangers: set[int]) -> None:
    """Every parent is there, and around its children; every link leads to a span that is there."""
    known = {span.context.span_id: span for span in spans}
    assert len(known) == len(spans)
    for span in spans:
        assert span.start_time <= span.end_time
        for link in span.links:
            assert known[link.context.span_id].context.trace_id == link.context.trace_id
        if span.parent is not None and span.parent.span_id not in strangers:
            around = known[span.parent.span_id]
            assert around.context.trace_id == span.context.trace_id
            assert around.start_time <= span.start_time
            assert span.end_time <= around.end_time
    for engine in named(spans, "engine"):
        [link] = engine.links
        batch = known[link.context.span_id]
        assert batch.name == "batch"
        assert engine.parent.span_id in {link.context.span_id for link in batch.links}


VALUES = st.integers(-9, 9) | st.sampled_from([RAISES, BLURS])
REQUESTS = st.lists(
    st.tuples(st.lists(st.lists(VALUES, min_size=1, max_size=3), min_size=1, max_size=6), st.sampled_from("sun")),
    min_size=1,
    max_size=6,
)
"""Rows of one, two or three numbers; in a trace that is sampled, one that is not, or in none."""


@given(requests=REQUESTS)
def test_any_mix_of_requests_gives_well_formed_traces(requests):
    """All of them share the batcher: they are submitted, then answered, then ended."""
    site = Traced(ParentBased(ALWAYS_ON))
    flags = {"s": f"00-{TRACE}-{PARENT}-01", "u": f"00-{TRACE}-{PARENT}-00", "n": None}
    waiting = []
    for number, (rows, sampled) in enumerate(requests):
        record = site.telemetry.begin(str(number), flags[sampled], None)
        jobs = [fakes.job([row], arrived=time.monotonic()) for row in rows]
        token = CURRENT.set(record)
        try:
            site.handle.batcher.submit(jobs)
        except QueueFull:
            jobs = []
        CURRENT.reset(token)
        waiting.append((record, jobs))
    site.hand.turn()
    for record, jobs in waiting:
        token = CURRENT.set(record)
        for job in jobs:
            try:
                timed(server.wait)(job.future, 0)
            except Exception:
                assert job.future.exception() is not None
        CURRENT.reset(token)
        record.name, record.status = "request", 200
        site.telemetry.end(record)
    spans = site.finished()
    assert_well_formed(spans, {int(PARENT, 16)})
    recorded = [(rows, jobs) for (rows, sampled), (_, jobs) in zip(requests, waiting, strict=True) if sampled != "u"]
    assert len(named(spans, "request")) == len(recorded)
    assert len(named(spans, "engine")) == sum(len(jobs) for _, jobs in recorded)
    assert site.handle.batcher._asked == {}


def test_a_batch_links_all_its_requests_and_knows_what_computes():
    site = Traced()
    records = [site.telemetry.begin(str(number), None, None) for number in range(3)]
    for record in records:
        token = CURRENT.set(record)
        site.handle.batcher.submit([fakes.job([[1.0]])])
        CURRENT.reset(token)
    site.hand.turn()
    [batch] = named(site.finished(), "batch")
    assert [link.context.span_id for link in batch.links] == [r.span.get_span_context().span_id for r in records]
    assert dict(batch.attributes) == {
        "manifold.model": "fake",
        "manifold.version": "1",
        "manifold.engine": "fake",
        "manifold.device": "thin air",
        "manifold.batch.rows": 3,
        "manifold.batch.jobs": 3,
    }


def test_a_batch_that_fails_holds_the_tries_of_its_jobs_and_only_the_culprit_failed():
    site = Traced()
    records = [site.telemetry.begin(str(number), None, None) for number in range(2)]
    for record, value in zip(records, (1.0, RAISES), strict=True):
        token = CURRENT.set(record)
        site.handle.batcher.submit([fakes.job([[value]])])
        CURRENT.reset(token)
    site.hand.turn()
    first, second, whole = named(site.finished(), "batch")
    assert whole.parent is None
    assert {first.parent.span_id, second.parent.span_id} == {whole.context.span_id}
    assert [span.status.status_code for span in (first, second)] == [StatusCode.UNSET, StatusCode.ERROR]
    assert "/srv" not in second.status.description


def test_a_failed_engine_is_an_error_of_its_request():
    site = Traced()
    assert site.ask([[RAISES]]).status_code == 500
    [request] = named(site.finished(), "POST /predict/<model>")
    [engine] = named(site.finished(), "engine")
    assert request.status.status_code is engine.status.status_code is StatusCode.ERROR
    assert request.attributes["error.type"] == "500"


def test_a_job_that_never_left_the_queue_has_no_engine():
    site = Traced()
    site.hand.held = True
    assert site.ask([[1.0]], **{"X-Request-Timeout": "0.001"}).status_code == 504
    spans = site.finished()
    assert [span.name for span in spans] == ["parse", "queue", "encode", "POST /predict/<model>"]
    assert spans[1].status.status_code is StatusCode.ERROR
    site.hand.turn()
    assert site.finished() == spans
    assert site.handle.batcher._asked == {}


def test_what_the_queue_refuses_has_only_been_parsed():
    site = Traced()
    site.handle.batcher.submit([fakes.job([[0.0]] * 8) for _ in range(4)])
    assert site.ask([[1.0]]).status_code == 429
    assert [span.name for span in site.finished()] == ["parse", "POST /predict/<model>"]
    assert site.handle.batcher._asked == {}


def test_an_unsampled_request_leaves_nothing_but_its_trace_in_the_log():
    site = Traced(ParentBased(ALWAYS_ON))
    assert site.ask([[1.0]], traceparent=f"00-{TRACE}-{PARENT}-00").status_code == 200
    assert site.finished() == []
    [line] = site.told()
    assert line["trace_id"] == TRACE


@pytest.mark.parametrize("header", ["", "nonsense", "00-0-0-00", f"ff-{TRACE}-{PARENT}-01", "é" * 55])
def test_a_traceparent_that_is_none_begins_a_trace(header):
    site = Traced()
    assert site.ask([[1.0]], traceparent=header).status_code == 200
    [request] = named(site.finished(), "POST /predict/<model>")
    assert request.parent is None


def traceparent(context: Any) -> str:
    """As W3C's Trace Context writes it."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


class Asking(FakeEngine):
    """An engine that asks another server."""

    def run(self, inputs: Any) -> Any:
        self.sent = dict(outgoing())
        return super().run(inputs)


def test_an_engine_that_asks_another_server_passes_on_the_batch():
    engine = Asking()
    site = Traced(engine=engine)
    site.ask([[1.0]])
    [batch] = named(site.finished(), "batch")
    assert engine.sent == {"traceparent": traceparent(batch.context)}
    assert outgoing() == ()


def test_within_a_request_its_own_span_is_passed_on():
    site = Traced()
    record = site.telemetry.begin("r", TRACEPARENT, None)
    token = CURRENT.set(record)
    [(name, value)] = outgoing()
    CURRENT.reset(token)
    assert (name, value) == ("traceparent", traceparent(record.span.get_span_context()))
    assert value.startswith(f"00-{TRACE}-")


@pytest.mark.parametrize(
    ("path", "route", "dialect"),
    [
        ("/v1/models/fake/versions/1:predict", "/v1/models/<model>/versions/<version>:predict", "tfs"),
        ("/v1/nowhere", "/v1/<path:rest>", "tfs"),
        ("/v2/models/fake/infer", "/v2/models/<model>/infer", "oip"),
        ("/nowhere/secret", "", ""),
    ],
)
def test_spans_are_named_by_routes_whatever_is_asked(path, route, dialect):
    site = Traced()
    site.client.post(path, json={"instances": [[1.0]]})
    request = site.finished()[-1]
    assert request.name == (f"POST {route}" if route else "POST")
    assert request.attributes["manifold.dialect"] == dialect
    assert request.attributes.get("url.path") == (path if route else None)


@pytest.mark.parametrize("path", sorted(PROBES))
def test_nothing_is_told_of_probes(path):
    site = Traced()
    assert site.client.get(path).status_code == 200
    assert site.finished() == site.lines == []


def test_a_shadows_batch_links_the_request_that_it_copies():
    site = Traced()
    shadow = site.of(2, AtOnce)
    site.handle.shadow.target = shadow
    site.ask([[1.0]])
    site.clock.now += 1
    site.handle.shadow.step()
    spans = site.finished()
    [request] = named(spans, "POST /predict/<model>")
    batches = {span.attributes["manifold.version"]: span for span in named(spans, "batch")}
    assert batches.keys() == {"1", "2"}
    assert [link.context.span_id for link in batches["2"].links] == [request.context.span_id]
    assert len(named(spans, "engine")) == 1


def test_no_part_ends_after_its_request():
    """A deadline is over while the engine computes, and the answer comes as the request is told."""
    site = Traced()
    one = site.telemetry.begin("late", None, None)
    job = fakes.job([[1.0]], arrived=one.began)
    one.jobs, one.batches[job] = [job], Batch(one.span.get_span_context(), one.began)
    one.answered = one.began + 1e-6
    job.future.set_result(Answer({}, 0.0, 1, 1000.0))
    one.name = "request"
    site.telemetry.end(one)
    assert_well_formed([span for span in site.finished() if span.name != "engine"], set())
    [engine], [request] = named(site.finished(), "engine"), named(site.finished(), "request")
    assert engine.end_time == request.end_time


def test_the_wall_clock_is_read_once_unless_it_is_set():
    readings = iter([5 * STEP, 5 * STEP + 1, 4 * STEP, 7 * STEP, 7 * STEP - 9])
    epoch = Epoch(lambda: next(readings))
    assert [epoch.offset() for _ in range(5)] == [5 * STEP, 5 * STEP, 5 * STEP, 7 * STEP, 7 * STEP]


def test_every_field_of_a_line_is_in_the_document():
    site = Traced()
    site.ask([[1.0]])
    told = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
    assert not [name for name in site.told()[0] if f"`{name}`" not in told]


def test_a_method_nobody_knows_names_no_span():
    site = Traced()
    site.client.open("/predict/fake", method="STEAL")
    [request] = site.finished()
    assert (request.name, request.attributes["http.request.method"]) == ("HTTP", "_OTHER")


def test_a_line_says_what_became_of_a_request():
    site = Traced()
    site.ask([[1.0], [2.0]], **{"X-Request-Id": "mine"})
    [line] = site.told()
    seconds, queue, engine = line.pop("seconds"), line.pop("queue_ms"), line.pop("engine_ms")
    assert 0 <= queue + engine <= 1000 * seconds + 0.01
    assert len(line.pop("trace_id")) == 32
    assert line == {
        "message": "POST /predict/<model> 200",
        "method": "POST",
        "route": "/predict/<model>",
        "path": "/predict/fake",
        "status": 200,
        "dialect": "native",
        "model": "fake",
        "version": "1",
        "rows": 2,
        "batch_rows": 2,
        "received_bytes": line["received_bytes"],
        "sent_bytes": line["sent_bytes"],
        "request_id": "mine",
    }


def test_neither_queries_nor_bodies_nor_headers_are_told():
    site = Traced()
    site.client.post("/predict/fake?top=hidden1", json={"x": "hidden2"}, headers={"X-Api-Key": "hidden3"})
    told = str(site.told()) + str([(span.name, span.attributes) for span in site.finished()])
    assert "hidden" not in told


def record(request_id: str, status: int) -> Record:
    one = Record(request_id)
    one.status = status
    return one


@given(share=st.floats(0.001, 1), ids=st.lists(st.text(min_size=1), min_size=1))
def test_all_servers_log_the_same_share_and_every_failure(share, ids):
    def logged(status: int) -> list[str]:
        lines: list[Fields] = []
        access = Access(share, lines.append)
        for one in ids:
            access(record(one, status))
        return [line["request_id"] for line in lines]

    assert logged(200) == logged(200) == logged(429)
    assert logged(500) == ids
    if share == 1:
        assert logged(200) == ids


def test_about_the_share_is_logged():
    lines: list[Fields] = []
    access = Access(0.25, lines.append)
    for number in range(4000):
        access(record(f"{number:016x}", 200))
    assert 900 < len(lines) < 1100


def test_refusals_that_nobody_heard_are_told_and_counted():
    site = Traced()
    counted: list[int] = []
    refusal = Refusal("429 Too Many Requests", [], b"busy", lambda: counted.append(1))

    class Request:
        method, path = "POST", "/v2/models/fake/infer"
        headers_bytes = ((b"traceparent", TRACEPARENT.encode()),)

    Unheard(site.telemetry)(Request(), "its-own", refusal)
    [line] = site.told()
    assert (line["request_id"], line["status"], line["dialect"], line["trace_id"]) == ("its-own", 429, "oip", TRACE)
    [span] = site.finished()
    assert (span.name, span.attributes["http.response.status_code"]) == ("POST", 429)
    assert counted == [1]


def test_who_is_told_and_fails_harms_no_request(caplog):
    def fails(_: Record) -> None:
        raise RuntimeError("no room")

    site = Traced(finish=[fails])
    assert site.ask([[1.0]]).status_code == 200
    assert "a request could not be told" in caplog.text
    assert len(site.told()) == 1


class Away(SpanExporter):
    """A collector that is not there, until it is."""

    away = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.away:
            raise ConnectionError("nobody there")
        return SpanExportResult.SUCCESS


def test_spans_nobody_takes_are_counted_and_told_once(caplog):
    caplog.set_level(logging.INFO)
    dropped: list[int] = []
    away = Away()
    processor = Processor(away, dropped.append)
    spans = Spans(processor, ALWAYS_ON)
    for there in (False, False, True, True):
        away.away = not there
        one = Record("r")
        spans.begin(one, None, None)
        spans.end(one)
        processor.force_flush()
    spans.close()
    assert dropped == [1, 1]
    assert [line.getMessage() for line in caplog.records if line.name == "manifold.telemetry"] == [
        "Spans are dropped until a collector takes them. ConnectionError: nobody there",
        "Spans are taken again",
    ]


class Stuck(SpanExporter):
    """A collector that does not answer until it is free to."""

    def __init__(self) -> None:
        self.asked, self.free = threading.Event(), threading.Event()
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        self.free.wait(SECONDS)
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


def test_spans_for_which_there_is_no_room_are_counted(monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")  # whole batches alone
    dropped: list[int] = []
    stuck = Stuck()
    spans = Spans(Processor(stuck, dropped.append), ALWAYS_ON)
    for number in range(4 + 10):
        if number == 4:
            assert stuck.asked.wait(SECONDS)
        one = Record(str(number))
        spans.begin(one, None, None)
        spans.end(one)
    stuck.free.set()
    spans.close()
    assert (sum(dropped), stuck.taken) == (6, 8)


def test_a_service_without_a_name_is_called_manifold(monkeypatch):
    assert described().attributes["service.name"] == "manifold"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "models")
    assert described().attributes["service.name"] == "models"


def test_a_greenlet_that_is_used_again_has_forgotten_its_request():
    """Requests run in greenlets of a pool, each with a context that outlives them."""
    site = Traced()
    seen: list[Any] = []

    async def twice() -> None:
        for _ in range(2):
            await server.run(lambda: seen.append((CURRENT.get(), BATCH.get())))
            await server.run(lambda: seen.append(site.ask([[1.0]]).status_code))

    asyncio.run(twice())
    assert seen == [(None, None), 200] * 2


def test_nobody_else_speaks_as_the_log_of_requests():
    speak = [
        path.name for path in (ROOT / "service").rglob("*.py") if 'getLogger("manifold.access")' in path.read_text()
    ]
    assert speak == ["access.py"]


def test_who_lacks_the_library_is_told_which_extra_has_it():
    check_installed()
    with pytest.raises(
        BadSettings, match=r"MANIFOLD_TRACES=on: thing not installed here \(deploy/requirements/slim.txt\)"
    ):
        check_installed({"nowhere.at.all": "thing"})


def test_off_every_part_is_the_plain_one():
    parts = Parts(Settings())
    assert parts.telemetry is None
    assert parts.make_batcher is plain
    assert parts.timed(server.wait) is server.wait
    parts.close()


@pytest.mark.parametrize("told", [{"access_log": 1.0}, {"traces": "on"}])
def test_on_every_part_tells(told):
    parts = Parts(Settings(**told))
    assert parts.telemetry is not None
    batcher = parts.make_batcher(Version("m", 1, Path()), FakeEngine(), Queue(8, 32), Hand(), ModelMetrics("m", 1))
    assert type(batcher) is (TracingBatcher if "traces" in told else RecordingBatcher)
    one = parts.telemetry.begin("r", None, None)
    assert (one.span is not None) == ("traces" in told)
    parts.close()


def test_off_nothing_of_opentelemetry_is_loaded():
    look = "import sys; print(sorted(name for name in sys.modules if name.startswith('opentelemetry')))"
    assert said(f"import service.telemetry.whole, service.telemetry.http, service.loading; {look}") == ["[]"]
