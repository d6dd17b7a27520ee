"""A twin in 8 bits answers nearly as the full one, and is kept only for what it gains."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.encode import Rows
from training.evaluate import Judged
from training.twin.reduce import Trial, decide, quantise, reduce
from training.twin.verify import ask, session

rng = np.random.default_rng(3)


def convolution():
    """Means over what 6 kernels find in a row of 4 channels."""
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["found"], kernel_shape=[3]),
        helper.make_node("Relu", ["found"], ["cut"]),
        helper.make_node("ReduceMean", ["cut", "last"], ["mean"], keepdims=0),
    ]
    constants = {"kernel": rng.normal(0, 0.3, (6, 4, 3)).astype(np.float32), "last": np.array([2])}
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4, 9])],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["n", 6])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def series(count):
    return [rng.normal(size=(4, 9)).astype(np.float32) for _ in range(count)]


@pytest.fixture(scope="module")
def pair():
    full = convolution()
    return full, quantise(full, [{"x": row[None]} for row in series(40)])


def test_a_twin_in_8_bits_answers_nearly_alike(pair):
    rows = np.stack(series(20))
    full, reduced = (ask(session(model), {"x": rows})["mean"] for model in pair)

    assert 0 < np.abs(full - reduced).max() < 0.05


def test_a_twin_in_8_bits_answers_a_row_alike_alone_and_beside_any_other(pair):
    reduced = session(pair[1])
    rows = np.stack([*series(5), 1000 * series(1)[0]])
    together = ask(reduced, {"x": rows})["mean"]
    alone = np.concatenate([ask(reduced, {"x": row[None]})["mean"] for row in rows])

    assert np.abs(together - alone).max() <= 1e-6


def test_what_is_kept_lies_beside_the_full_twin_and_what_is_not_does_not(tmp_path):
    onnx.save(convolution(), tmp_path / "model.onnx")
    rows = Rows({"x": series(30)}, {})
    right = np.zeros(30)
    trial = Trial(rows, rows, lambda said: {"mean": Judged({"mae": float(np.mean(said["mean"]))}, right, right)})
    verdict = reduce(tmp_path, trial)

    assert verdict.largest_difference < verdict.tolerance
    assert verdict.metrics["mean"]["before"] == pytest.approx(verdict.metrics["mean"]["after"], abs=0.05)
    assert (tmp_path / "model.int8.onnx").exists() is verdict.kept is (verdict.reason is None)


@pytest.mark.parametrize(
    ("off", "speedup", "figure", "reason"),
    [
        (0.09, 1.2, ("accuracy", 0.9, 0.896), None),
        (0.09, 1.2, ("mae", 2.0, 1.9), None),
        (0.11, 2.0, ("mae", 2.0, 2.0), "differs from the full twin by 0.11, more than 0.1"),
        (float("nan"), 2.0, ("mae", 2.0, 2.0), "differs from the full twin by nan, more than 0.1"),
        (0.01, 2.0, ("accuracy", 0.9, 0.89), "head: accuracy is worse"),
        (0.01, 2.0, ("mae", 2.0, 2.02), "head: mae is worse"),
        (0.01, 1.19, ("mae", 2.0, 2.0), "1.19 times as quick, less than 1.2"),
    ],
)
def test_a_reduced_twin_is_kept_if_it_is_near_as_good_and_quicker(off, speedup, figure, reason):
    verdict = decide(off, speedup, {"head": figure})

    assert (verdict.kept, verdict.reason) == (reason is None, reason)
