"""The models that are built in both of Keras' ways: one layout of weights, and equal outputs for equal weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models import classifier, majority  # noqa: E402
from training.data.classifier import LABELS  # noqa: E402

PAIRS = {"majority": majority, "classifier": classifier}
INPUTS = {"majority": "votes", "classifier": "signal"}
OUTPUTS = {"majority": "majority", "classifier": "tone"}
PARAMETERS = {"majority": 10, "classifier": 3_466}
LAYOUTS = {"majority": [(9, 1), (1,)], "classifier": [(64, 32), (32,), (32, 32), (32,), (32, 10), (10,)]}

each = pytest.mark.parametrize("name", PAIRS)


@pytest.fixture(scope="module")
def built():
    """Version 1 and version 2 by name."""
    return {name: (pair.SEQUENTIAL.build(), pair.FUNCTIONAL.build()) for name, pair in PAIRS.items()}


def answers(model, rows):
    return np.asarray(model({INPUTS[model.name]: rows}, training=False)[OUTPUTS[model.name]])


@each
def test_the_two_builds_have_the_known_layout_of_weights(built, name):
    for model in built[name]:
        assert [weights.shape for weights in model.get_weights()] == LAYOUTS[name]
        assert model.count_params() == PARAMETERS[name]


@each
def test_only_the_first_build_holds_a_sequential(built, name):
    held = [any(isinstance(layer, keras.Sequential) for layer in model.layers) for model in built[name]]

    assert held == [True, False]


@each
def test_both_builds_name_their_one_input_and_output(built, name):
    for model in built[name]:
        assert [tensor.name for tensor in model.inputs] == [INPUTS[name]]
        assert model.output_names == [OUTPUTS[name]]


@given(st.sampled_from(sorted(PAIRS)), st.integers(0, 2**32 - 1), st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_equal_weights_give_equal_outputs(built, name, seed, rows):
    one, other = built[name]
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 0.5, shape).astype(np.float32) for shape in LAYOUTS[name]]
    one.set_weights(weights)
    other.set_weights(weights)
    tensor = rng.normal(size=(rows, LAYOUTS[name][0][0])).astype(np.float32)
    found = answers(one, tensor)

    assert np.array_equal(found, answers(other, tensor))
    assert rows == 1 or np.ptp(found, axis=0).max() > 0


@each
def test_one_step_moves_every_weight_matrix_of_both_builds_alike(built, name):
    pair = PAIRS[name]
    rng = np.random.default_rng(2)
    weights = [rng.normal(0, 0.5, shape).astype(np.float32) for shape in LAYOUTS[name]]
    rows = rng.random((4, LAYOUTS[name][0][0]), dtype=np.float32)
    target = {"majority": np.array([[0.0], [1.0], [0.0], [1.0]]), "classifier": np.arange(4)}[name]
    moved = []
    for architecture in (pair.SEQUENTIAL, pair.FUNCTIONAL):
        model = architecture.compiled()
        model.run_eagerly = True  # One step is sooner done than traced.
        model.set_weights(weights)
        model.train_on_batch({INPUTS[name]: rows}, {OUTPUTS[name]: target})
        moved.append(model.get_weights())

    for before, one, other in zip(weights, *moved, strict=True):
        assert np.abs(one - before).max() > 1e-4
        assert np.allclose(one, other, atol=1e-6)


def test_a_majority_of_votes_is_what_equal_weights_count(built):
    """The solution that training comes near to: equal weights, and a bias that needs five of them."""
    model = built["majority"][1]
    model.set_weights([np.full((9, 1), 4, np.float32), np.full(1, -18, np.float32)])
    votes = (np.arange(2**9)[:, None] >> np.arange(9) & 1).astype(np.float32)

    assert np.array_equal(answers(model, votes)[:, 0] >= 0.5, votes.sum(axis=1) >= 5)


def test_the_classifier_has_a_probability_for_each_tone(built):
    found = answers(built["classifier"][1], np.ones((3, 64), np.float32))

    assert found.shape == (3, len(LABELS))
    assert np.allclose(found.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("version", [classifier.SEQUENTIAL, classifier.FUNCTIONAL], ids=["sequential", "functional"])
def test_a_classifier_of_three_tones_has_three_outputs(version):
    assert version.build(tone=3).output_shape == (None, 3)
