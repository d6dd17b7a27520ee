"""python -m loadtest.wire: what reading a request costs, by its form; medians of rounds that take turns.

A pair of pictures, 250 × 250 × 3 of uint8, in the Open Inference Protocol's JSON and as its binary tensors: requests a
second over one connection to a server of its own, whose model costs next to nothing. And 43 kB of floats in JSON, in
this process: from the bytes to a checked array, in seconds of the processor, for others use it, too.
"""

import argparse
import http.client
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from loadtest.ask import wait_until_ready
from loadtest.bench import server
from service import loading
from service.batcher import ThreadDriver
from service.dialects.exchange import parse
from service.dialects.oip import binary
from service.dialects.oip import request as oip_request
from service.settings import Settings
from service.store import Version

PICTURE = (250, 250, 3)
FLOATS_BYTES = 43_000
OPSET, IR = 18, 10

Body = tuple[bytes, Mapping[str, str]]
"""What is sent, and its headers."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8478)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    os.environ["MANIFOLD_ENGINE"] = "onnx"
    with tempfile.TemporaryDirectory() as work:
        store = Path(work)
        write(store / "pair" / "1", ("left", "right"), TensorProto.UINT8, PICTURE)
        write(store / "series" / "1", ("x",), TensorProto.FLOAT, ("t",))
        milliseconds = read_floats(store / "series" / "1", given.rounds)
        print(f"{FLOATS_BYTES:,} bytes of JSON floats, read and checked: {milliseconds:.3f} ms of CPU time")
        with server(work, given.port):
            wait_until_ready(f"http://127.0.0.1:{given.port}")
            rates = measure(given.port, {"JSON": in_json(), "binary": in_bytes()}, given.rounds, given.seconds)
    for form, rate in rates.items():
        print(f"a pair of pictures in {form:6}: {rate:7.1f} requests/s, {rate / rates['JSON']:5.1f} × JSON")


def write(folder: Path, names: Sequence[str], dtype: int, dims: Sequence[int | str]) -> None:
    """A model in a store, its twin alone: inputs of n rows of `dims`, of which it looks at the first number only."""
    nodes, firsts = [], []
    for name in names:
        firsts.append(f"{name}_first")
        nodes += [
            helper.make_node("Slice", [name, "start", "end", "axes"], [f"{name}_corner"]),
            helper.make_node("Cast", [f"{name}_corner"], [f"{name}_number"], to=TensorProto.FLOAT),
            helper.make_node("Reshape", [f"{name}_number", "column"], [firsts[-1]]),
        ]
    axes = list(range(1, 1 + len(dims)))
    constants = {"start": [0] * len(dims), "end": [1] * len(dims), "axes": axes, "column": [-1, 1]}
    graph = helper.make_graph(
        [*nodes, helper.make_node("Sum", firsts, ["y"])],
        "first",
        [helper.make_tensor_value_info(name, dtype, ["n", *dims]) for name in names],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor(name, TensorProto.INT64, [len(value)], value) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    onnx.save(model, folder / "assets.extra" / "model.onnx")


def pictures() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.integers(0, 256, (1, *PICTURE), dtype=np.uint8) for name in ("left", "right")}


def in_json() -> Body:
    """The pair in JSON, flat."""
    inputs = [
        {"name": name, "datatype": "UINT8", "shape": picture.shape, "data": picture.ravel().tolist()}
        for name, picture in pictures().items()
    ]
    return json.dumps({"inputs": inputs}, separators=(",", ":")).encode(), {}


def in_bytes() -> Body:
    """The pair as bytes behind the JSON."""
    inputs = [
        {"name": name, "datatype": "UINT8", "shape": picture.shape, "parameters": {"binary_data_size": picture.nbytes}}
        for name, picture in pictures().items()
    ]
    head = json.dumps({"inputs": inputs}).encode()
    body = b"".join([head, *(picture.tobytes() for picture in pictures().values())])
    return body, {binary.HEADER: str(len(head))}


def measure(port: int, bodies: Mapping[str, Body], rounds: int, seconds: float) -> dict[str, float]:
    """Requests a second of each form, medians of rounds in turn; all must be answered alike."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    answers = {ask(connection, body) for body in bodies.values()}
    assert len(answers) == 1, answers
    seen: dict[str, list[float]] = {form: [] for form in bodies}
    for _ in range(rounds):
        for form, body in bodies.items():
            seen[form].append(rate(lambda body=body: ask(connection, body), seconds))
    return {form: statistics.median(rates) for form, rates in seen.items()}


def ask(connection: http.client.HTTPConnection, body: Body) -> bytes:
    """The answer to one request."""
    connection.request("POST", "/v2/models/pair/infer", *body)
    response = connection.getresponse()
    answer = response.read()
    assert response.status == 200, answer
    return answer


def rate(call: Callable[[], object], seconds: float, clock: Callable[[], float] = time.perf_counter) -> float:
    """Calls a second of that clock."""
    started, calls = clock(), 0
    while clock() - started < seconds:
        call()
        calls += 1
    return calls / (clock() - started)


def read_floats(folder: Path, rounds: int) -> float:
    """Milliseconds from a body of floats to an array that the model takes, the median of rounds."""
    handle = loading.load(Version("series", 1, folder), Settings(engine="onnx"), lambda _: ThreadDriver)
    body = floats()
    try:
        return statistics.median(
            1e3 / rate(lambda: oip_request.read(handle, parse(body), memoryview(b"")), 0.5, time.thread_time)
            for _ in range(rounds)
        )
    finally:
        handle.close()


def floats() -> bytes:
    """A request of as many floats as fit."""
    numbers = np.random.default_rng(0).normal(size=FLOATS_BYTES // 8).astype(np.float32).tolist()
    while True:
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, len(numbers)], "data": [round(x, 6) for x in numbers]}
        body = json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()
        if len(body) <= FLOATS_BYTES:
            return body
        numbers = numbers[: -1 - (len(body) - FLOATS_BYTES) // 12]


if __name__ == "__main__":
    main()
