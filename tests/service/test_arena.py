"""The arena of ONNX Runtime: what a large batch took goes back to the system."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.engines import arena
from service.engines.onnx import OnnxEngine
from tests.service import artifacts

WIDTH = 2**20
ROWS = 64
TAKEN = ROWS * WIDTH * 4
"""Bytes that a batch takes."""
STATM = Path("/proc/self/statm")


def resident() -> int:
    """Bytes of this process, without the garbage of other tests."""
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def constant(name: str, *values: int) -> "helper.NodeProto":
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(values)))


@pytest.fixture
def engine(tmp_path: Path) -> OnnxEngine:
    """Of rows of one number, each written down a million times and summed; it has been asked for one."""
    nodes = [
        constant("times", 1, WIDTH),
        constant("axis", 1),
        helper.make_node("Tile", ["x", "times"], ["wide"]),
        helper.make_node("ReduceSum", ["wide", "axis"], ["y"]),
    ]
    twin = artifacts.plain_model(nodes, TensorProto.FLOAT, 1)
    engine = OnnxEngine(artifacts.write(tmp_path / "wide" / "1", twin, {}))
    ask(engine, 1)
    return engine


def ask(engine: OnnxEngine, rows: int) -> None:
    assert engine.run({"x": np.ones((rows, 1), np.float32)})["y"].tolist() == [[WIDTH]] * rows


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells what is resident so")
@pytest.mark.parametrize("way", [OnnxEngine.settle, OnnxEngine.close])
def test_what_the_largest_batch_took_is_given_back(engine: OnnxEngine, way):
    before = resident()
    ask(engine, ROWS)
    ask(engine, 1)
    assert resident() - before > 0.9 * TAKEN
    way(engine)
    assert resident() - before < 0.1 * TAKEN


def test_the_smallest_model_is_what_its_bytes_say():
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    assert made.SerializeToString() == arena.IDENTITY
