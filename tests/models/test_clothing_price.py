"""The three branches of a price: their size, what each depends on, what training reaches, how the model begins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.clothing_price import ALONE, BRANCHES, JOINT  # noqa: E402

WORDS, BRANDS = 40, 6
SIZES = {"words": WORDS, "brand": BRANDS}
INPUTS = ("picture", "description", "brand", "age")


def offers(rows=6, words=7, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "picture": rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8),
        "description": rng.integers(1, WORDS, (rows, words), dtype=np.int32),
        "brand": rng.permutation(rows).astype(np.int32) % BRANDS,
        "age": rng.uniform(0, 10, rows).astype(np.float32),
    }


def only(tensors, branch):
    return {name: tensors[name] for name in BRANCHES[branch]}


def prices(model, tensors):
    return np.asarray(model(tensors, training=False)["price"])


def adapted(model, ages, told):
    targets = {"price": np.asarray(told, np.float32)[:, None]}
    JOINT.adapt(model, {"age": [np.float32(age) for age in ages]}, targets)
    return model


@pytest.fixture(scope="module")
def model():
    """A small model whose weights nothing here changes."""
    keras.utils.set_random_seed(3)
    return JOINT.build(**SIZES)


@pytest.fixture(scope="module")
def metadata():
    """The model of brand and age alone; every test that takes it adapts it anew."""
    return ALONE["metadata"].build(**SIZES)


def test_a_price_is_one_positive_number(model):
    found = prices(model, offers())

    assert found.shape == (6, 1)
    assert (found > 0).all()


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_alone_can_change_the_price(model, name):
    one = offers()
    other = {**one, name: offers(seed=1)[name]}

    assert (np.abs(prices(model, one) - prices(model, other)) > 1e-7).any()


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_alone_asks_for_its_own_inputs_and_no_others(branch):
    alone = ALONE[branch].build(**SIZES)

    assert set(alone.input) == set(BRANCHES[branch])
    assert prices(alone, only(offers(), branch)).shape == (6, 1)


def test_the_branches_share_out_the_inputs():
    assert sorted(name for names in BRANCHES.values() for name in names) == sorted(INPUTS)
    assert set(ALONE) == set(BRANCHES)


def test_the_branches_together_have_every_layer_that_they_have_alone(model):
    alone = {layer.name for each in ALONE.values() for layer in each.build(**SIZES).layers if layer.weights}
    named = {"seen", "told", "words", "brands", "scale", "known", "merged", "price"}

    assert named <= alone
    assert named <= {layer.name for layer in model.layers}


@pytest.mark.parametrize("extra", [1, 9])
def test_padding_changes_no_price_of_the_masked_model(model, extra):
    rows = offers()
    longer = {**rows, "description": np.pad(rows["description"], ((0, 0), (0, extra)))}
    unmasked = JOINT.build(masked=False, **SIZES)
    unmasked.set_weights(model.get_weights())

    assert np.allclose(prices(model, rows), prices(model, longer), atol=1e-6)
    assert np.allclose(prices(model, rows), prices(unmasked, rows), atol=1e-6)
    assert not np.allclose(prices(unmasked, rows), prices(unmasked, longer), atol=1e-6)


def test_one_step_moves_the_weights_of_every_branch_and_not_the_scale():
    keras.utils.set_random_seed(4)
    model = JOINT.compiled(**SIZES)
    model.run_eagerly = True  # One step is sooner done than traced.
    before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    model.train_on_batch(offers(), {"price": np.linspace(5, 500, 6)[:, None]})

    moved = {n for n, old in before.items() if not np.array_equal(old[0], model.get_layer(n).get_weights()[0])}
    assert set(before) - moved == {"scale"}
    assert len(moved) == 3 + 6 + 1


@given(
    st.lists(st.floats(0, 100, width=32), min_size=2, max_size=30),
    st.lists(st.floats(0, 10_000, width=32), min_size=1, max_size=30),
)
@settings(max_examples=15, deadline=None)
def test_ages_are_scaled_by_the_training_rows_and_the_first_price_is_their_geometric_mean(metadata, ages, told):
    model = adapted(metadata, ages, told)
    kernel, bias = model.get_layer("scale").get_weights()
    scaled = np.asarray(ages) * kernel[0, 0] + bias[0]

    assert scaled.mean() == pytest.approx(0, abs=1e-2)
    assert np.isfinite(scaled).all()
    assert model.get_layer("price").get_weights()[1][0] == pytest.approx(np.log1p(told).mean(), rel=1e-4, abs=1e-6)


def test_ages_end_up_with_unit_deviation(metadata):
    ages = [1.0, 2.0, 6.0, 11.0]
    kernel, bias = adapted(metadata, ages, [9.0]).get_layer("scale").get_weights()

    assert (np.asarray(ages) * kernel[0, 0] + bias[0]).std() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("branch", ["picture", "description"])
def test_a_branch_without_ages_adapts_as_well(branch):
    model = adapted(ALONE[branch].build(**SIZES), [], [9.0, 99.0])

    assert model.get_layer("price").get_weights()[1][0] == pytest.approx(np.log([10, 100]).mean(), rel=1e-5)


def test_the_loss_compares_logarithms():
    """A euro more matters more for a cheap shirt than for a dear coat."""
    loss = keras.losses.get(JOINT.heads["price"].loss)
    cheap, dear = (float(np.asarray(loss(np.array([[p]]), np.array([[p + 1.0]]))).mean()) for p in (5.0, 500.0))

    assert cheap > 100 * dear > 0
