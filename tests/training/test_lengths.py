"""Rows of different lengths share a batch of the twin, if and only if each is answered as alone."""

import json

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from training import saved_model
from training.golden import Group, difference
from training.lengths import verify
from training.lengths.allow import METADATA, allow
from training.lengths.probe import probe
from training.lengths.session import run
from training.twin.convert import convert

WORDS, WIDTH, STATE = 20, 4, 3
LAST = [("Squeeze", ["y", "one"], "steps"), ("Slice", ["steps", "minus", "far", "zero"], "end")]
"""As Keras takes an LSTM's last state: cut out of all its states."""
READ = ("LSTM", ["turned", "lstm_w", "lstm_r", "lstm_b"], ["y", "h", "c"])

EXACT = {
    "last state": [READ, *LAST, ("Squeeze", ["end", "zero"], "out")],
    "last state of its own": [READ, ("Squeeze", ["h", "zero"], "out")],
    "gated": [("GRU", ["turned", "gru_w", "gru_r"], ["y", "h"]), *LAST, ("Squeeze", ["end", "zero"], "out")],
    "both ways": [
        ("LSTM", ["turned", "both_w", "both_r"], ["y", "h"], {"direction": "bidirectional"}),
        ("Transpose", ["y"], "by_row", {"perm": [2, 0, 1, 3]}),
        ("ReduceMax", ["by_row", "one"], "most", {"keepdims": 0}),
        ("Flatten", ["most"], "out"),
    ],
    "mean": [("ReduceMean", ["words", "one"], "out", {"keepdims": 0})],
    "mean of turned": [("ReduceMean", ["turned", "zero"], "kept"), ("Squeeze", ["kept", "zero"], "out")],
    "mean of more": [
        ("ReduceMax", ["words", "one"], "most"),
        ("Concat", ["most", "words"], "more", {"axis": 1}),
        ("ReduceMean", ["more", "one"], "out", {"keepdims": 0}),
    ],
    "sum": [("ReduceSum", ["words", "one"], "out", {"keepdims": 0})],
    "least": [("ReduceMin", ["words", "one"], "out", {"keepdims": 0})],
    "attention": [
        ("MatMul", ["words", "query"], "fits"),
        ("Transpose", ["fits"], "scores", {"perm": [0, 2, 1]}),
        ("Softmax", ["scores"], "weights"),
        ("MatMul", ["weights", "words"], "found"),
        ("Squeeze", ["found", "one"], "out"),
    ],
    "attention over more": [
        ("ReduceMax", ["words", "one"], "most"),
        ("Concat", ["most", "words"], "more", {"axis": 1}),
        ("MatMul", ["more", "query"], "fits"),
        ("Transpose", ["fits"], "scores", {"perm": [0, 2, 1]}),
        ("Softmax", ["scores"], "weights"),
        ("MatMul", ["weights", "more"], "found"),
        ("Squeeze", ["found", "one"], "out"),
    ],
}
INEXACT = {
    "a window looks beyond the end": [
        ("Transpose", ["words"], "channels", {"perm": [0, 2, 1]}),
        ("Conv", ["channels", "kernel"], "heard", {"pads": [1, 1]}),
        ("ReduceMax", ["heard", "two"], "out", {"keepdims": 0}),
    ],
    "the last step of any": [("Slice", ["words", "minus", "far", "one"], "end"), ("Squeeze", ["end", "one"], "out")],
    "an answer a step": [("Relu", ["words"], "out")],
    "a mean of steps and numbers": [("ReduceMean", ["words", "one_and_two"], "mean"), ("Flatten", ["mean"], "out")],
    "the product of all": [("ReduceProd", ["words", "one"], "out", {"keepdims": 0})],
}


def weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    shapes = {
        "table": (WORDS, WIDTH),
        "lstm_w": (1, 4 * STATE, WIDTH),
        "lstm_r": (1, 4 * STATE, STATE),
        "lstm_b": (1, 8 * STATE),
        "both_w": (2, 4 * STATE, WIDTH),
        "both_r": (2, 4 * STATE, STATE),
        "gru_w": (1, 3 * STATE, WIDTH),
        "gru_r": (1, 3 * STATE, STATE),
        "query": (WIDTH, 1),
        "kernel": (STATE, WIDTH, 3),
    }
    lists = {"zero": [0], "one": [1], "two": [2], "one_and_two": [1, 2], "minus": [-1], "far": [2**31 - 1]}
    made = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return made | {name: np.array(value, np.int64) for name, value in lists.items()}


def graph(nodes: list[tuple]) -> onnx.ModelProto:
    """From ids (n, t), their words (n, t, 4), turned (t, n, 4), to out."""
    made = []
    first = [("Gather", ["table", "ids"], "words"), ("Transpose", ["words"], "turned", {"perm": [1, 0, 2]})]
    for kind, inputs, outputs, *attributes in [*first, *nodes]:
        named = {"hidden_size": STATE} if kind in ("LSTM", "GRU") else {}
        names = [outputs] if isinstance(outputs, str) else outputs
        made.append(helper.make_node(kind, inputs, names, **named, **(attributes[0] if attributes else {})))
    given = helper.make_tensor_value_info("ids", TensorProto.INT32, ["n", "t"])
    constants = [numpy_helper.from_array(array, name) for name, array in weights().items()]
    taken = onnx.ValueInfoProto(name="out")
    body = helper.make_graph(made, "small", [given], [taken], constants)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def asked(proto: onnx.ModelProto) -> list[Group]:
    """Golden rows of three lengths."""
    random, answer = np.random.default_rng(4), run(proto)
    inputs = [{"ids": random.integers(WORDS, size=shape, dtype=np.int32)} for shape in ((1, 5), (3, 2), (2, 9))]
    return [Group(range(len(given["ids"])), given, answer(given)) for given in inputs]


def allowed(proto: onnx.ModelProto, path) -> tuple[list[str], onnx.ModelProto]:
    path.write_bytes(proto.SerializeToString())
    return allow(path, asked(proto)), onnx.load(path)


@pytest.mark.parametrize("nodes", EXACT.values(), ids=EXACT)
def test_a_graph_that_can_take_lengths_takes_them(nodes, tmp_path):
    proto = graph(nodes)
    names, made = allowed(proto, tmp_path / "model.onnx")

    assert names == ["ids"]
    [entry] = made.metadata_props
    assert (entry.key, json.loads(entry.value)) == (METADATA, {"ids": "ids/length"})


@pytest.mark.parametrize("nodes", INEXACT.values(), ids=INEXACT)
def test_a_graph_that_would_answer_wrongly_is_left_as_it_was(nodes, tmp_path):
    proto = graph(nodes)
    names, made = allowed(proto, tmp_path / "model.onnx")

    assert names == []
    assert made == proto


@given(
    st.sampled_from(sorted(EXACT)),
    st.lists(st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=12), min_size=1, max_size=9),
    st.integers(0, WORDS - 1),
    st.integers(0, 3),
)
@settings(max_examples=150, deadline=None)
def test_whatever_rows_are_padded_with_each_is_answered_as_alone(both, kind, rows, padding, more):
    plain, ragged = both[kind]
    ids = np.full((len(rows), max(map(len, rows)) + more), padding, np.int32)
    for line, row in zip(ids, rows, strict=True):
        line[: len(row)] = row
    lengths = np.array([len(row) for row in rows], np.int32)
    together = ragged({"ids": ids, "ids/length": lengths})

    for place, row in enumerate(rows):
        alone = plain({"ids": np.array([row], np.int32)})
        assert difference(alone, {name: array[place : place + 1] for name, array in together.items()}) < 1e-6


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Each exact graph as functions: as it was, and with lengths."""
    path = tmp_path_factory.mktemp("graphs") / "model.onnx"
    protos = {kind: graph(nodes) for kind, nodes in EXACT.items()}
    return {kind: (run(proto), run(allowed(proto, path)[1])) for kind, proto in protos.items()}


@pytest.mark.parametrize("kind", EXACT)
def test_lengths_may_be_left_out(both, kind):
    plain, ragged = both[kind]
    ids = {"ids": np.arange(12, dtype=np.int32).reshape(3, 4)}

    assert difference(plain(ids), ragged(ids)) < 1e-6


def test_rows_and_steps_are_found_wherever_they_are():
    proto = graph([("ReduceMean", ["turned", "zero"], "out", {"keepdims": 0})])
    seen = probe(proto, {"ids": np.zeros((1, 5), np.int32)}, ["ids"])

    assert {name: (seen[name].rows, seen[name].time, seen[name].source) for name in ("ids", "turned", "out")} == {
        "ids": (0, 1, "ids"),
        "turned": (1, 0, "ids"),
        "out": (0, None, ""),
    }


def test_inputs_of_one_size_have_no_lengths(tmp_path):
    proto = graph(EXACT["mean"])
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    ids = {"ids": np.zeros((2, 5), np.int32)}

    assert allow(path, [Group(range(2), ids, run(proto)(ids))]) == []


def test_verification_finds_a_graph_that_ignores_the_lengths():
    proto = graph(EXACT["mean"])
    plain = run(proto)
    rows = [{"ids": np.arange(9, dtype=np.int32)}, {"ids": np.arange(4, dtype=np.int32)}]

    found = verify.difference(plain, lambda inputs: plain({"ids": inputs["ids"]}), rows, ["ids"])

    assert found > 0.01


def test_the_twin_of_a_keras_lstm_takes_lengths(trained, held, tmp_path):
    path = tmp_path / "model.onnx"
    inputs = saved_model.specs(trained.encoder)
    path.write_bytes(convert(trained, inputs).SerializeToString())
    columns = held.rows.inputs
    rows = [{name: column[place][np.newaxis] for name, column in columns.items()} for place in range(6)]
    plain = run(onnx.load(path))

    assert allow(path, [Group([place], row, plain(row)) for place, row in enumerate(rows)]) == ["left", "right"]

    proto = onnx.load(path)
    recurrent = [node for node in proto.graph.node if node.op_type == "LSTM"]
    assert {node.input[4] for node in recurrent} == {"lengths/left", "lengths/right"}
    assert {tuple(row["left"].shape) for row in rows} != {rows[0]["left"].shape}
