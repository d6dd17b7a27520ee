"""Genre and year: the network's size, what masks leave out, what training reaches, and where the year begins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.titles import MULTI_OUTPUT, centre  # noqa: E402

WORDS, GENRES = 60, 7
SIZES = {"words": WORDS, "genre": GENRES}
HEARD = {"words", "era", "genre", "year"}
"""Every layer with weights."""


def described(rows=5, length=9, seed=0):
    """Random ids of words, none of them padding."""
    return {"description": np.random.default_rng(seed).integers(1, WORDS, (rows, length), dtype=np.int32)}


def padded(tensors, extra):
    return {name: np.pad(ids, ((0, 0), (0, extra))) for name, ids in tensors.items()}


def answers(model, tensors):
    return {name: np.asarray(values) for name, values in model(tensors, training=False).items()}


def agree(one, other, atol=1e-5):
    return all(np.allclose(one[name], other[name], atol=atol) for name in ("genre", "year"))


@pytest.fixture(scope="module")
def masked():
    """A small model whose weights nothing here changes; words far apart, so that answers are."""
    keras.utils.set_random_seed(3)
    model = MULTI_OUTPUT.build(**SIZES)
    words = model.get_layer("words")
    words.set_weights([np.random.default_rng(3).normal(size=words.get_weights()[0].shape).astype(np.float32)])
    return model


@pytest.fixture(scope="module")
def unmasked(masked):
    model = MULTI_OUTPUT.build(masked=False, **SIZES)
    model.set_weights(masked.get_weights())
    return model


def test_a_description_gets_probabilities_of_genres_and_one_year(masked):
    found = answers(masked, described())

    assert found["genre"].shape == (5, GENRES)
    assert np.allclose(found["genre"].sum(axis=1), 1, atol=1e-6)
    assert found["year"].shape == (5, 1)
    assert found["year"].std() > 1e-3


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_words_does_not_matter(masked, length, seed):
    tensors = described(length=length, seed=seed)
    other = {"description": np.random.default_rng(seed).permuted(tensors["description"], axis=1)}

    assert agree(answers(masked, tensors), answers(masked, other))


@pytest.mark.parametrize("length", [1, 2, 40])
def test_the_unmasked_build_takes_the_same_weights_and_agrees_where_nothing_is_padding(masked, unmasked, length):
    tensors = described(length=length)

    assert agree(answers(masked, tensors), answers(unmasked, tensors))


@pytest.mark.parametrize("extra", [1, 30])
def test_padding_changes_no_answer_of_the_masked_model(masked, extra):
    tensors = described()

    assert agree(answers(masked, tensors), answers(masked, padded(tensors, extra)))


def test_padding_is_a_word_like_others_to_the_unmasked_build(unmasked):
    """So the test above can fail: it is the mask that leaves padding out, and nothing else."""
    tensors = described()

    assert not agree(answers(unmasked, tensors), answers(unmasked, padded(tensors, 9)), atol=1e-3)


def test_a_description_without_a_word_still_gets_answers(masked):
    found = answers(masked, {"description": np.zeros((1, 3), np.int32)})

    assert np.isfinite(found["genre"]).all()
    assert np.isfinite(found["year"]).all()


def test_one_step_moves_the_weights_of_every_layer():
    keras.utils.set_random_seed(4)
    model = MULTI_OUTPUT.compiled(**SIZES)
    model.run_eagerly = True  # One short step is sooner done than traced.
    before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    model.train_on_batch(described(), {"genre": np.arange(5) % GENRES, "year": np.linspace(1, 9, 5)[:, None]})

    assert set(before) == HEARD
    for name, old in before.items():
        for one, other in zip(old, model.get_layer(name).get_weights(), strict=True):
            assert not np.array_equal(one, other), name


@given(st.lists(st.integers(1900, 2030), min_size=1, max_size=30))
@settings(max_examples=20, deadline=None)
def test_before_training_the_year_is_the_median_and_answers_spread_as_the_rows_do(masked, years):
    model = MULTI_OUTPUT.build(**SIZES)
    model.set_weights(masked.get_weights())
    targets = np.asarray(years, np.float32)[:, None]
    centre(model, {}, {"year": targets})
    drawn, middle = answers(masked, described())["year"], np.median(years)

    assert np.allclose(answers(model, described())["year"], middle + drawn * np.abs(targets - middle).mean(), rtol=1e-5)
