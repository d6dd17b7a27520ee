"""The models that calculate: an adder that learns to, and matrices that need not. What is computed, stored, refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.adder import ADDER  # noqa: E402
from models.matrix_product import PRODUCT  # noqa: E402
from models.matrix_sum import SUM  # noqa: E402

matrices = arrays(np.float32, (2, 2), elements=st.floats(-100, 100, width=32))


@pytest.fixture(scope="module")
def adder():
    keras.utils.set_random_seed(1)
    return ADDER.compiled()


@pytest.fixture(scope="module")
def matrix_sum():
    return SUM.build()


@pytest.fixture
def product(stored):
    """A model whose b is the identity."""
    stored.set_weights([np.eye(2)])
    return stored


@pytest.fixture(scope="module")
def stored():
    return PRODUCT.build()


def test_the_adder_has_the_published_layers(adder):
    dense = [layer for layer in adder.layers if isinstance(layer, keras.layers.Dense)]

    assert [(layer.units, layer.activation.__name__) for layer in dense] == [(32, "relu"), (32, "relu"), (1, "linear")]


def test_before_it_learns_the_adder_answers_about_the_mean_sum(adder):
    numbers = np.random.default_rng(0).random((50, 64), dtype=np.float32)
    targets = {"sum": numbers.sum(axis=1, keepdims=True)}
    ADDER.adapt(adder, {"numbers": list(numbers)}, targets)

    assert adder.get_layer("sum").bias.numpy() == pytest.approx(targets["sum"].mean(), rel=1e-5)


def test_one_step_moves_every_weight_of_the_adder(adder):
    adder.run_eagerly = True  # One step is sooner done than traced.
    before = adder.get_weights()
    adder.train_on_batch({"numbers": np.eye(5, 64) + 0.5}, {"sum": np.full((5, 1), 33.0)})

    assert all((old != new).any() for old, new in zip(before, adder.get_weights(), strict=True))


@given(matrices, matrices)
@settings(max_examples=30, deadline=None)
def test_a_sum_of_matrices_is_their_sum(matrix_sum, x, y):
    added = matrix_sum({"x": x[None], "y": y[None]})["sum"][0]

    assert np.allclose(added, x + y, rtol=0, atol=np.finfo(np.float32).tiny)  # TensorFlow makes subnormal sums 0.


@given(a=matrices, b=matrices)
@settings(max_examples=30, deadline=None)
def test_a_product_is_a_times_b_in_this_order(stored, a, b):
    stored.set_weights([b])

    assert np.allclose(stored({"a": a[None]})["product"][0], a.astype(float) @ b, atol=0.01)


def test_training_leaves_b_alone(product):
    assert product.trainable_weights == []


@given(b=matrices, seed=st.integers(0, 2**32 - 1), rows=st.integers(2, 50))
@settings(max_examples=30, deadline=None)
def test_any_b_is_solved_for_from_rows_that_were_made_with_it(stored, b, seed, rows):
    a = np.random.default_rng(seed).uniform(-10, 10, (rows, 2, 2)).astype(np.float32)
    a[0] = [[10, 0], [0, 10]]
    PRODUCT.adapt(stored, {"a": list(a)}, {"product": a @ b})

    assert np.allclose(stored.get_weights()[0], b, atol=1e-3)


def test_b_is_the_best_there_is_where_rows_disagree(product):
    a = np.array([np.eye(2), np.eye(2)], np.float32)
    PRODUCT.adapt(product, {"a": list(a)}, {"product": np.array([[[1, 2], [3, 4]], [[3, 4], [5, 6]]], np.float32)})

    assert np.allclose(product.get_weights()[0], [[2, 3], [4, 5]], atol=1e-6)


def test_rows_that_leave_b_open_are_refused(product):
    a = np.array([[[1, 2], [2, 4]], [[0, 0], [-1, -2]]], np.float32)

    with pytest.raises(ValueError, match="do not determine b"):
        PRODUCT.adapt(product, {"a": list(a)}, {"product": a})
