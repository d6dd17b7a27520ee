"""Models that cost next to nothing, to measure what stands around them."""

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

OPSET, IR = 18, 10


def write(folder: Path, names: Sequence[str], dims: Sequence[int | str]) -> None:
    """A version, its twin alone: inputs of n rows of float `dims`; the output `y` is the sum of their first numbers."""
    nodes = [node for name in names for node in first(name)]
    constants = {
        "start": [0] * len(dims),
        "end": [1] * len(dims),
        "axes": list(range(1, 1 + len(dims))),
        "column": [-1, 1],
    }
    graph = helper.make_graph(
        [*nodes, helper.make_node("Sum", [f"{name}_first" for name in names], ["y"])],
        "first",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *dims]) for name in names],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor(name, TensorProto.INT64, [len(value)], value) for name, value in constants.items()],
    )
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.save(model, folder / "assets.extra" / "model.onnx")


def first(name: str) -> list[onnx.NodeProto]:
    """The first number of every row of an input, in a column."""
    return [
        helper.make_node("Slice", [name, "start", "end", "axes"], [f"{name}_corner"]),
        helper.make_node("Reshape", [f"{name}_corner", "column"], [f"{name}_first"]),
    ]
