"""Layer graphs: what is connected to what, how it is folded and laid out, and that a picture of it comes out."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402
from keras import layers, ops  # noqa: E402
from matplotlib.image import imread  # noqa: E402

from training.reports.graph import LARGEST, draw  # noqa: E402
from training.reports.layout import GAP, arrange, rows  # noqa: E402
from training.reports.wiring import Arrow, Graph, Layer, fold, graph, listed, shape  # noqa: E402

PLAIN = Layer("", "Dense", "(n, 1)", "layer")


def chain(length):
    """An input and as many Dense layers, one after another, the last one named as the output."""
    start = x = keras.Input((3,), name="start")
    for _ in range(length - 1):
        x = layers.Dense(2)(x)
    return keras.Model({"start": start}, {"end": layers.Dense(1, name="end")(x)}, name="chain")


def twins():
    """A model and a layer that both sides share; the first side goes through the layer twice."""
    inside = keras.Input((4,))
    base = keras.Model(inside, layers.Dense(6)(layers.Dense(5)(inside)), name="base")
    again = layers.Dense(6, name="again")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    a, b = again(again(base(left))), again(base(right))
    outputs = {"near": layers.Dense(1, name="near")(ops.absolute(a - b)), "far": layers.Dense(2, name="far")(a)}
    return keras.Model({"left": left, "right": right}, outputs, name="twins")


def deep(blocks):
    """Residual blocks."""
    start = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, strides=2, padding="same")(start)
    for _ in range(blocks):
        x = layers.Add()([x, layers.Conv2D(4, 3, padding="same")(layers.BatchNormalization()(x))])
    return keras.Model(start, layers.Dense(1, name="size")(layers.Flatten()(x)), name="deep")


@pytest.fixture(scope="module")
def shared():
    return graph(twins())


def named(whole, name):
    return next(place for place, (layer,) in enumerate(whole.boxes) if layer.name == name)


def test_every_layer_stands_once_and_every_tensor_that_is_taken_is_an_arrow():
    whole = graph(chain(5))

    assert [layer.kind for (layer,) in whole.boxes] == ["Input", *["Dense"] * 5]
    assert whole.arrows == tuple(Arrow(place, place + 1) for place in range(5))


def test_a_shared_layer_stands_once_with_an_arrow_for_every_call(shared):
    again = named(shared, "again")
    into = [arrow for arrow in shared.arrows if arrow.target == again]

    assert shared.boxes[again][0].calls == 3
    assert sorted(arrow.taken for arrow in into) == [1, 2, 3]
    assert sum(arrow.source == again for arrow in into) == 1


def test_as_a_list_every_layer_says_whose_tensors_it_takes(shared):
    layers = listed(shared)

    assert [one["name"] for one in layers if not one["takes"]] == ["left", "right"]
    (near,) = (one for one in layers if one["name"] == "near")
    assert near == {"name": "near", "kind": "Dense", "shape": "(n, 1)", "takes": ["absolute"]}
    assert len({one["name"] for one in listed(graph(chain(5)))}) == 6


def test_a_model_used_as_a_layer_is_one_box_that_says_how_large_it_is(shared):
    (base,) = shared.boxes[named(shared, "base")]

    assert (base.role, base.calls, base.shape) == ("model", 2, "(n, 6)")
    assert base.kind == f"model of 3 layers, {4 * 5 + 5 + 5 * 6 + 6} parameters"


def test_the_layers_of_a_small_model_without_branches_are_listed_in_its_box(shared):
    (base,) = shared.boxes[named(shared, "base")]
    x = keras.Input((8, 8, 3))
    branched = graph(keras.Model(x, deep(2)(x)))

    assert [(layer.kind, layer.shape) for layer in base.within] == [("Dense", "(n, 5)"), ("Dense", "(n, 6)")]
    assert [layer.within for (layer,) in branched.boxes] == [(), ()]


def test_inputs_outputs_and_operations_are_told_apart(shared):
    role = {layer.name or layer.kind: layer.role for (layer,) in shared.boxes}

    assert {name for name in role if role[name] == "input"} == {"left", "right"}
    assert {name for name in role if role[name] == "operation"} == {"subtract", "absolute"}
    assert {layer.output for (layer,) in shared.boxes} == {"", "near", "far"}


def test_a_tensor_taken_twice_has_two_arrows():
    x = keras.Input((3,))
    whole = graph(keras.Model(x, layers.Multiply()([x, x])))

    assert whole.arrows == (Arrow(0, 1), Arrow(0, 1))


def test_a_sequential_and_a_functional_build_have_the_same_graph():
    functional, sequential = chain(3), keras.Sequential([layers.Input((3,), name="start")])
    for layer in functional.layers[1:]:
        sequential.add(type(layer).from_config(layer.get_config()))

    assert graph(sequential).arrows == graph(functional).arrows
    assert [box[0].shape for box in graph(sequential).boxes] == [box[0].shape for box in graph(functional).boxes]


def test_calls_by_other_models_are_not_drawn():
    model = chain(2)
    before = graph(model)
    other = keras.Input((3,))
    keras.Model(other, model.get_layer("end")(model.layers[1](other)))

    assert graph(model) == before


def test_a_model_without_a_graph_is_refused():
    with pytest.raises(ValueError, match="plain has no graph"):
        graph(keras.Sequential([layers.Dense(1)], name="plain"))


def test_layers_tell_what_their_shape_does_not():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, (1, 3), strides=2, activation="relu")(x)
    y = layers.MaxPooling2D(2)(y)
    y = layers.Bidirectional(layers.LSTM(2))(layers.Reshape((-1, 4))(y))
    kinds = [layer.kind for (layer,) in graph(keras.Model(x, layers.Dense(3, "softmax")(y))).boxes]

    assert kinds == [
        "Input",
        "Conv2D 1×3 / 2 relu",
        "MaxPooling2D 2×2",
        "Reshape",
        "Bidirectional LSTM",
        "Dense softmax",
    ]


@pytest.mark.parametrize(
    ("dims", "text"), [((None, 3), "(n, 3)"), ((None, None, 128), "(n, ·, 128)"), ((None,), "(n,)")], ids=str
)
def test_shapes_are_written_as_in_the_drawings(dims, text):
    assert shape(dims) == text


def test_operations_that_follow_one_another_share_a_box_and_few_layers_do_not(shared):
    folded = fold(shared)
    stacks = [[layer.kind for layer in box] for box in folded.boxes if len(box) > 1]

    assert stacks == [["subtract", "absolute"]]
    assert fold(graph(chain(5))) == graph(chain(5))


@pytest.mark.parametrize("most", [0, 100])
def test_folding_loses_no_layer_and_only_the_arrows_within_a_box(most):
    whole = graph(deep(4))
    folded = fold(whole, most)
    within = sum(len(box) - 1 for box in folded.boxes)

    assert sorted(map(repr, sum(folded.boxes, ()))) == sorted(map(repr, sum(whole.boxes, ())))
    assert len(folded.arrows) == len(whole.arrows) - within
    assert (within > 0) == (most == 0)


def test_shared_layers_inputs_and_outputs_stand_alone_however_much_is_folded(shared):
    for box in fold(shared, 0).boxes:
        assert len(box) == 1 or all(layer.plain for layer in box)


def test_inputs_are_on_top_and_outputs_at_the_bottom(shared):
    row = rows(shared)

    assert [row[named(shared, name)] for name in ("left", "right")] == [0, 0]
    assert {row[named(shared, name)] for name in ("near", "far")} == {max(row)}


@st.composite
def graphs(draw_):
    """Boxes and arrows at random, some of them upwards or from a box to itself, and sizes."""
    count = draw_(st.integers(1, 9))
    place = st.integers(0, count - 1)
    arrows = draw_(st.lists(st.builds(Arrow, place, place, st.integers(1, 2), st.integers(1, 2)), max_size=14))
    size = st.tuples(st.floats(0.3, 4), st.floats(0.2, 2))
    return Graph(((PLAIN,),) * count, tuple(arrows)), draw_(st.lists(size, min_size=count, max_size=count))


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_boxes_never_overlap_and_arrows_begin_and_end_at_the_edges_of_theirs(drawn):
    whole, sizes = drawn
    layout = arrange(whole, sizes)

    for one, other in combinations(range(len(sizes)), 2):
        apart = np.abs(np.subtract(layout.middles[one], layout.middles[other]))
        assert (apart >= np.add(sizes[one], sizes[other]) / 2 + GAP - 1e-6).any()
    for arrow, line in zip(whole.arrows, layout.lines, strict=True):
        for place, end in ((arrow.source, line[0]), (arrow.target, line[-1])):
            share = np.abs(np.subtract(end, layout.middles[place])) / np.divide(sizes[place], 2)
            assert share.max() == pytest.approx(1)


@given(graphs())
@settings(max_examples=20, deadline=None)
def test_equal_graphs_are_laid_out_alike(drawn):
    assert arrange(*drawn) == arrange(*drawn)


@pytest.mark.parametrize("model", [chain(3), twins(), deep(30)], ids=lambda model: model.name)
def test_the_picture_is_large_enough_to_show_something_and_small_enough_to_send(tmp_path, model):
    draw(model, tmp_path / "graph.png")
    pixels = imread(tmp_path / "graph.png")

    assert max(pixels.shape) <= LARGEST
    assert len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)) > 8
    assert (tmp_path / "graph.png").stat().st_size < 400_000
