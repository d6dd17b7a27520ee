"""The convolutional reader with three heads: its size, the shortest posts it can read, and that every head learns."""

import numpy as np
import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.profile import MULTI_OUTPUT  # noqa: E402
from training.data.profile import TASK  # noqa: E402

WORDS, INCOMES, SHORTEST = 60, 4, 269
SIZES = {"words": WORDS, "income": INCOMES}
TARGETS = {"age": np.array([[20.0], [70.0]]), "income": np.array([0, 3]), "gender": np.array([[0.0], [1.0]])}


def posts(rows=2, length=SHORTEST, seed=0):
    rng = np.random.default_rng(seed)
    return {"posts": rng.integers(0, WORDS, (rows, length), dtype=np.int32)}


def answers(model, tensors):
    return {name: np.asarray(value) for name, value in model(tensors, training=False).items()}


def stepped():
    """A small model, its weights by layer, and those after one training step."""
    keras.utils.set_random_seed(4)
    model = MULTI_OUTPUT.compiled(**SIZES)
    model.run_eagerly = True  # One step is sooner done than traced.
    layers = [layer for layer in model.layers if layer.weights]
    before = {layer.name: layer.get_weights()[0] for layer in layers}
    model.train_on_batch(posts(), TARGETS)
    return before, {layer.name: layer.get_weights()[0] for layer in layers}


@pytest.fixture(scope="module")
def model():
    """A small model whose weights nothing here changes."""
    keras.utils.set_random_seed(3)
    return MULTI_OUTPUT.build(**SIZES)


def test_every_convolution_is_as_published(model):
    found = [(layer.filters, layer.kernel_size) for layer in model.layers if isinstance(layer, keras.layers.Conv1D)]

    assert found == [(filters, (5,)) for filters in (128, 256, 256, 256, 256)]


def test_each_head_has_the_loss_and_weight_it_was_published_with():
    heads = MULTI_OUTPUT.heads

    assert {name: (head.loss, head.weight, head.metric) for name, head in heads.items()} == {
        "age": ("mse", 0.25, "mae"),
        "income": ("sparse_categorical_crossentropy", 1.0, "accuracy"),
        "gender": ("binary_crossentropy", 10.0, "accuracy"),
    }


def test_there_is_an_age_a_distribution_of_incomes_and_a_probability_of_gender(model):
    found = answers(model, posts(rows=5))

    assert {name: value.shape for name, value in found.items()} == {
        "age": (5, 1),
        "income": (5, INCOMES),
        "gender": (5, 1),
    }
    assert np.allclose(found["income"].sum(axis=1), 1, atol=1e-6)
    assert ((found["gender"] >= 0) & (found["gender"] <= 1)).all()


def test_the_task_gives_the_model_posts_that_are_long_enough_and_its_own_heads():
    assert TASK.inputs["posts"].length >= SHORTEST
    assert TASK.inputs["posts"].words == MULTI_OUTPUT.build().get_layer("words").input_dim
    assert set(TASK.outputs) == set(MULTI_OUTPUT.heads)


def steps_left(model, words):
    """How many steps the last convolution leaves of so many words, by each layer's own arithmetic."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv1D):
            words -= layer.kernel_size[0] - 1
        if isinstance(layer, keras.layers.MaxPooling1D):
            words //= layer.pool_size[0]
    return words


def test_269_words_are_the_fewest_that_leave_a_step_to_take_the_maximum_of(model):
    """A shorter row may be answered with whatever lay in memory, not with an error: never ask for one."""
    last = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv1D)][-1]
    left = keras.Model(model.input, last.output)(posts())

    assert steps_left(model, SHORTEST) == left.shape[1] == 1
    assert steps_left(model, SHORTEST - 1) == 0


def test_masks_change_nothing_here(model):
    unmasked = MULTI_OUTPUT.build(masked=False, **SIZES)
    unmasked.set_weights(model.get_weights())
    rows = posts()
    rows["posts"][:, -50:] = 0

    for name, value in answers(model, rows).items():
        assert np.array_equal(value, answers(unmasked, rows)[name])


def test_one_step_moves_the_weights_of_every_head_and_of_every_layer_below():
    before, after = stepped()

    assert {"age", "income", "gender", "words", "hidden"} < set(before)
    assert len(before) == 10
    for name, old in before.items():
        assert not np.array_equal(old, after[name]), name


@pytest.mark.parametrize("head", sorted(TARGETS))
def test_each_head_alone_reaches_down_to_the_words(model, head):
    import tensorflow as tf

    words = model.get_layer("words").trainable_weights[0].value
    with tf.GradientTape() as tape:
        tape.watch(words)
        number = tf.reduce_sum(model(posts())[head][:, 0])
    slope = tf.convert_to_tensor(tape.gradient(number, words))

    assert np.abs(np.asarray(slope)).max() > 0
