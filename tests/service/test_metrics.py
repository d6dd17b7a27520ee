"""What Prometheus reads: each thing counted exactly once, under the labels of who it belongs to."""

import asyncio
import platform
import re
import sys
import threading
from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from werkzeug.exceptions import default_exceptions

from service import VERSION, errors, metrics
from service.batching.admission import Room
from service.metrics.families import SECONDS, BulkHistogram
from service.metrics.memory import tell_memory
from service.metrics.pending import MOST, Pending
from service.metrics.sampling import Sampler
from service.metrics.scrapes import Scrapes
from tests.service.fakes import RAISES, FakeEngine
from tests.service.site import MAX_QUEUE_ROWS, Site

ROW = {"text": "the cat", "numbers": [1, 2, 3]}
PATIENCE = 30.0


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Change:
    """How far samples have moved since it was made."""

    def __init__(self, *samples: tuple[str, dict[str, str]]) -> None:
        self.samples = samples
        self.before = self.now()

    def now(self) -> list[float]:
        metrics.flush()
        return [value(name, **labels) for name, labels in self.samples]

    def __call__(self) -> list[float]:
        return [now - before for now, before in zip(self.now(), self.before, strict=True)]


def requests(model: str, version: str, dialect: str, status: int) -> tuple[str, dict[str, str]]:
    return (
        "manifold_requests_total",
        {"model": model, "version": version, "dialect": dialect, "status": str(status)},
    )


def total_requests() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "manifold_requests_total"
    )


@pytest.mark.parametrize(
    ("ask", "labels"),
    [
        (lambda s: s.predict("toy", ROW), ("toy", "3", "native", 200)),
        (lambda s: s.predict("toy", ROW, "?version=2"), ("toy", "2", "native", 200)),
        (lambda s: s.predict("toy", {}), ("toy", "3", "native", 422)),
        (lambda s: s.predict("nobody", {}), ("", "", "native", 404)),
        (lambda s: s.predict("fake", {"x": [RAISES]}), ("fake", "1", "native", 500)),
        (lambda s: s.tfs("toy", {"instances": [ROW]}), ("toy", "3", "tfs", 200)),
        (lambda s: s.tfs("toy", {}), ("toy", "3", "tfs", 400)),
        (lambda s: s.tfs("nobody", {}), ("", "", "tfs", 404)),
        (lambda s: s.client.get("/v1/foo"), ("", "", "tfs", 400)),
        (lambda s: s.client.get("/models/toy"), ("toy", "3", "native", 200)),
        (lambda s: s.client.get("/healthz"), ("", "", "health", 200)),
        (lambda s: s.client.get("/nowhere"), ("", "", "", 404)),
        (lambda s: s.client.post("/predict/toy", data=b" " * 200_000), ("toy", "3", "native", 413)),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_request_is_counted_once_for_whom_it_was(site: Site, ask, labels):
    change, before = Change(requests(*labels)), total_requests()
    ask(site)
    assert change() == [1.0]
    assert total_requests() - before == 1.0


FAKE = {"model": "counted", "version": "1"}


@pytest.fixture
def counted(site: Site):
    """The fake model's batcher, with metrics of its own."""
    from service.metrics import ModelMetrics

    site.fake.batcher._observer = ModelMetrics("counted", 1)
    return site


def test_rows_batches_and_seconds_are_counted_once(counted: Site):
    change = Change(
        ("manifold_rows_total", FAKE),
        ("manifold_batch_rows_count", FAKE),
        ("manifold_batch_rows_sum", FAKE),
        ("manifold_queue_seconds_count", FAKE),
        ("manifold_engine_seconds_count", FAKE),
    )
    counted.queue([[1.0]], [[2.0]])
    counted.predict("fake", [{"x": [3]}, {"x": [4, 5]}])
    # Two batches: three jobs of one width with three rows, then one of another.
    assert change() == [4.0, 2.0, 4.0, 4.0, 2.0]


def test_rows_that_failed_are_not_counted_as_answered(counted: Site):
    change = Change(("manifold_rows_total", FAKE), ("manifold_engine_seconds_count", FAKE))
    counted.predict("fake", {"x": [RAISES]})
    assert change() == [0.0, 0.0]


def test_rows_that_were_sent_away_are_not_counted(counted: Site):
    change = Change(("manifold_rows_total", FAKE))
    counted.queue([[0.0]] * MAX_QUEUE_ROWS)
    assert counted.predict("fake", {"x": [1]}).status_code == 429
    assert change() == [0.0]


def test_a_batch_is_counted_under_its_size(counted: Site):
    change = Change(
        ("manifold_batch_rows_bucket", {**FAKE, "le": "2.0"}), ("manifold_batch_rows_bucket", {**FAKE, "le": "4.0"})
    )
    counted.predict("fake", [{"x": [1]}] * 3)
    assert change() == [0.0, 1.0]


def test_prometheus_can_read_it(site: Site):
    site.predict("toy", ROW)
    response = site.client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=")
    assert 'manifold_rows_total{model="toy",version="3"}' in response.text
    for name in ("requests_total", "batch_rows", "queue_seconds", "engine_seconds"):
        assert f"# TYPE manifold_{name.removesuffix('_total')}" in response.text


def test_openmetrics_is_there_for_who_prefers_it(site: Site):
    site.predict("toy", ROW)
    response = site.client.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"})
    assert response.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert "manifold_requests" in {family.name for family in text_string_to_metric_families(response.text)}


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text;version=1.0.0"])
def test_a_scrape_is_compressed(site: Site, accept):
    response = site.client.get("/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"


def seconds(model: str, version: str, dialect: str) -> tuple[str, dict[str, str]]:
    return "manifold_request_seconds_count", {"model": model, "version": version, "dialect": dialect}


@pytest.mark.parametrize(
    ("ask", "timed", "encoded"),
    [
        (lambda s: s.predict("toy", ROW), "native", 1.0),
        (lambda s: s.tfs("toy", {"instances": [ROW]}), "tfs", 1.0),
        (lambda s: s.client.post("/v2/models/toy/infer", json=V2), "oip", 1.0),
        (lambda s: s.client.get("/models/toy"), "native", 0.0),
    ],
    ids=["native", "tfs", "oip", "metadata"],
)
def test_an_answer_is_timed_once_and_its_encoding_too(site: Site, ask, timed, encoded):
    change = Change(seconds("toy", "3", timed), ("manifold_encode_seconds_count", {"model": "toy", "version": "3"}))
    assert ask(site).status_code == 200
    assert change() == [1.0, encoded]


V2 = {
    "inputs": [
        {"name": "text", "shape": [1, 2], "datatype": "INT32", "data": [2, 3]},
        {"name": "numbers", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]},
    ]
}


def test_an_answer_takes_longer_than_its_encoding(site: Site):
    names = "manifold_request_seconds_sum", "manifold_encode_seconds_sum"
    toy = {"model": "toy", "version": "3"}
    change = Change((names[0], {**toy, "dialect": "native"}), (names[1], toy))
    site.predict("toy", ROW)
    request, encode = change()
    assert 0 < encode < request


def test_an_error_is_not_timed(site: Site):
    """Or a flood of quick refusals would look like a quick service."""
    change = Change(seconds("toy", "3", "native"), seconds("", "", "native"))
    site.predict("toy", {})
    site.predict("nobody", {})
    assert change() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("ask", "label", "reason"),
    [
        (lambda s: s.predict("toy", {}), ("toy", "3"), "invalid-input"),
        (lambda s: s.tfs("toy", {}), ("toy", "3"), "malformed-body"),
        (lambda s: s.predict("nobody", {}), ("", ""), "model-not-found"),
        (lambda s: s.predict("fake", {"x": [RAISES]}), ("fake", "1"), "engine-failed"),
        (lambda s: s.client.get("/nowhere"), ("", ""), "not-found"),
    ],
    ids=["native", "tfs", "nobody", "engine", "path"],
)
def test_an_error_is_counted_once_by_its_reason(site: Site, ask, label, reason):
    kept = {"model": label[0], "version": label[1], "reason": reason}
    change, before = Change(("manifold_errors_total", kept)), total("manifold_errors_total")
    ask(site)
    assert change() == [1.0]
    assert total("manifold_errors_total") - before == 1.0


def test_a_refusal_is_counted_whenever_it_is_given_again(site: Site):
    told = site.app.extensions["refusal"]("/v2/models/fake/infer", errors.QueueFull("full").wait(1.0)).told
    change = Change(
        ("manifold_errors_total", {"model": "", "version": "", "reason": "queue-full"}), requests("", "", "oip", 429)
    )
    told()
    told()
    assert change() == [2.0, 2.0]


def total(name: str) -> float:
    return sum(sample.value for metric in REGISTRY.collect() for sample in metric.samples if sample.name == name)


def errors_of(kind: type[errors.ServiceError]) -> set[type[errors.ServiceError]]:
    """It and all under it."""
    return {kind}.union(*map(errors_of, kind.__subclasses__()))


WORDS = st.text('abc/:?=&%.é\n\x00"{}', max_size=12)
METHODS = st.sampled_from(["GET", "POST", "PUT", "HEAD", "BREW"])
PATHS = st.builds(
    str.format,
    st.sampled_from(["/predict/{0}", "/v1/models/{0}:{1}", "/v2/models/{0}/versions/{1}/infer", "/models/{0}", "/{0}"]),
    WORDS,
    WORDS,
)
KNOWN = {
    "model": {"", "toy", "fake", "every", "counted"},
    "version": {"", "1", "2", "3"},
    "dialect": {"", "native", "tfs", "oip", "admin", "health", "openapi", "grpc"},
    "reason": {kind.slug for kind in errors_of(errors.ServiceError)}
    | {kind().name.lower().replace(" ", "-") for kind in default_exceptions.values()},
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(METHODS, PATHS, WORDS, st.dictionaries(st.sampled_from(["version", "label", "top"]), WORDS))
def test_no_client_makes_a_label(site: Site, method, path, word, query):
    safe = word.encode("ascii", "replace").decode().replace("\n", "")
    url = f"{quote(path)}?{urlencode(query)}"
    before = label_values()
    site.client.open(url, method=method, data=word, headers={"X-Request-Id": safe, "Accept": safe})
    assert {label: values - before[label] - KNOWN[label] for label, values in label_values().items()} == NONE


def label_values() -> dict[str, set[str]]:
    """Of each label of KNOWN the values that all metrics have."""
    found: dict[str, set[str]] = {label: set() for label in KNOWN}
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            for label in KNOWN.keys() & sample.labels.keys():
                found[label].add(sample.labels[label])
    return found


NONE = {label: set() for label in KNOWN}


class TestPending:
    @given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=3 * MOST))
    def test_what_is_flushed_in_between_is_as_if_each_had_been_observed(self, amounts):
        """None stands for a flush."""
        bulk = BulkHistogram("bulk", "", buckets=SECONDS, registry=None)
        single = BulkHistogram("bulk", "", buckets=SECONDS, registry=None)
        pending = Pending(bulk)
        for amount in amounts:
            if amount is None:
                pending.flush()
            else:
                pending.add(amount)
                single.observe(amount)
        pending.flush()
        for one, other in zip(bulk.collect()[0].samples, single.collect()[0].samples, strict=True):
            if not one.name.endswith("_created"):
                assert (one.name, one.labels) == (other.name, other.labels)
                assert one.value == pytest.approx(other.value)

    def test_nothing_is_lost_between_threads(self, busy_threads):
        registry = CollectorRegistry()
        pending = Pending(BulkHistogram("bulk", "", registry=registry))

        def work(call: Callable[[], None], times: int) -> None:
            for _ in range(times):
                call()

        calls = [lambda: pending.add(0.5)] * 3 + [pending.flush] * 2
        threads = [threading.Thread(target=work, args=[call, 5000]) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pending.flush()
        assert registry.get_sample_value("bulk_count") == 15_000


@pytest.fixture
def busy_threads():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class TestSampling:
    def test_what_waits_is_told_by_model_and_gone_once_it_is_answered(self, site: Site):
        sampler = Sampler(site.catalog, Room())
        site.queue([[1.0]], [[2.0], [3.0]])
        sampler.sample()
        assert value("manifold_queue_rows", model="fake", version="1") == 3
        site.hand.turn()
        sampler.sample()
        assert value("manifold_queue_rows", model="fake", version="1") == 0

    def test_a_version_that_is_gone_has_nothing_waiting(self, site: Site):
        sampler = Sampler(site.catalog, Room())
        site.queue([[1.0]])
        sampler.sample()
        site.catalog.swap("fake", [])
        sampler.sample()
        assert value("manifold_queue_rows", model="fake", version="1") == 0

    def test_how_full_the_room_is(self, site: Site):
        room = Room(rows=10, size=1000)
        room.share().take(4, 900)
        Sampler(site.catalog, room).sample()
        assert [value("manifold_room_used_ratio", of=what) for what in ("rows", "bytes")] == [0.4, 0.9]

    def test_ready_or_not(self, site: Site):
        sampler = Sampler(site.catalog, Room())
        sampler.sample()
        assert value("manifold_ready") == 1
        site.refuse("fake", "0.01 off")
        sampler.sample()
        assert value("manifold_ready") == 0

    def test_requests_under_way(self, site: Site):
        seen = []
        site.engine.hangs = lambda: (Sampler(site.catalog, Room()).sample(), seen.append(value("manifold_in_flight")))
        site.predict("fake", {"x": [107]})
        Sampler(site.catalog, Room()).sample()
        assert [*seen, value("manifold_in_flight")] == [1, 0]

    def test_the_worker_itself(self, site: Site):
        sampler = Sampler(site.catalog, Room())
        sampler.sample()
        assert value("manifold_worker_resident_bytes") > 10**7
        assert value("manifold_worker_open_files") >= 3
        before = value("manifold_worker_cpu_seconds_total")
        sampler.sample()
        assert value("manifold_worker_cpu_seconds_total") >= before > 0

    def test_the_loop_is_asked_once_until_it_answers(self, site: Site):
        async def late() -> None:
            sampler = Sampler(site.catalog, Room(), asyncio.get_running_loop)
            sampler.sample()
            sampler.sample()
            await asyncio.sleep(0)
            sampler.sample()
            await asyncio.sleep(0)

        change = Change(("manifold_worker_loop_lag_seconds_count", {}))
        asyncio.run(late())
        assert change() == [2.0]

    def test_a_loop_that_is_closed_stops_nobody(self, site: Site):
        loop = asyncio.new_event_loop()
        loop.close()
        Sampler(site.catalog, Room(), lambda: loop).sample()

    def test_memory_of_an_accelerator(self):
        engine, cpu = FakeEngine(), FakeEngine()
        engine.device = "gpu:0 Thin Air"
        engine.memory = lambda: {"current": 5, "peak": 7}
        mute = FakeEngine()
        mute.device = "gpu:1 Thin Air"
        mute.memory = lambda: 1 // 0
        tell_memory([mute, cpu, engine, engine])
        gauge = "manifold_device_memory_bytes"
        assert [value(gauge, device=engine.device, kind=kind) for kind in ("current", "peak")] == [5, 7]
        assert REGISTRY.get_sample_value(gauge, {"device": cpu.device, "kind": "current"}) is None


class TestModels:
    def shown(self, site: Site, name: str) -> list[str]:
        return re.findall(rf"^{name}({{.*) ", site.client.get("/metrics").text, re.MULTILINE)

    def test_what_computes_each_version(self, site: Site):
        assert '{device="cpu",engine="onnx",model="toy",state="AVAILABLE",version="3"}' in self.shown(
            site, "manifold_model_info"
        )
        site.refuse("fake", "0.01 off")
        assert '{device="",engine="",model="fake",state="END",version="1"}' in self.shown(site, "manifold_model_info")

    def test_nothing_is_left_of_what_is_served_no_more(self, site: Site):
        assert any('model="fake"' in line for line in self.shown(site, "manifold_load_seconds"))
        site.catalog.swap("fake", [])
        for name in ("manifold_load_seconds", "manifold_model_info"):
            assert not any('model="fake"' in line and "AVAILABLE" in line for line in self.shown(site, name))

    def test_loading_has_taken_a_while(self, site: Site):
        assert site.toy.load_seconds > 0

    def test_the_service_itself(self, site: Site):
        assert self.shown(site, "manifold_info") == [f'{{python="{platform.python_version()}",version="{VERSION}"}}']


class TestHealth:
    def test_alive_and_ready(self, site: Site):
        assert site.client.get("/healthz").json == {"live": True}
        assert site.client.get("/readyz").json == {"ready": True, "unready": {}}

    def test_not_ready_while_a_model_is_not_and_says_which(self, site: Site):
        site.refuse("fake", "0.01 off")
        response = site.client.get("/readyz")
        assert response.status_code == 503
        assert response.json == {"ready": False, "unready": {"fake/1": "0.01 off"}}
        assert site.client.get("/healthz").status_code == 200


class Slow(Collector):
    """Metrics that are written when a test says so."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)

    def collect(self) -> list[Metric]:
        self.begun.release()
        assert self.go_on.acquire(timeout=PATIENCE)
        return []


class TestScrapes:
    """Who floods /metrics gets no thread each."""

    def test_who_asks_before_it_begins_shares_it_and_nobody_gets_what_was_begun_before(self):
        slow = Slow()
        scrapes = Scrapes([slow])
        first = scrapes.ask("")
        assert slow.begun.acquire(timeout=PATIENCE)
        asked = [scrapes.ask("text/plain; version=0.0.4") for _ in range(9)]
        assert {*asked} == {asked[0]} != {first}
        slow.go_on.release()
        assert slow.begun.acquire(timeout=PATIENCE)
        assert scrapes.ask("") is not asked[0]
        slow.go_on.release(2)
        assert asked[0].result(PATIENCE)[1].startswith("text/plain; version=0.0.4")

    def test_a_version_that_nobody_knows_is_no_kind_of_its_own(self):
        slow = Slow()
        scrapes = Scrapes([slow])
        scrapes.ask("")
        assert slow.begun.acquire(timeout=PATIENCE)
        asked = {scrapes.ask(f"application/openmetrics-text; version={number}") for number in range(9)}
        assert len(asked) == 1
        slow.go_on.release(2)
        assert asked.pop().result(PATIENCE)[1].startswith("text/plain")

    def test_openmetrics_for_who_wants_it(self):
        [text, kind] = Scrapes([]).ask("application/openmetrics-text; version=1.0.0").result(PATIENCE)
        assert kind.startswith("application/openmetrics-text; version=1.0.0")
        assert text.endswith(b"# EOF\n")
