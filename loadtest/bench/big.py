"""python -m loadtest.bench.big: large bodies, beside a server that does nothing but parse them.

Two series of 20 × 128 floats, 43 kB as TensorFlow Serving's JSON and 20 kB as the Open Inference Protocol's binary
tensors, and 2 MB of floats in binary. The model costs next to nothing. The bare server has the same gunicorn worker and
as many of them; its view reads the body with orjson and NumPy (runners/bare.py), and checks nothing.
"""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from loadtest.bench import loops, machine, processes, tiny
from loadtest.bench.arguments import parser, save
from loadtest.bench.client import Client, parts, post
from loadtest.bench.contenders import bare, service
from loadtest.bench.servers import Server, running

SERIES = (20, 128)
NUMBERS = 2 * 1024 * 1024 // 4
TARGET = 0.5
"""Of the bare server's rate, at least."""

BINARY = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class Case:
    """A body, where the service and the bare server take it, and the number both must answer with."""

    title: str
    path: str
    bare: str
    body: bytes
    headers: Sequence[str]
    answer: float


def main() -> None:
    """Measure, print, save."""
    given = parser(__doc__, rounds=5, seconds=2.0, connections=16).parse_args()
    cells = []
    with both(given.port) as servers:
        for number in range(given.rounds):
            for case in cases():
                for server in servers if number % 2 else reversed(servers):
                    cells.append({"round": number, **turn(server, case, given.connections, given.seconds)})
                    print(f"  {cells[-1]}", flush=True)
    save(given.out, "big", {"machine": machine.describe(), "cells": cells})
    print(table(cells))


@contextmanager
def both(port: int) -> Iterator[list[Server]]:
    """The service with models that cost nothing, and the bare server."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory()))
        tiny.write(work / "series" / "1", ("left", "right"), ("t", SERIES[1]))
        tiny.write(work / "block" / "1", ("x",), ("t",))
        models = {name: [work / name / "1"] for name in ("series", "block")}
        commands = {"manifold": service(work, port, models, engine="onnx"), "bare": bare(port + 3, "/json")}
        ports = {"manifold": port, "bare": port + 3}
        yield [stack.enter_context(running(name, command, ports[name], work)) for name, command in commands.items()]


def cases() -> list[Case]:
    """What is sent."""
    random = np.random.default_rng(0)
    series = {name: np.round(random.normal(size=SERIES), 4).astype(np.float32) for name in ("left", "right")}
    block = {"x": random.normal(size=NUMBERS).astype(np.float32)}
    row = {name: [[round(float(x), 4) for x in step] for step in value] for name, value in series.items()}
    text = json.dumps({"instances": [row]}).encode()
    total = float(sum(value[0, 0] for value in series.values()))
    return [
        Case(f"{len(text) // 1000} kB of JSON floats", "/v1/models/series:predict", "/json", text, (), total),
        in_binary("the same, binary", "series", series, total),
        in_binary("2 MB, binary", "block", block, float(block["x"][0])),
    ]


def in_binary(title: str, model: str, tensors: Mapping[str, Any], answer: float) -> Case:
    """One row in the Open Inference Protocol's binary form."""
    inputs = [
        {
            "name": name,
            "datatype": "FP32",
            "shape": [1, *value.shape],
            "parameters": {"binary_data_size": value.nbytes},
        }
        for name, value in tensors.items()
    ]
    head = json.dumps({"inputs": inputs}).encode()
    body = b"".join([head, *(value.tobytes() for value in tensors.values())])
    return Case(title, f"/v2/models/{model}/infer", "/binary", body, (f"{BINARY}: {len(head)}",), answer)


def turn(server: Server, case: Case, connections: int, seconds: float) -> dict[str, Any]:
    """The rate and the CPU of a case on a server; SystemExit if an answer was wrong."""
    path = case.bare if server.name == "bare" else case.path

    def heard(_request: int, answer: bytes) -> None:
        status, _, body = parts(answer)
        if status != 200 or not abs(number(body) - case.answer) < 1e-4:
            raise SystemExit(f"{server.name} answered {status} {body[:300]!r} instead of {case.answer}")

    client = Client(server.port, [post(path, case.body, "application/json", *case.headers)], connections, heard)
    client.closed(loops.after(min(0.5, seconds)))
    before, asked = processes.cpu_seconds(server.pid), len(client.latencies)
    rate = client.closed(loops.after(seconds))
    spent = (processes.cpu_seconds(server.pid) - before) / (len(client.latencies) - asked)
    client.close()
    return {"case": case.title, "server": server.name, "rate": round(rate, 1), "cpu_us": round(spent * 1e6, 1)}


def number(body: bytes) -> float:
    """The one number of an answer.

    >>> number(b'{"predictions":[[2.5]]}'), number(b'{"outputs":[{"name":"y","data":[2.5]}]}'), number(b"[2.5]")
    (2.5, 2.5, 2.5)
    """
    answer = json.loads(body)
    if isinstance(answer, list):
        return float(answer[0])
    return float(answer["predictions"][0][0] if "predictions" in answer else answer["outputs"][0]["data"][0])


def table(cells: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: medians of the rounds, and what stays of the bare server's rate."""
    lines = [
        "| body | requests/s | a bare parse | ratio | target | µs of CPU | bare |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for case in dict.fromkeys(cell["case"] for cell in cells):
        (ours, ours_cpu), (theirs, theirs_cpu) = (middle(cells, case, name) for name in ("manifold", "bare"))
        rates = f"{ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f} | ≥ {TARGET:g}"
        lines.append(f"| {case} | {rates} | {ours_cpu:,.0f} | {theirs_cpu:,.0f} |")
    return "\n".join(lines)


def middle(cells: Sequence[Mapping[str, Any]], case: str, server: str) -> tuple[float, float]:
    """The median rate and CPU of a case on a server."""
    chosen = [cell for cell in cells if (cell["case"], cell["server"]) == (case, server)]
    return statistics.median(cell["rate"] for cell in chosen), statistics.median(cell["cpu_us"] for cell in chosen)


if __name__ == "__main__":
    main()
