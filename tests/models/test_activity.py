"""Activity and energy: the network's size, what its heads hear and training reaches, where the energy begins."""

import numpy as np
import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.activity import AXES, MULTI_OUTPUT, STEPS, centre  # noqa: E402

LABELS = 4


def felt(rows=6, seed=0):
    """Noise about 1 g upwards."""
    readings = np.random.default_rng(seed).normal([0, 0, 1], size=(rows, STEPS, AXES))
    return {"acceleration": readings.astype(np.float32)}


def answers(model, tensors):
    return {name: np.asarray(values) for name, values in model(tensors, training=False).items()}


@pytest.fixture(scope="module")
def model():
    """Nothing here changes its weights."""
    keras.utils.set_random_seed(3)
    return MULTI_OUTPUT.build(activity=LABELS)


def test_a_window_gets_probabilities_of_activities_and_one_energy(model):
    found = answers(model, felt())

    assert found["activity"].shape == (6, LABELS)
    assert np.allclose(found["activity"].sum(axis=1), 1, atol=1e-6)
    assert found["energy"].shape == (6, 1)
    assert found["energy"].std() > 1e-3


def test_each_row_is_answered_for_itself(model):
    tensors = felt()
    one = {"acceleration": tensors["acceleration"][2:3]}

    for name, values in answers(model, one).items():
        assert np.allclose(values, answers(model, tensors)[name][2:3], atol=1e-5)


def test_the_axes_and_the_order_of_the_readings_matter(model):
    tensors = felt()["acceleration"]
    before = answers(model, {"acceleration": tensors})["energy"]
    for other in (tensors[:, :, ::-1], tensors[:, ::-1]):
        assert np.abs(answers(model, {"acceleration": other.copy()})["energy"] - before).max() > 1e-3


def test_one_step_moves_the_weights_of_every_layer_and_head():
    keras.utils.set_random_seed(4)
    trained = MULTI_OUTPUT.compiled(activity=LABELS)
    trained.run_eagerly = True  # One short step is sooner done than traced.
    layers = [layer for layer in trained.layers if layer.weights]
    before = [layer.get_weights() for layer in layers]
    trained.train_on_batch(felt(), {"activity": np.arange(6) % LABELS, "energy": np.full((6, 1), 9, np.float32)})

    assert len(layers) == 6
    for layer, old in zip(layers, before, strict=True):
        assert not any(np.array_equal(a, b) for a, b in zip(old, layer.get_weights(), strict=True)), layer.name


def test_the_energy_begins_at_the_mean_of_the_training_rows_and_grows_with_their_spread():
    keras.utils.set_random_seed(5)
    begun = MULTI_OUTPUT.build(activity=LABELS)
    kernel, _ = begun.get_layer("energy").get_weights()
    energies = np.array([[2.0], [4.0], [12.0]], np.float32)
    centre(begun, {}, {"energy": energies})
    scaled, bias = begun.get_layer("energy").get_weights()

    assert np.log1p(np.exp(bias)) == pytest.approx([6.0])  # softplus
    assert np.allclose(scaled, kernel * energies.std())


# Keras' own writer of weights uses a call that NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_saved_model_answers_as_before(model, tmp_path):
    model.save(tmp_path / "activity.keras")
    again = answers(keras.models.load_model(tmp_path / "activity.keras"), felt())

    for name, values in answers(model, felt()).items():
        assert np.allclose(again[name], values)
