"""Generated pairs of series: a reader who knows the hidden space tells one theme from two; nothing leaks."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.siamese_vectors import FEWEST, LABELS, MOST, SHARES, TASK, generate
from training.generators.themes import HIDDEN, SPREAD, WIDTH, other, series, theme

COUNT = 600
SPLITS = tuple(SHARES)
INVERSE = np.linalg.pinv(SPREAD)

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def made():
    return generate(COUNT, 0)


def heard(vectors):
    """The theme of a series as the matrix tells it, asides left out, (6,) of length 1."""
    hidden = vectors @ INVERSE
    mean = hidden[hidden[:, HIDDEN] < 0.5, :HIDDEN].mean(axis=0)
    return mean / np.linalg.norm(mean)


def agreements(table):
    """The cosine of the two themes of each pair."""
    return np.array([heard(left) @ heard(right) for left, right in zip(table["left"], table["right"], strict=True)])


def test_whoever_knows_the_matrix_tells_similar_from_different(made):
    similar = np.array(made.train["similar"]) == LABELS[1]

    assert ((agreements(made.train) > 0.7) == similar).mean() > 0.93


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_side_alone_tells_nothing(made, side):
    """Themes of either label are spread evenly: their means vanish."""
    similar = np.array(made.train["similar"]) == LABELS[1]
    themes = np.array([heard(vectors) for vectors in made.train[side]])

    assert np.linalg.norm(themes[similar].mean(axis=0)) < 0.2
    assert np.linalg.norm(themes[~similar].mean(axis=0)) < 0.2


@given(seeds)
@settings(max_examples=50)
def test_another_theme_is_a_direction_at_60_degrees_or_more(seed):
    rng = np.random.default_rng(seed)
    one = theme(rng)
    another = other(one, rng)

    assert np.linalg.norm(one) == pytest.approx(1)
    assert np.linalg.norm(another) == pytest.approx(1)
    assert one @ another <= 0.5


@given(seeds, st.integers(FEWEST, MOST))
@settings(max_examples=50)
def test_at_least_half_of_a_series_keeps_to_its_theme(seed, steps):
    rng = np.random.default_rng(seed)
    vectors = series(theme(rng), steps, rng)
    asides = (vectors @ INVERSE)[:, HIDDEN] > 0.5

    assert vectors.shape == (steps, WIDTH)
    assert asides.sum() <= steps / 2


def test_series_differ_in_length_and_span_the_range_promised(made):
    lengths = {len(vectors) for side in ("left", "right") for vectors in made.train[side]}

    assert lengths == set(range(FEWEST, MOST + 1))


def test_no_step_is_all_zeros_which_would_be_padding(made):
    assert all(vectors.any(axis=1).all() for side in ("left", "right") for vectors in made.train[side])


def test_numbers_have_one_decimal(made):
    for vectors in made.test["left"]:
        assert np.array_equal(vectors, np.round(vectors.astype(float), 1).astype(np.float32))


def test_half_of_the_pairs_are_similar_in_every_split(made):
    for split in SPLITS:
        column = getattr(made, split)["similar"]
        assert column.count("similar") == column.count("different") == len(column) // 2


def test_rows_are_shared_out_in_columns_of_the_task(made):
    for split, share in SHARES.items():
        table = getattr(made, split)
        assert list(table) == [*TASK.inputs, *TASK.outputs]
        assert {len(column) for column in table.values()} == {round(COUNT * share)}


def test_equal_seeds_give_equal_rows_and_no_series_stands_twice(made):
    def told(splits):
        return [vectors.tobytes() for split in SPLITS for vectors in getattr(splits, split)["left"]]

    assert told(generate(COUNT, 0)) == told(made)
    assert len(set(told(made))) == COUNT
    assert not set(told(made)) & set(told(generate(COUNT, 1)))


def test_the_example_has_sides_of_different_length_about_one_theme_and_is_short():
    left, right = (np.array(TASK.example[side]) for side in ("left", "right"))

    assert (left.shape, right.shape) == ((2, WIDTH), (3, WIDTH))
    assert heard(left) @ heard(right) > 0.8
    assert len(json.dumps(TASK.example)) < 5_000
