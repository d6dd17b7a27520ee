"""A model that fails when a row says so, and whose right answer everybody knows: twice x, plus one.

x (n, 1) float32, fault (n, 1) int64 ─▶ y (n, 1) float32

One faulty row spoils every row of its batch but for NAN, which spoils its own.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

FINE, RAISE, NAN, SHORT = 0, 1, 2, 3
"""Values of `fault`: none; an index out of range; the logarithm of a negative number; one row less than was asked."""
SPIN = 1000
"""From here on `fault` is how many turns a loop takes first, of a microsecond at most each."""
HANG = 2**60
"""More turns than anybody waits for."""
DRAG = 20_000
"""Turns that make every call too slow for the event loop: 5 ms and more."""

OPSET, IR = 18, 10


def answer(x: ArrayLike) -> NDArray[np.float32]:
    """What the model says of x, where there is no fault."""
    return np.asarray(x, np.float32) * 2 + 1


def write(folder: Path, drag: int = 0, card: bool = True) -> Path:
    """A version in `folder`, STORE/<model>/<version>; every call takes `drag` turns of the loop at least."""
    extra = folder / "assets.extra"
    extra.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    onnx.save(model(drag), extra / "model.onnx")
    golden = {}
    for number, rows in enumerate((1, 4)):
        x = np.linspace(-2, 3, rows, dtype=np.float32)[:, np.newaxis]
        golden[f"{number}/inputs/x"], golden[f"{number}/outputs/y"] = x, answer(x)
        golden[f"{number}/inputs/fault"] = np.full((rows, 1), FINE)
    np.savez(extra / "golden.npz", **golden)
    if card:
        document = described(folder.parent.name, int(folder.name))
        (extra / "card.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def model(drag: int = 0) -> onnx.ModelProto:
    """2 x + 1 + nothing, where nothing is what a table, a logarithm and a loop give without a fault."""
    node = helper.make_node
    nodes = [
        node("Equal", ["fault", "raise"], ["raises"]),
        node("Where", ["raises", "far", "none"], ["place"]),
        node("Gather", ["table", "place"], ["found"]),
        node("Equal", ["fault", "nan"], ["blurs"]),
        node("Where", ["blurs", "minus", "one"], ["positive"]),
        node("Log", ["positive"], ["logarithm"]),
        node("Less", ["fault", "spin"], ["still"]),
        node("Where", ["still", "drag", "fault"], ["asked"]),
        node("ReduceMax", ["asked"], ["turns"], keepdims=0),
        node("Loop", ["turns", "yes", "zero"], ["spun"], body=turn()),
        node("Mul", ["x", "two"], ["twice"]),
        node("Sum", ["twice", "one", "found", "logarithm", "spun"], ["whole"]),
        node("Equal", ["fault", "short"], ["shortens"]),
        node("Cast", ["shortens"], ["counts"], to=TensorProto.INT64),
        node("ReduceMax", ["counts"], ["lost"], keepdims=0),
        node("Shape", ["x"], ["rows"], start=0, end=1),
        node("Sub", ["rows", "lost"], ["kept"]),
        node("Slice", ["whole", "first", "kept"], ["y"]),
    ]
    whole = {"raise": RAISE, "nan": NAN, "short": SHORT, "spin": SPIN, "far": 9, "none": 0, "drag": drag}
    real = {"minus": -1, "one": 1, "two": 2, "zero": 0}
    constants = {
        **{name: np.array(value, np.int64) for name, value in whole.items()},
        **{name: np.array(value, np.float32) for name, value in real.items()},
        "table": np.zeros(1, np.float32),
        "first": np.array([0], np.int64),
        "yes": np.array(True),
    }
    graph = helper.make_graph(
        nodes,
        "faulty",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1]),
            helper.make_tensor_value_info("fault", TensorProto.INT64, ["n", 1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["m", 1])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(made)
    return made


def turn() -> onnx.GraphProto:
    """One turn of the loop, which changes nothing."""
    info = helper.make_tensor_value_info
    return helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["still_on"]), helper.make_node("Identity", ["state"], ["same"])],
        "turn",
        [
            info("number", TensorProto.INT64, []),
            info("go_on", TensorProto.BOOL, []),
            info("state", TensorProto.FLOAT, []),
        ],
        [info("still_on", TensorProto.BOOL, []), info("same", TensorProto.FLOAT, [])],
    )


def described(name: str, version: int) -> dict[str, Any]:
    """A card; `fault` is not on it, and so a plain tensor."""
    bounds = {"minimum": None, "maximum": None}
    return {
        "format": 1,
        "model": name,
        "version": version,
        "title": "Twice and one",
        "description": "Fails when it is told to.",
        "parameters": 0,
        "inputs": {
            "x": {"kind": "numbers", "title": "x", "dims": [1], "unit": "", "max_length": 1, "example": [1.5], **bounds}
        },
        "outputs": {"y": {"kind": "number", "title": "y", "unit": "points", **bounds}},
        "provenance": {
            "data": "none",
            "rows": {"train": 1, "validation": 1, "test": 1},
            "seed": 0,
            "preset": "none",
            "epochs": 0,
            "created": "2026-01-01T00:00:00Z",
            "seconds": 0.0,
            "versions": {"python": "3", "tensorflow": "2", "keras": "3", "tf2onnx": "1", "manifold": "0"},
        },
        "metrics": {"y": {"mae": 0.0, "baseline": {"name": "mean", "mae": 1.0}}},
        "losses": {"y": {"weight": 1.0, "share": 1.0, "suggested_weight": None}},
        "findings": [],
        "verified": {
            "rows": 5,
            "twin": {"kept": True, "largest_difference": 0.0, "reason": None},
            "batch_invariance": {"largest_difference": 0.0},
        },
    }
