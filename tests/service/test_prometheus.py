"""What a real Prometheus sees of a real server: the golden signals are what was sent, also once a worker was killed."""

import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.service import artifacts
from tests.service.calls import Client, tensor
from tests.service.prometheus import Found, Prometheus, scraping
from tests.service.server import Server, free_port, patiently, running

ROW = {"text": "the cat", "numbers": [1.0, 2.0, 3.0]}
V2 = {
    "inputs": [
        {"name": "text", "shape": [1, 2], "datatype": "INT32", "data": [2, 3]},
        {"name": "numbers", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]},
    ]
}
TENSORS = {"text": tensor([[2, 3]], "DT_INT32"), "numbers": tensor([[1, 2, 3]])}
SENT = Counter(native=3, tfs=4, oip=5, grpc=6)


class Asked:
    """A server of two workers that Prometheus scrapes, and what it was asked."""

    def __init__(self, server: Server, port: int, prometheus: Prometheus) -> None:
        self.server = server
        self.client = Client(port)
        self.prometheus = prometheus
        self.sent: Counter[str] = Counter()

    def ask(self) -> None:
        """So many requests in each dialect, and two that fail."""
        paths = {"native": "/predict/toy", "tfs": "/v1/models/toy:predict", "oip": "/v2/models/toy/infer"}
        bodies = {"native": ROW, "tfs": {"instances": [ROW]}, "oip": V2}
        for dialect, times in SENT.items():
            for _ in range(times):
                if dialect == "grpc":
                    self.client.predict("toy", TENSORS)
                else:
                    assert self.server.post(paths[dialect], bodies[dialect]).status_code == 200
        self.server.post("/predict/toy", {})
        self.server.post("/predict/nobody", {})
        self.sent += SENT

    def told(self) -> Found:
        """What was sent, as a query by model and dialect finds it."""
        return {frozenset({"toy", dialect}): float(times) for dialect, times in self.sent.items()}

    def check(self) -> None:
        """Prometheus has the golden signals of all that was sent."""
        wait_for, rounds = self.prometheus.wait_for, sum(self.sent.values()) / SENT.total()
        wait_for('sum by (model, dialect) (manifold_requests_total{model!="", status="200"})', self.told())
        wait_for('sum by (model, dialect) (manifold_request_seconds_count{model!=""})', self.told())
        wait_for("sum by (model) (manifold_encode_seconds_count)", {frozenset({"toy"}): self.sent.total()})
        wait_for("sum by (model) (manifold_rows_total)", {frozenset({"toy"}): self.sent.total()})
        wait_for("sum by (model) (manifold_queue_seconds_count)", {frozenset({"toy"}): self.sent.total()})
        wait_for(
            "sum by (reason) (manifold_errors_total)",
            {frozenset({"invalid-input"}): rounds, frozenset({"model-not-found"}): rounds},
        )
        wait_for("sum(manifold_queue_rows) + sum(manifold_in_flight)", {frozenset(): 0.0})
        wait_for("min(manifold_ready) + max(manifold_workers)", {frozenset(): 3.0})


@pytest.fixture(scope="module")
def asked(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder, store, port = tmp_path_factory.mktemp("prometheus"), tmp_path_factory.mktemp("store"), free_port()
    artifacts.toy(store)
    with (
        running(store, folder / "server", worker=worker, workers=2, engine="onnx", grpc_port=port) as server,
        scraping(f"127.0.0.1:{server.port}", folder) as prometheus,
    ):
        found = Asked(server, port, prometheus)
        yield found
        found.client.channel.close()


def test_what_was_sent_is_what_prometheus_has(asked: Asked):
    asked.ask()
    asked.check()
    seconds = asked.prometheus.query('sum(manifold_request_seconds_sum{model="toy"})')[frozenset()]
    parts = "manifold_queue_seconds_sum + manifold_engine_seconds_sum + manifold_encode_seconds_sum"
    assert 0 < asked.prometheus.query(f"sum({parts})")[frozenset()] < seconds + 1


def test_a_killed_worker_takes_nothing_with_it_but_how_it_stood(asked: Asked):
    asked.check()
    victim, *others = asked.server.workers()
    os.kill(victim, signal.SIGKILL)
    for _ in patiently():
        workers = asked.server.workers()
        if victim not in workers and len(workers) == 2:
            break
    asked.ask()
    asked.check()
    for _ in patiently():
        pids = set().union(*asked.prometheus.query("manifold_worker_resident_bytes"))
        if {str(pid) for pid in [*others, *asked.server.workers()]} <= pids:
            break
    assert str(victim) not in pids
    for name in ("requests_total", "errors_total", "rows_total", "request_seconds_bucket", "request_seconds_sum"):
        assert asked.prometheus.query(f"sum(resets(manifold_{name}[10m]))") == {frozenset(): 0.0}


def test_workers_that_leave_in_order_take_nothing_with_them(asked: Asked):
    before = set(asked.server.workers())
    asked.ask()
    asked.server.process.send_signal(signal.SIGHUP)
    for _ in patiently():
        if not before & set(asked.server.workers()):
            break
    asked.check()


def test_the_rules_are_loaded_and_nothing_is_alarming(asked: Asked):
    groups = asked.prometheus.ask("rules")["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}
    assert "ManifoldDown" in {rule["name"] for group in groups for rule in group["rules"]}
    slow = "ManifoldLatencyFast"  # which the machine of the tests may be
    assert asked.prometheus.query(f'ALERTS{{alertstate="firing", severity="page", alertname!="{slow}"}}') == {}
