"""Inception blocks: four branches as published that agree at any size, each heard and each taught."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402
from keras import layers  # noqa: E402

from models.inception import INCEPTION, block  # noqa: E402
from training.data.inception import SHAPES, TASK  # noqa: E402

FEW = {"side": 16, "filters": 8, "shape": 4}
BRANCHES = {
    "a": [("Conv2D", 1, 2)],
    "b": [("Conv2D", 1, 1), ("Conv2D", 3, 2)],
    "c": [("AveragePooling2D", 3, 2), ("Conv2D", 3, 1)],
    "d": [("Conv2D", 1, 1), ("Conv2D", 3, 1), ("Conv2D", 3, 2)],
}
"""What the course publishes of each branch: layer, size, strides."""


def pictures(rows=6, side=16, seed=0):
    return {"image": np.random.default_rng(seed).integers(0, 256, (rows, side, side, 3), dtype=np.uint8)}


def answers(model, tensors):
    return np.asarray(model(tensors, training=False)["shape"])


@pytest.fixture(scope="module")
def model():
    """A small model whose weights nothing here changes."""
    keras.utils.set_random_seed(3)
    return INCEPTION.build(**FEW)


@pytest.fixture(scope="module")
def published():
    return INCEPTION.build()


def branch(model, number, letter):
    """The layers of one branch of one block, in their order."""
    return [layer for layer in model.layers if layer.name.startswith(f"block_{number}_{letter}")]


def facts(layer):
    size = layer.kernel_size if isinstance(layer, layers.Conv2D) else layer.pool_size
    return type(layer).__name__, size[0], layer.strides[0]


def test_the_default_sizes_have_the_known_number_of_parameters(published):
    assert published.count_params() == 1_801_289


def test_the_default_sizes_are_those_of_the_task(published):
    assert published.input_shape == (None, *TASK.inputs["image"].dims)
    assert published.output_shape == (None, len(SHAPES))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("letter", BRANCHES)
def test_every_branch_is_as_published(published, number, letter):
    found = branch(published, number, letter)

    assert [facts(layer) for layer in found] == BRANCHES[letter]
    for layer in found:
        if isinstance(layer, layers.Conv2D):
            assert (layer.filters, layer.activation.__name__) == (128, "relu")


@pytest.mark.parametrize("number", [1, 2])
def test_each_block_joins_four_branches_to_512_channels_of_half_the_size(published, number):
    joined = published.get_layer(f"block_{number}")

    assert [tuple(tensor.shape[1:]) for tensor in joined.input] == [(8 // 2**number,) * 2 + (128,)] * 4
    assert tuple(joined.output.shape[1:]) == (8 // 2**number,) * 2 + (512,)


@given(st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None, max_examples=25)
def test_all_branches_leave_half_of_any_size_rounded_up(height, width):
    made = block(keras.Input((height, width, 3)), filters=2)

    assert made.shape == (None, -(-height // 2), -(-width // 2), 8)


def test_answers_are_one_probability_per_shape(model):
    probabilities = answers(model, pictures())

    assert probabilities.shape == (6, 4)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("letter", BRANCHES)
def test_the_answer_hears_every_branch(model, number, letter):
    changed = INCEPTION.build(**FEW)
    changed.set_weights(model.get_weights())
    last = branch(changed, number, letter)[-1]
    last.set_weights([np.zeros_like(weight) for weight in last.get_weights()])

    assert not np.allclose(answers(changed, pictures()), answers(model, pictures()), atol=1e-6)


def test_one_step_moves_every_weight():
    keras.utils.set_random_seed(4)
    model = INCEPTION.compiled(**FEW)
    model.run_eagerly = True  # One step is sooner done than traced.
    before = [weight.numpy() for weight in model.trainable_variables]
    model.train_on_batch(pictures(), {"shape": np.arange(6) % 4})

    assert len(before) == 2 * (2 + 2 * 7 + 4 + 1)  # stem, branches, normalisations, head
    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert not np.array_equal(weight.numpy(), old), weight.path
