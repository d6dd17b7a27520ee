"""What Prometheus reads: each thing counted exactly once, under the labels of who it belongs to."""

import pytest
from prometheus_client import REGISTRY

from tests.service.fakes import RAISES
from tests.service.site import MAX_QUEUE_ROWS, Site

ROW = {"text": "the cat", "numbers": [1, 2, 3]}


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Change:
    """How far samples have moved since it was made."""

    def __init__(self, *samples: tuple[str, dict[str, str]]) -> None:
        self.samples = samples
        self.before = self.now()

    def now(self) -> list[float]:
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
