"""Both readers of digits: their size, that the first layer is a principal component analysis, what training moves."""

import numpy as np
import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.digits import CONVOLUTIONAL, PRINCIPAL_COMPONENTS  # noqa: E402

VERSIONS = {1: PRINCIPAL_COMPONENTS, 2: CONVOLUTIONAL}
DIGITS = np.arange(8) % 10

every_version = pytest.mark.parametrize("version", VERSIONS)


def images(rows=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (rows, 28, 28), dtype=np.uint8)


def adapted(rows):
    model = PRINCIPAL_COMPONENTS.build()
    PRINCIPAL_COMPONENTS.adapt(model, {"image": list(rows)}, {})
    return keras.Model(model.input, model.get_layer("pca").output)


def components(model, rows):
    return np.asarray(model({"image": rows}))


@pytest.mark.parametrize(("version", "trainable", "all_in_all"), [(1, 9_098, 56_198), (2, 29_066, 29_066)])
def test_the_default_sizes_have_the_known_number_of_parameters(version, trainable, all_in_all):
    """Version 1 learns the 7,808 and 1,290 that were published; its frozen layer has 784 × 60 + 60 more."""
    model = VERSIONS[version].build()

    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == trainable
    assert model.count_params() == all_in_all


@every_version
def test_an_answer_is_one_probability_per_digit(version):
    answers = np.asarray(VERSIONS[version].build()({"image": images()}, training=False)["digit"])

    assert answers.shape == (8, 10)
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("rows", [10, 59, 300])
def test_the_first_layer_says_what_principal_component_analysis_says(rows):
    """Components come in either direction, so magnitudes are compared."""
    from sklearn.decomposition import PCA

    train, other = images(rows), images(5, seed=1)
    count = min(60, rows)
    pca = PCA(count, svd_solver="full").fit(train.reshape(rows, -1) / 255)
    kept = pca.explained_variance_ > 1e-6  # The last of as many components as rows is noise of rounding.
    found = components(adapted(train), other)

    assert np.allclose(
        np.abs(found[:, :count][:, kept]), np.abs(pca.transform(other.reshape(5, -1) / 255)[:, kept]), atol=1e-3
    )
    assert not found[:, count:].any()


def test_the_components_are_centred_and_uncorrelated_over_the_training_rows():
    train = images(200)
    found = components(adapted(train), train).astype(float)
    spread = np.cov(found.T)

    assert np.allclose(found.mean(axis=0), 0, atol=1e-4)
    assert np.allclose(spread, np.diag(np.diag(spread)), atol=1e-4)
    assert (np.diff(np.diag(spread)) < 1e-6).all()


def test_equal_rows_teach_no_component_and_break_nothing():
    found = components(adapted(np.repeat(images(1), 12, axis=0)), images(3))

    assert np.isfinite(found).all()


@every_version
def test_one_step_moves_every_weight_but_the_frozen_layer(version):
    keras.utils.set_random_seed(4)
    model = VERSIONS[version].compiled()
    model.run_eagerly = True  # One step is sooner done than traced.
    layers = [layer for layer in model.layers if layer.weights]
    before = {layer.name: layer.get_weights()[0] for layer in layers}
    model.train_on_batch({"image": images()}, {"digit": DIGITS})

    same = {name for name, old in before.items() if np.array_equal(old, model.get_layer(name).get_weights()[0])}
    assert same == ({"pca"} if version == 1 else set())
    assert len(layers) == 3 + (version == 2)


@every_version
def test_pixels_enter_as_shares_of_white(version):
    """So the scale of the published model's inputs is the model's own matter."""
    model = VERSIONS[version].build()
    scaled = next(layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    seen = np.asarray(keras.Model(model.input, scaled.output)({"image": images()}))

    assert np.allclose(seen, images() / 255)
