"""Both siamese readers: one LSTM for both sides, what masks leave out, and why version 1 cannot compare."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.siamese_vectors import COMPARED, CONCATENATED, WIDTH  # noqa: E402

VERSIONS = {1: CONCATENATED, 2: COMPARED}
SIDES = ("left", "right")


def pair(rows=4, left=5, right=3, seed=0):
    rng = np.random.default_rng(seed)
    lengths = {"left": left, "right": right}
    return {name: rng.normal(0, 1, (rows, length, WIDTH)).astype(np.float32) for name, length in lengths.items()}


def padded(tensors, **extra):
    return {name: np.pad(rows, ((0, 0), (0, extra.get(name, 0)), (0, 0))) for name, rows in tensors.items()}


def answers(model, tensors):
    return np.asarray(model(tensors, training=False)["similar"])


def log_odds(model, tensors):
    found = answers(model, tensors).astype(float)
    return np.log(found / (1 - found))


@pytest.fixture(scope="module", params=VERSIONS, ids=["version-1", "version-2"])
def masked(request):
    """An architecture and a model of it; nothing here changes its weights."""
    keras.utils.set_random_seed(3)
    return VERSIONS[request.param], VERSIONS[request.param].build()


@pytest.fixture(scope="module")
def unmasked(masked):
    architecture, model = masked
    other = architecture.unmasked()
    other.set_weights(model.get_weights())
    return other


def test_both_sides_share_one_lstm(masked):
    reads = [layer for layer in masked[1].layers if isinstance(layer, keras.layers.LSTM)]

    assert [layer.units for layer in reads] == [32]
    assert len(reads[0]._inbound_nodes) == 2


@given(rows=st.integers(1, 5), left=st.integers(1, 14), right=st.integers(1, 14), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_series_of_any_lengths_get_one_probability_each(masked, rows, left, right, seed):
    found = answers(masked[1], pair(rows, left, right, seed))

    assert found.shape == (rows, 1)
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("lengths", [(1, 1), (2, 9), (12, 3)], ids=str)
def test_the_unmasked_build_takes_the_same_weights_and_agrees_where_nothing_is_padding(masked, unmasked, lengths):
    rows = pair(left=lengths[0], right=lengths[1])

    assert np.allclose(answers(masked[1], rows), answers(unmasked, rows), atol=1e-6)


@pytest.mark.parametrize("extra", [{"left": 1}, {"right": 9}, {"left": 7, "right": 2}], ids=str)
def test_padding_changes_no_answer_of_the_masked_model(masked, extra):
    rows = pair()

    assert np.allclose(answers(masked[1], rows), answers(masked[1], padded(rows, **extra)), atol=1e-6)


@pytest.mark.parametrize("extra", [{"left": 3}, {"right": 9}], ids=str)
def test_padding_is_a_step_like_others_to_the_unmasked_build(unmasked, extra):
    """So the test above can fail: it is the mask that leaves padding out, and nothing else."""
    rows = pair()

    assert not np.allclose(answers(unmasked, rows), answers(unmasked, padded(rows, **extra)), atol=1e-5)


def interaction(model):
    """How far the effect of another left side depends on the right side, in log odds; 0 where the two just add up."""
    one, other = pair(left=4, right=4, seed=1), pair(left=4, right=4, seed=2)
    odds = {
        (a, b): log_odds(model, {"left": left["left"], "right": right["right"]})
        for a, left in enumerate((one, other))
        for b, right in enumerate((one, other))
    }
    return np.abs(odds[0, 0] - odds[0, 1] - odds[1, 0] + odds[1, 1]).max()


def test_version_1_adds_up_what_it_finds_on_either_side_and_version_2_compares():
    keras.utils.set_random_seed(3)

    assert interaction(CONCATENATED.build()) < 1e-5
    assert interaction(COMPARED.build()) > 1e-3


def test_one_step_moves_the_weights_of_every_layer(masked):
    keras.utils.set_random_seed(4)
    model = masked[0].compiled()
    model.run_eagerly = True  # One short step is sooner done than traced.
    layers = [layer for layer in model.layers if layer.weights]
    before = [layer.get_weights() for layer in layers]
    model.train_on_batch(padded(pair(), left=1), {"similar": np.array([[0.0], [1.0], [0.0], [1.0]])})

    assert [layer.name for layer in layers] == ["read", "similar"]
    for layer, old in zip(layers, before, strict=True):
        assert not any(np.array_equal(a, b) for a, b in zip(old, layer.get_weights(), strict=True)), layer.name


@pytest.mark.parametrize("side", SIDES)
def test_either_side_alone_reaches_the_lstm(masked, side):
    """A step on rows whose other side is all padding still moves what reads vectors."""
    keras.utils.set_random_seed(4)
    model = masked[0].compiled()
    model.run_eagerly = True
    before = model.get_layer("read").get_weights()[0]
    rows = {name: tensor if name == side else np.zeros_like(tensor) for name, tensor in pair().items()}
    model.train_on_batch(rows, {"similar": np.ones((4, 1))})

    assert not np.array_equal(before, model.get_layer("read").get_weights()[0])


def test_the_twin_is_made_of_fused_operators_and_answers_alike(masked, unmasked, tmp_path):
    import onnx
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    function = tf.function(lambda *tensors: unmasked(dict(zip(SIDES, tensors, strict=True)), training=False))
    specs = [tf.TensorSpec((None, None, WIDTH), tf.float32, name=name) for name in SIDES]
    path = tmp_path / "model.onnx"
    tf2onnx.convert.from_function(function, input_signature=specs, opset=18, output_path=str(path))

    operators = [node.op_type for node in onnx.load(path).graph.node]
    assert not {"Loop", "Scan", "If"} & set(operators)
    assert operators.count("LSTM") == 2
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for left, right in [(1, 2), (12, 6)]:
        rows = pair(left=left, right=right)
        assert np.allclose(session.run(["similar"], rows)[0], answers(masked[1], rows), atol=1e-5)
