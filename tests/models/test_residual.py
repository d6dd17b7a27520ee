"""Residual blocks of both kinds: shapes, what their skips carry, and the rival without them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402
from keras import layers, ops  # noqa: E402

from models.residual import PLAIN, RESIDUAL, down, same  # noqa: E402
from training.data.residual import SHAPES, TASK  # noqa: E402
from training.encode import learn  # noqa: E402
from training.studies.residual import gradient  # noqa: E402

FEW = {"side": 16, "width": 8, "depth": 1, "shape": 4}


def pictures(rows=6, side=16, seed=0):
    return {"image": np.random.default_rng(seed).integers(0, 256, (rows, side, side, 3), dtype=np.uint8)}


def answers(model, tensors):
    return np.asarray(model(tensors, training=False)["shape"])


def alone(kind, side=6, width=4, skips=True):
    """A block as a model."""
    x = keras.Input((side, side, width))
    return keras.Model(x, kind(x, width, "block", skips))


def silenced(model):
    """The model, its 3×3 convolutions set to zero: only what skips carry is left."""
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D) and layer.kernel_size == (3, 3):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    return model


def features(side=6, width=4, seed=0):
    return np.random.default_rng(seed).normal(size=(2, side, side, width)).astype(np.float32)


@pytest.mark.parametrize(
    ("architecture", "parameters"), [(RESIDUAL, 227_750), (PLAIN, 224_582)], ids=["skips", "plain"]
)
def test_the_default_sizes_have_the_known_number_of_parameters(architecture, parameters):
    assert architecture.build().count_params() == parameters


def test_the_published_width_is_a_build_away():
    found = {layer.filters for layer in RESIDUAL.build(width=128).layers if isinstance(layer, layers.Conv2D)}

    assert found == {128}


def test_the_default_sizes_are_those_of_the_task():
    model = RESIDUAL.build()

    assert model.input_shape == (None, *TASK.inputs["image"].dims)
    assert model.output_shape == (None, len(SHAPES))


@pytest.mark.parametrize("architecture", [RESIDUAL, PLAIN], ids=["skips", "plain"])
def test_25_convolutions_stand_one_behind_the_other(architecture):
    convolutions = [layer for layer in architecture.build().layers if isinstance(layer, layers.Conv2D)]

    assert len([layer for layer in convolutions if layer.kernel_size != (1, 1)]) == 25
    assert {layer.activation.__name__ for layer in convolutions if layer.kernel_size != (1, 1)} == {"relu"}


def test_shortcuts_are_linear_strided_convolutions_of_1_by_1():
    shortcuts = [layer for layer in RESIDUAL.build().layers if layer.name.endswith("shortcut")]

    assert len(shortcuts) == 3
    for layer in shortcuts:
        assert (layer.kernel_size, layer.strides, layer.activation.__name__) == ((1, 1), (2, 2), "linear")


def test_the_rival_has_the_same_layers_but_no_sum_and_no_shortcut():
    kept = [layer.name for layer in RESIDUAL.build().layers if not isinstance(layer, layers.Add)]
    rival = [layer.name for layer in PLAIN.build().layers]

    assert [name for name in kept if not name.endswith("shortcut")] == rival


@given(st.integers(1, 30), st.integers(1, 30), st.booleans())
@settings(deadline=None, max_examples=20)
def test_one_kind_of_block_keeps_any_size_and_the_other_halves_it_rounded_up(height, width, skips):
    x = keras.Input((height, width, 2))

    assert same(x, 2, "same", skips).shape == (None, height, width, 2)
    assert down(x, 3, "down", skips).shape == (None, -(-height // 2), -(-width // 2), 3)


def test_a_silent_block_of_the_same_size_passes_its_input_on():
    x = features()

    assert np.array_equal(np.asarray(silenced(alone(same))(x)), x)


def test_a_silent_block_that_halves_passes_every_other_pixel_on_through_its_shortcut():
    model = silenced(alone(down))
    kernel, bias = model.get_layer("block_shortcut").get_weights()
    x = features()

    # Of 6 × 6 pixels a 1×1 window with "same" padding and strides 2 sees those at 0, 2, 4.
    assert np.allclose(np.asarray(model(x)), x[:, ::2, ::2] @ kernel[0, 0] + bias, atol=1e-5)


@pytest.mark.parametrize("kind", [same, down])
def test_a_silent_block_without_its_skip_passes_nothing_on(kind):
    assert not ops.any(silenced(alone(kind, skips=False))(features()))


def test_answers_are_one_probability_per_shape():
    probabilities = answers(RESIDUAL.build(**FEW), pictures())

    assert probabilities.shape == (6, 4)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_one_step_moves_every_weight():
    keras.utils.set_random_seed(4)
    model = RESIDUAL.compiled(**FEW)
    model.run_eagerly = True  # One step is sooner done than traced.
    before = [weight.numpy() for weight in model.trainable_variables]
    model.train_on_batch(pictures(), {"shape": np.arange(6) % 4})

    assert len(before) == 2 * (1 + 3 * (2 + 1 + 3) + 1)  # stem; halving, shortcut, same size; head
    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert not np.array_equal(weight.numpy(), old), weight.path


def test_skips_carry_the_gradient_to_the_first_layer():
    table = TASK.generate(120, 0).train
    encoder = learn(TASK, table)

    assert gradient(RESIDUAL, encoder, table, 1) > 100 * gradient(PLAIN, encoder, table, 1) > 0
