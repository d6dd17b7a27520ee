"""python -m loadtest.bench.budget --store STORE: where the microseconds of one request go.

One row of a scenario in TensorFlow Serving's dialect, in batches of 16. Each step of its way is called by itself, in
this process, and its CPU time taken: the least of many short runs. What the kernel, the event loop and cold caches add
shows in the CPU time per request of a whole server, `cpu_us`, which `make bench` prints.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvloop
from flask import Response
from gunicorn.asgi.parser import CallbackRequest
from gunicorn.asgi.protocol import _RequestHeaderPolicy, secure_scheme_names
from gunicorn.config import Config
from gunicorn_h1c import H1CProtocol

from loadtest.bench.client import post
from loadtest.bench.plan import SCENARIOS, Scenario, folder
from loadtest.bench.reference import draw
from service import loading, tensors
from service.app import finish
from service.batching.jobs import Answer, Job
from service.batching.queueing import Queue
from service.dialects.exchange import describe, parse_rows, read_body
from service.dialects.tfs.tensors import dump, from_instances, to_rows
from service.handle import ModelHandle, Prediction
from service.metrics import ModelMetrics
from service.server import environ, response, tasks
from service.server.drivers import choose_driver
from service.settings import Settings
from service.versions.store import Version
from service.web import App, Context

BATCH = 16
RUNS, SECONDS = 60, 0.01
FAR = 1e18

Step = tuple[str, Callable[[], object], int]
"""Its name, the call, and how many requests share it."""


def main() -> None:
    """Print the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=Path("store"))
    parser.add_argument("--scenario", default="qa", choices=list(SCENARIOS))
    given = parser.parse_args()
    uvloop.run(show(folder(given.store, SCENARIOS[given.scenario]), SCENARIOS[given.scenario]))


async def show(version: Path, scenario: Scenario) -> None:
    """The table; on a loop, which tasks need."""
    handle = loading.load(Version(scenario.model, scenario.version, version), Settings(engine_threads=1), choose_driver)
    total = 0.0
    print(f"| {'step':60} | µs |\n|---|--:|")
    for name, step, share in Steps(handle, scenario).all():
        total += (spent := microseconds(step) / share)
        print(f"| {name:60} | {spent:.1f} |")
    print(f"| {'in all':60} | {total:.1f} |")
    handle.close()


def microseconds(step: Callable[[], object]) -> float:
    """CPU time of one call, in the quickest of many short runs."""
    step()
    best = float("inf")
    for _ in range(RUNS):
        started, calls = time.process_time(), 0
        while time.process_time() < started + SECONDS:
            step()
            calls += 1
        best = min(best, (time.process_time() - started) / calls)
    return best * 1e6


class Steps:
    """The way of one request, in the order it goes."""

    def __init__(self, handle: ModelHandle, scenario: Scenario) -> None:
        self.handle = handle
        inputs = {
            name: {"dtype": spec.dtype.name, "dims": list(spec.dims)} for name, spec in handle.signature.inputs.items()
        }
        row = draw(inputs, scenario.lengths, scenario.values, random.Random(0))
        self.body = json.dumps({"instances": [row]}).encode()
        self.path = f"/v1/models/{scenario.model}:predict"
        self.wire = post(self.path, self.body)
        [(_, self.tensors)] = tensors.pack(from_instances(handle, [row]), BATCH, handle.engine.ragged)
        self.batch = tensors.join([self.tensors] * BATCH, handle.engine.ragged)
        self.outputs = handle.engine.run(self.batch)
        part = tensors.split(self.outputs, [1] * BATCH)[0]
        self.prediction = Prediction([([0], part)], 1, [Answer(part, 0.001, BATCH, 0.001)])

    def all(self) -> Iterator[Step]:
        """All steps."""
        names, instances = list(self.handle.signature.outputs), parse_rows(self.body)["instances"]
        yield "HTTP: parsed, headers checked", self.parsing(), 1
        yield "HTTP: the WSGI environment", self.environ, 1
        yield "task: started, parked with a deadline, woken", self.task, 1
        yield "Flask: context, route, an empty view, headers", self.flask(), 1
        yield "body: read, JSON; with a context", self.reading(), 1
        yield "rows: checked, to arrays", lambda: from_instances(self.handle, instances), 1
        yield "queue: packed, kind, job, in and out, answered", self.queue(), 1
        yield "batch: joined and split", self.join, BATCH
        yield "batch: the engine", lambda: self.handle.engine.run(self.batch), BATCH
        yield "batch: metrics", self.metrics(), BATCH
        yield "answer: JSON", lambda: dump({"predictions": to_rows(self.prediction, names)}, self.prediction), 1
        yield "response: made, described, counted; with a context", self.responding(), 1
        yield "HTTP: the head", self.head(), 1

    def parsing(self) -> Callable[[], object]:
        parser = H1CProtocol(
            on_headers_complete=lambda: False, on_body=lambda _: None, on_message_complete=lambda: None
        )
        policy = _RequestHeaderPolicy(Config(), ("127.0.0.1", 1), "http", (1, 1))
        trust = policy._peer_trusted_for_forwarded()  # noqa: SLF001 - as gunicorn asks once a connection
        names = secure_scheme_names(trust[0])

        def parse() -> None:
            parser.feed(self.wire)
            policy.apply(CallbackRequest.from_parser(parser), trust, names)
            parser.reset()

        return parse

    def environ(self) -> dict[str, Any]:
        head = [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json"), (b"content-length", b"500")]
        request = SimpleNamespace(
            method="POST", path=self.path, query="", version=(1, 1), scheme="http", headers_bytes=head
        )
        return environ.of_request(request, CONNECTION, self.body, len(self.body))

    def task(self) -> None:
        future: Future[Answer] = Future()
        tasks.start(lambda: tasks.wait(future, 30), lambda: None)
        future.set_result(self.prediction.answers[0])
        tasks.inbox()._open()  # noqa: SLF001 - as the loop does

    def flask(self) -> Callable[[], object]:
        app = App("budget")
        empty = Response(b"{}", content_type="application/json")
        app.post(self.path)(lambda: empty)
        given = self.environ()
        return lambda: app(given, lambda *_: None)

    def reading(self) -> Callable[[], object]:
        app = App("budget")
        app.config["MAX_CONTENT_LENGTH"] = 1 << 24
        app.post(self.path)(lambda: "")
        context = Context(app, self.environ())
        body = context.request.environ["wsgi.input"]

        def read() -> None:
            body.seek(0)
            context.push()
            parse_rows(read_body())
            context.pop()

        return read

    def queue(self) -> Callable[[], object]:
        queue, ragged = Queue(BATCH, BATCH), self.handle.engine.ragged

        def turn() -> None:
            queue.put([Job(self.tensors, tensors.kind(self.tensors, ragged), 1, 0, FAR)])
            [job], _ = queue.take(0)
            job.future.set_result(self.prediction.answers[0])
            job.future.result(0)

        return turn

    def join(self) -> None:
        tensors.join([self.tensors] * BATCH, self.handle.engine.ragged)
        tensors.split(self.outputs, [1] * BATCH)

    def metrics(self) -> Callable[[], object]:
        kept = ModelMetrics("budget", 1)
        return lambda: kept.batch(BATCH, [0.001] * BATCH, 0.001)

    def responding(self) -> Callable[[], object]:
        app = App("budget")
        app.post(self.path)(lambda: "")
        context = Context(app, self.environ())

        def respond() -> None:
            context.push()
            finish(describe(Response(b"{}", content_type="application/json"), self.handle, self.prediction))
            context.pop()

        return respond

    def head(self) -> Callable[[], object]:
        described = describe(Response(b"{}", content_type="application/json"), self.handle, self.prediction)
        headers = described.headers.to_wsgi_list()
        return lambda: response.head("200 OK", headers)


CONNECTION = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.version": (1, 0),
    "wsgi.errors": None,
    "wsgi.multithread": False,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


if __name__ == "__main__":
    main()
