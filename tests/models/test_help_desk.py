"""Both architectures of the help desk: their size, what masks leave out, what training reaches, who meets whom."""

import numpy as np
import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.help_desk import COMPARED, TWO_ENCODERS  # noqa: E402

VERSIONS = {1: TWO_ENCODERS, 2: COMPARED}
WORDS, RESOLUTIONS = 60, 5
SIZES = {"words": WORDS, "resolution": RESOLUTIONS}

every_version = pytest.mark.parametrize("architecture", VERSIONS.values(), ids=["version-1", "version-2"])


def asked(rows=5, question=5, article=9, seed=0):
    """Random ids of words, none of them padding."""
    rng = np.random.default_rng(seed)
    lengths = {"question": question, "article": article}
    return {name: rng.integers(1, WORDS, (rows, length), dtype=np.int32) for name, length in lengths.items()}


def padded(tensors, **extra):
    return {name: np.pad(ids, ((0, 0), (0, extra.get(name, 0)))) for name, ids in tensors.items()}


def answers(model, tensors):
    return np.asarray(model(tensors, training=False)["resolution"])


@pytest.fixture(scope="module", params=VERSIONS, ids=["version-1", "version-2"])
def masked(request):
    """An architecture and a small masked model of it, its words far apart; nothing here changes its weights."""
    keras.utils.set_random_seed(3)
    model = VERSIONS[request.param].build(**SIZES)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Embedding):
            layer.set_weights([np.random.default_rng(3).normal(size=layer.get_weights()[0].shape)])
    return VERSIONS[request.param], model


def test_answers_are_one_probability_per_resolution_and_depend_on_both_sides(masked):
    rows = asked()
    probabilities = answers(masked[1], rows)

    assert probabilities.shape == (5, RESOLUTIONS)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    for side in rows:
        other = {**rows, side: asked(seed=1)[side]}
        assert (np.abs(answers(masked[1], other) - probabilities).max(axis=1) > 1e-4).all()


@pytest.mark.parametrize(("question", "article"), [(2, 1), (3, 9)])
def test_the_unmasked_build_takes_the_same_weights_and_agrees_where_nothing_is_padding(masked, question, article):
    architecture, model = masked
    unmasked = architecture.build(masked=False, **SIZES)
    unmasked.set_weights(model.get_weights())
    rows = asked(question=question, article=article)

    assert np.allclose(answers(model, rows), answers(unmasked, rows), atol=1e-6)


@pytest.mark.parametrize("extra", [{"question": 1}, {"article": 9}, {"question": 7, "article": 7}], ids=str)
def test_padding_changes_no_answer_of_the_masked_model(masked, extra):
    rows = asked()

    assert np.allclose(answers(masked[1], rows), answers(masked[1], padded(rows, **extra)), atol=1e-6)


@pytest.mark.parametrize("extra", [{"question": 4}, {"article": 9}], ids=str)
def test_padding_is_a_word_like_others_to_the_unmasked_build(masked, extra):
    """So the test above can fail: it is the mask that leaves padding out, and nothing else."""
    architecture, model = masked
    unmasked = architecture.build(masked=False, **SIZES)
    unmasked.set_weights(model.get_weights())
    rows = asked()

    assert not np.allclose(answers(unmasked, rows), answers(unmasked, padded(rows, **extra)), atol=1e-5)


def test_a_side_without_a_word_still_gets_probabilities(masked):
    nothing = {name: np.zeros((1, 3), np.int32) for name in asked()}

    assert np.isfinite(answers(masked[1], nothing)).all()


@every_version
def test_one_step_moves_the_weights_of_every_layer(architecture):
    keras.utils.set_random_seed(4)
    model = architecture.compiled(**SIZES)
    model.run_eagerly = True  # One short step is sooner done than traced.
    layers = [layer for layer in model.layers if layer.weights]
    before = [layer.get_weights() for layer in layers]
    model.train_on_batch(padded(asked(question=3, article=4), question=1), {"resolution": np.arange(5) % RESOLUTIONS})

    assert len(layers) >= 4
    for layer, old in zip(layers, before, strict=True):
        kernels = [not np.array_equal(a, b) for a, b in zip(old, layer.get_weights(), strict=True) if a.ndim > 1]
        assert all(kernels), layer.name


def merged(model):
    """What the two sides are merged into, before anything but the last layers hears it."""
    return keras.Model(model.inputs, model.get_layer("merge").output)


def test_version_2_hears_both_sides_with_the_same_weights():
    model = COMPARED.build(**SIZES)
    kinds = [type(layer).__name__ for layer in model.layers]
    ids = asked(question=6)["question"]
    one, other, apart, _ = np.split(np.asarray(merged(model)({"question": ids, "article": ids})), 4, axis=1)

    assert kinds.count("Embedding") == kinds.count("Bidirectional") == 1
    assert np.array_equal(one, other)
    assert np.ptp(one) > 0
    assert not apart.any()


def test_version_2_compares_the_two_sides_by_difference_and_product():
    model = COMPARED.build(**SIZES)
    one, other, apart, product = np.split(np.asarray(merged(model)(asked())), 4, axis=1)

    assert not np.allclose(one, other)
    assert np.allclose(apart, np.abs(one - other), atol=1e-6)
    assert np.allclose(product, one * other, atol=1e-6)


def test_version_1_hears_each_side_without_the_other():
    """What version 2 is there for."""
    model = TWO_ENCODERS.build(**SIZES)
    heard = keras.Model(model.inputs, [layer.output for layer in model.layers if isinstance(layer, keras.layers.LSTM)])
    one = asked(seed=1)
    other = {**one, "question": asked(seed=2)["question"]}

    assert sorted(np.array_equal(a, b) for a, b in zip(heard(one), heard(other), strict=True)) == [False, True]
