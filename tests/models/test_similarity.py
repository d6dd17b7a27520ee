"""The siamese network: its size, that sides can be swapped, what masks leave out, and what its twin is made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.similarity import SIAMESE, WIDTH  # noqa: E402

WORDS = 60
HEARD = ("words", "order", "hidden", "similarity")
"""Every layer with weights."""


def pair(rows=4, left=7, right=5, seed=0):
    """Random ids of words, none of them padding."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.integers(1, WORDS, (rows, length), dtype=np.int32)
        for name, length in (("left", left), ("right", right))
    }


def swapped(tensors):
    return {"left": tensors["right"], "right": tensors["left"]}


def padded(tensors, **extra):
    return {name: np.pad(ids, ((0, 0), (0, extra.get(name, 0)))) for name, ids in tensors.items()}


def answers(model, tensors):
    return np.asarray(model(tensors, training=False)["similarity"])


@pytest.fixture(scope="module")
def masked():
    """A small model whose weights nothing here changes; wide words, so that answers differ well beyond rounding."""
    keras.utils.set_random_seed(3)
    model = SIAMESE.build(words=WORDS)
    words = model.get_layer("words")
    words.set_weights([np.random.default_rng(3).normal(size=(WORDS, WIDTH)).astype(np.float32)])
    return model


@pytest.fixture(scope="module")
def unmasked(masked):
    model = SIAMESE.build(words=WORDS, masked=False)
    model.set_weights(masked.get_weights())
    return model


def test_both_sides_share_one_embedding_and_one_lstm(masked):
    kinds = [type(layer).__name__ for layer in masked.layers]

    assert kinds.count("Embedding") == kinds.count("LSTM") == 1


def test_a_similarity_is_one_number_from_0_to_1_and_depends_on_the_words(masked):
    numbers = answers(masked, pair(rows=50))

    assert numbers.shape == (50, 1)
    assert ((numbers >= 0) & (numbers <= 1)).all()
    assert numbers.std() > 1e-3


@given(rows=st.integers(1, 9), left=st.integers(1, 30), right=st.integers(1, 30), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_swapping_the_sides_changes_not_one_bit(masked, rows, left, right, seed):
    rng = np.random.default_rng(seed)
    # Ids from 0 on: padding anywhere is no exception.
    tensors = {
        "left": rng.integers(0, WORDS, (rows, left), dtype=np.int32),
        "right": rng.integers(0, WORDS, (rows, right), dtype=np.int32),
    }

    assert answers(masked, tensors).tobytes() == answers(masked, swapped(tensors)).tobytes()


@pytest.mark.parametrize("lengths", [(1, 1), (2, 9), (30, 5)], ids=str)
def test_the_unmasked_build_takes_the_same_weights_and_agrees_where_nothing_is_padding(masked, unmasked, lengths):
    rows = pair(left=lengths[0], right=lengths[1])

    assert np.allclose(answers(masked, rows), answers(unmasked, rows), atol=1e-6)


@pytest.mark.parametrize("extra", [{"left": 1}, {"right": 9}, {"left": 20, "right": 3}], ids=str)
def test_padding_changes_no_answer_of_the_masked_model_beyond_rounding(masked, extra):
    rows = pair()

    assert np.allclose(answers(masked, rows), answers(masked, padded(rows, **extra)), atol=1e-6)


@pytest.mark.parametrize("extra", [{"left": 3}, {"right": 9}], ids=str)
def test_padding_is_a_word_like_others_to_the_unmasked_build(unmasked, extra):
    """So the test above can fail: it is the mask that leaves padding out, and nothing else."""
    rows = pair()

    assert not np.allclose(answers(unmasked, rows), answers(unmasked, padded(rows, **extra)), atol=1e-5)


def test_a_side_without_a_word_still_gets_a_number_and_finite_gradients():
    keras.utils.set_random_seed(4)
    model = SIAMESE.compiled(words=WORDS)
    model.run_eagerly = True
    tensors = {"left": np.zeros((2, 3), np.int32), "right": pair(rows=2)["right"]}
    model.train_on_batch(tensors, {"similarity": np.array([[0.0], [1.0]])})

    assert all(np.isfinite(weights).all() for weights in model.get_weights())
    assert np.isfinite(answers(model, tensors)).all()


def test_one_step_moves_the_weights_of_every_layer():
    keras.utils.set_random_seed(4)
    model = SIAMESE.compiled(words=WORDS)
    model.run_eagerly = True  # One short step is sooner done than traced.
    before = {name: model.get_layer(name).get_weights() for name in HEARD}
    model.train_on_batch(padded(pair(), left=1), {"similarity": np.linspace(0, 1, 4)[:, None]})

    assert set(HEARD) == {layer.name for layer in model.layers if layer.weights}
    for name, old in before.items():
        new = model.get_layer(name).get_weights()
        assert all(not np.array_equal(a, b) for a, b in zip(old, new, strict=True) if a.ndim > 1), name


def test_a_step_moves_the_words_of_both_sides():
    """Both branches learn: each word of either side, and no other."""
    keras.utils.set_random_seed(4)
    model = SIAMESE.compiled(words=WORDS)
    model.run_eagerly = True
    before = model.get_layer("words").get_weights()[0]
    tensors = {"left": np.array([[2, 3]], np.int32), "right": np.array([[4, 5, 6]], np.int32)}
    model.train_on_batch(tensors, {"similarity": np.ones((1, 1))})
    moved = np.flatnonzero((model.get_layer("words").get_weights()[0] != before).any(axis=1))

    assert moved.tolist() == [2, 3, 4, 5, 6]


def test_the_twin_is_made_of_fused_operators_and_answers_alike(masked, tmp_path):
    import onnx
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    model = SIAMESE.build(words=WORDS, masked=False)
    model.set_weights(masked.get_weights())
    names = ("left", "right")
    function = tf.function(lambda *tensors: model(dict(zip(names, tensors, strict=True)), training=False))
    specs = [tf.TensorSpec((None, None), tf.int32, name=name) for name in names]
    path = tmp_path / "model.onnx"
    tf2onnx.convert.from_function(function, input_signature=specs, opset=18, output_path=str(path))

    operators = [node.op_type for node in onnx.load(path).graph.node]
    assert not {"Loop", "Scan", "If"} & set(operators)
    assert operators.count("LSTM") == 2
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for left, right in [(1, 2), (20, 6)]:
        rows = pair(left=left, right=right)
        assert np.allclose(session.run(["similarity"], rows)[0], answers(masked, rows), atol=1e-5)
