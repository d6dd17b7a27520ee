"""Every rewrite of a twin leaves its answers as they are, and leaves alone what it does not understand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from training.golden import Group
from training.twin.constants import fold_constants
from training.twin.dense import plain_dense
from training.twin.flat import keep_axes
from training.twin.fold import fold_embeddings
from training.twin.graph import Graph
from training.twin.ids import plain_ids
from training.twin.improve import REWRITES, improve, pays
from training.twin.states import no_zeros
from training.twin.verify import ask, largest_difference, session

IDS, FLOATS = TensorProto.INT32, TensorProto.FLOAT
rng = np.random.default_rng(7)


def numbers(*shape):
    return rng.normal(size=shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def graph(nodes, inputs, constants, outputs=("out",)):
    """A model; `inputs` are (type, shape) by name, each node is (operator, inputs, output, attributes)."""
    return helper.make_model(
        helper.make_graph(
            [helper.make_node(operator, ins, [out], **attributes) for operator, ins, out, attributes in nodes],
            "test",
            [helper.make_tensor_value_info(name, *spec) for name, spec in inputs.items()],
            [helper.make_tensor_value_info(name, FLOATS, None) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )


def operators(model):
    return [node.op_type for node in model.graph.node]


def difference(one, other, **inputs):
    left, right = (ask(session(model), inputs) for model in (one, other))
    return max(np.abs(left[name] - right[name]).max() for name in left)


@st.composite
def readings(draw):
    """A convolution of embedded ids as converters write it, its words, and a row's length."""
    words, wide, filters, taps = (draw(st.integers(1, most)) for most in (9, 5, 4, 5))
    padding = draw(st.sampled_from(["VALID", "SAME_UPPER", "SAME_LOWER", "causal", "explicit"]))
    step = 1 if padding.startswith("SAME") else draw(st.integers(1, 2))
    reach = (taps - 1) * step
    high = draw(st.booleans())  # as if a series were a picture one pixel high
    sides = {"causal": [reach, 0], "explicit": [reach // 3, reach // 2]}
    missing = reach - sum(sides[padding]) if padding in sides else 0 if padding.startswith("SAME") else reach
    length = missing + draw(st.integers(1, 7))
    flat = {"dilations": [step], "kernel_shape": [taps], "pads": sides.get(padding, [0, 0]), "strides": [1]}
    attributes = {
        "dilations": [1, step],
        "kernel_shape": [1, taps],
        "pads": [0, flat["pads"][0], 0, flat["pads"][1]],
    }
    attributes = attributes if high else flat
    if padding not in sides:
        del attributes["pads"]
        attributes["auto_pad"] = padding
    order = [
        ("Unsqueeze", ["words", "one"], "picture", {}),
        ("Transpose", ["picture"], "turned", {"perm": [0, 3, 1, 2]}),
    ]
    kernel = ["turned", "kernel", "bias"][: draw(st.integers(2, 3))]
    model = graph(
        [
            ("Gather", ["table", "ids"], "words", {}),
            *(order if high else [("Transpose", ["words"], "turned", {"perm": [0, 2, 1]})]),
            ("Conv", kernel, "conv", attributes),
            ("Relu", ["conv"], "out", {}),
        ],
        {"ids": (draw(st.sampled_from([IDS, TensorProto.INT64])), ["n", "t" if missing == 0 else length])},
        {
            "table": numbers(words, wide),
            "kernel": numbers(filters, wide, *([1] if high else []), taps),
            "bias": numbers(filters),
            "one": ints(1),
        },
    )
    return model, words, length


@given(readings(), st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_a_folded_convolution_answers_as_before(reading, rows, seed):
    model, words, length = reading
    kind = helper.tensor_dtype_to_np_dtype(model.graph.input[0].type.tensor_type.elem_type)
    ids = np.random.default_rng(seed).integers(-words, words, (rows, length)).astype(kind)
    folded = fold_embeddings(model)

    assert not {"Conv", "Mul"} & set(operators(folded))
    assert difference(model, folded, ids=ids) < 1e-5


@given(readings(), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_a_folded_convolution_refuses_the_ids_that_were_refused(reading, beyond):
    model, words, length = reading
    kind = helper.tensor_dtype_to_np_dtype(model.graph.input[0].type.tensor_type.elem_type)
    for wrong in (words + beyond, -words - 1 - beyond):
        ids = np.full((1, length), wrong, kind)
        for each in (model, fold_embeddings(model)):
            with pytest.raises(Exception, match=r"(?i)out of (data )?bounds"):
                ask(session(each), {"ids": ids})


def embedded(extra=(), outputs=("out",), length=5, **attributes):
    """A reading of 4 words by 3 taps, and what else is done in the graph."""
    nodes = [
        ("Gather", ["table", "ids"], "words", {}),
        ("Transpose", ["words"], "turned", {"perm": [0, 2, 1]}),
        ("Conv", ["turned", "kernel"], "out", {"kernel_shape": [3], **attributes}),
        *extra,
    ]
    constants = {"table": numbers(4, 2), "kernel": numbers(6, 2 // attributes.get("group", 1), 3)}
    return graph(nodes, {"ids": (IDS, ["n", length])}, constants, outputs)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(embedded([("Relu", ["words"], "also", {})], ("out", "also")), id="another reads the embedding"),
        pytest.param(embedded([("Relu", ["turned"], "also", {})], ("out", "also")), id="another reads it turned"),
        pytest.param(embedded(outputs=("out", "words")), id="the embedding is an output"),
        pytest.param(embedded(length="t"), id="a row may be too short"),
        pytest.param(embedded(length=2), id="every row is too short"),
        pytest.param(embedded(strides=[2]), id="the kernel skips"),
        pytest.param(embedded(group=2), id="the kernel is in groups"),
    ],
)
def test_a_convolution_is_left_alone_where(model):
    assert fold_embeddings(model) == model


def test_a_convolution_of_too_many_words_is_left_alone():
    model, tables = embedded(), 3 * 4 * 6 * 4  # taps, words, filters, bytes

    assert "Conv" not in operators(fold_embeddings(model, tables))
    assert fold_embeddings(model, tables - 1) == model


def where(shift):
    """Embedded ids, those below zero counted from the end of `shift` words, as converters write it."""
    zero, words = np.array(0, np.float32), np.array(shift, np.int32)
    return graph(
        [
            ("Add", ["ids", "words"], "later", {}),
            ("Cast", ["ids"], "float", {"to": FLOATS}),
            ("Less", ["float", "zero"], "less", {}),
            ("Not", ["less"], "not", {}),
            ("Cast", ["not"], "keep", {"to": IDS}),
            ("Mul", ["ids", "keep"], "kept", {}),
            ("Cast", ["less"], "move", {"to": IDS}),
            ("Mul", ["later", "move"], "moved", {}),
            ("Add", ["kept", "moved"], "chosen", {}),
            ("Gather", ["table", "chosen"], "out", {}),
        ],
        {"ids": (IDS, ["n", 3])},
        {"table": numbers(5, 2), "zero": zero, "words": words},
    )


def test_ids_are_read_as_they_are_where_that_is_the_same():
    model = where(5)
    ids = rng.integers(-5, 5, (4, 3)).astype(np.int32)

    assert operators(plain_ids(model)) == ["Gather"]
    assert difference(model, plain_ids(model), ids=ids) == 0


def test_ids_are_computed_where_that_matters():
    model = where(4)

    assert plain_ids(model) == model


def series(bias):
    """Two convolutions over one axis, written in two."""
    picture = {"kernel_shape": [1, 2]}
    return graph(
        [
            ("Unsqueeze", ["x", "two"], "first", {}),
            ("Conv", ["first", "one"], "conv", picture),
            ("Squeeze", ["conv", "two"], "flat", {}),
            ("Add", ["flat", "bias"], "added", {}),
            ("Relu", ["added"], "cut", {}),
            ("Unsqueeze", ["cut", "two"], "again", {}),
            ("Conv", ["again", "one"], "second", picture),
            ("Squeeze", ["second", "two"], "out", {}),
        ],
        {"x": (FLOATS, ["n", 3, "t"])},
        {"two": ints(2), "one": numbers(3, 3, 1, 2), "bias": bias},
    )


@pytest.mark.parametrize("bias", [numbers(1, 3, 1), numbers(1, 1, 1)])
def test_a_series_keeps_its_axes_from_one_convolution_to_the_next(bias):
    model = series(bias)

    assert operators(keep_axes(model)) == ["Unsqueeze", "Conv", "Add", "Relu", "Conv", "Squeeze"]
    assert difference(model, keep_axes(model), x=numbers(2, 3, 7)) == 0


def test_a_series_keeps_its_axes_only_as_far_as_is_sure():
    model = series(numbers(3, 1))

    assert keep_axes(model) == model


def recurrent(state):
    """An LSTM whose initial states are made of a value."""
    return graph(
        [
            ("Expand", ["state", "shape"], "made", {}),
            ("Unsqueeze", ["made", "zero"], "one", {}),
            ("LSTM", ["x", "W", "R", "B", "", "one", "one"], "steps", {"hidden_size": 2}),
            ("Squeeze", ["steps", "axis"], "out", {}),
        ],
        {"x": (FLOATS, ["t", 3, 4])},
        {
            "state": np.array(state, np.float32),
            "shape": ints(3, 2),
            "zero": ints(0),
            "axis": ints(1),
            "W": numbers(1, 8, 4),
            "R": numbers(1, 8, 2),
            "B": numbers(1, 16),
        },
    )


def test_a_recurrent_operator_begins_with_zeros_by_itself():
    model = recurrent(0.0)

    assert operators(no_zeros(model)) == ["LSTM", "Squeeze"]
    assert difference(model, no_zeros(model), x=numbers(5, 3, 4)) == 0


def test_other_states_are_kept():
    model = recurrent(0.5)

    assert no_zeros(model) == model


def dense(*order):
    """A dense layer over a series, its shape put together from the series' own axes in some order."""
    return graph(
        [
            ("Shape", ["x"], "shape", {}),
            ("Gather", ["shape", "order"], "free", {}),
            ("Concat", ["free", "five"], "after", {"axis": 0}),
            ("Reshape", ["x", "rows"], "matrix", {}),
            ("MatMul", ["matrix", "weights"], "product", {}),
            ("Reshape", ["product", "after"], "series", {}),
            ("Relu", ["series"], "out", {}),
        ],
        {"x": (FLOATS, ["n", "t", 3])},
        {"order": ints(*order), "five": ints(5), "rows": ints(-1, 3), "weights": numbers(3, 5)},
    )


def test_a_dense_layer_reads_a_series_as_it_is():
    model = dense(0, 1)

    assert operators(plain_dense(model)) == ["MatMul", "Relu"]
    assert difference(model, plain_dense(model), x=numbers(2, 4, 3)) < 1e-6


def test_a_dense_layer_that_turns_the_series_is_left_alone():
    model = dense(1, 0)

    assert plain_dense(model) == model


def test_weights_are_kept_in_the_shape_in_which_they_are_read():
    model = graph(
        [("Transpose", ["weights"], "turned", {}), ("MatMul", ["x", "turned"], "out", {})],
        {"x": (FLOATS, ["n", 3])},
        {"weights": numbers(5, 3)},
    )

    assert operators(fold_constants(model)) == ["MatMul"]
    assert difference(model, fold_constants(model), x=numbers(2, 3)) == 0


@pytest.mark.parametrize("rewrite", REWRITES)
def test_what_cannot_be_improved_stays_as_it_is(rewrite):
    model = graph([("Relu", ["x"], "out", {})], {"x": (FLOATS, ["n", 3])}, {})

    assert rewrite(model) == model


def test_what_a_branch_takes_from_around_it_is_kept():
    """Only its body names the constant and the sum."""
    body = helper.make_graph(
        [helper.make_node("Mul", ["sum", "two"], ["inner"])],
        "body",
        [],
        [helper.make_tensor_value_info("inner", FLOATS, None)],
    )
    model = graph(
        [("Add", ["x", "one"], "sum", {}), ("If", ["yes"], "out", {"then_branch": body, "else_branch": body})],
        {"x": (FLOATS, ["n"])},
        {"one": np.ones(1, np.float32), "two": np.full(1, 2, np.float32), "yes": np.array(True)},
    )
    pruned = Graph(model).pruned()
    assert operators(pruned) == ["Add", "If"]
    assert difference(model, pruned, x=numbers(3)) == 0


def golden(model, **inputs):
    return [Group(range(len(next(iter(inputs.values())))), inputs, ask(session(model), inputs))]


def test_a_rewrite_that_changes_answers_is_not_taken():
    model = recurrent(0.5)

    def spoil(before):
        spoilt = recurrent(0.0)
        return no_zeros(spoilt)

    groups = golden(model, x=numbers(5, 3, 4))
    assert largest_difference(spoil(model), groups) > 1e-4
    assert improve(model, groups, [spoil]) == model


def test_a_twin_is_improved_by_all_that_agree():
    model = dense(0, 1)

    assert operators(improve(model, golden(model, x=numbers(2, 4, 3)))) == ["MatMul", "Relu"]


@pytest.mark.parametrize(
    ("shorter", "before", "after", "worth"),
    [(True, 1.0, 1.0, True), (True, 1.0, 1.2, False), (False, 1.0, 1.0, False), (False, 1.0, 0.5, True)],
)
def test_a_rewrite_pays_by_time_and_in_doubt_by_length(shorter, before, after, worth):
    longer, short = dense(0, 1), plain_dense(dense(0, 1))
    one, other = (longer, short) if shorter else (short, longer)

    assert pays(one, other, before, after) is worth
