"""What the card says of how inputs and answers lie: true of the rows, small, and such that the service can read it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.drift import reference
from service.drift.features import Seen
from tests.training import toys
from training import words
from training.distribution import MOST_BINS, distribution, edges, enough, quantiles


@pytest.fixture(scope="module")
def card(artifact):
    return json.loads((artifact / "assets.extra/card.json").read_text())


@pytest.fixture(scope="module")
def features(card):
    return {(one.side, one.name, one.feature): one for one in reference.read(card).features}


def test_every_input_and_output_is_there(features):
    texts = {("inputs", side, feature) for side in ("left", "right") for feature in ("words", "vocabulary")}
    colours = {("outputs", "colour", feature) for feature in ("label", "confidence")}
    assert set(features) == texts | colours | {("outputs", "overlap", "value"), ("outputs", "long", "probability")}


def test_inputs_are_those_of_the_training_rows_and_outputs_those_of_held_out_rows(features, splits):
    for (side, _, _), feature in features.items():
        rows = splits.train["left"] if side == "inputs" else splits.test["left"]
        assert feature.training.sum() == pytest.approx(len(rows), abs=1)


def test_words_are_counted_as_they_stand(features, splits):
    feature = features["inputs", "left", "words"]
    lengths = np.array([len(words.split(text)) for text in splits.train["left"]])
    expected = [np.count_nonzero(lengths == length) for length in range(2, 8)]
    assert feature.bins.names[1:-2] == ("2", "3", "4", "5", "6", "7")
    assert feature.training.tolist() == [0, *expected, 0, 0]


def test_it_is_small(card):
    assert len(json.dumps(card["distribution"])) < 4_000


def test_a_number_that_is_none_has_a_bin_and_no_edge(trained, splits, held):
    said = {name: np.full((120, *shape), np.nan, "f") for name, shape in (("colour", (3,)), ("long", (1,)))}
    said["overlap"] = np.array([[0.5], [np.nan]] * 60, "f")
    found = distribution(trained.encoder, splits.train, said)["outputs"]
    assert [one["feature"] for one in found["colour"]] == ["label"]
    assert found["overlap"] == [{"feature": "value", "edges": [0.5, 0.5], "counts": [0, 60, 0, 60]}]


values = st.lists(st.sampled_from([-3.5, 0.0, 1.0, 2.0, 7.25]) | st.floats(-1e6, 1e6), min_size=1, max_size=60)


@given(values, st.integers(2, MOST_BINS))
def test_edges_rise_and_hold_every_value(numbers, most):
    seen = Seen(np.array(numbers), np.ones(len(numbers)))
    found = edges("value", seen, most)
    assert (found[0], found[-1]) == (min(numbers), max(numbers))
    assert found[1:] == sorted(set(found[1:]))
    assert 2 <= len(found) <= most + 1


def test_numbers_fall_into_bins_evenly():
    seen = Seen(np.random.default_rng(1).normal(size=5000), np.ones(5000))
    counts, _ = np.histogram(seen.values, edges("value", seen, 10))
    assert counts.tolist() == pytest.approx([500] * 10, abs=1)


def test_quantiles_are_those_of_the_weights():
    assert quantiles(Seen(np.array([1.0, 2.0, 3.0]), np.array([8.0, 1.0, 1.0])), 4).tolist() == [1.0, 1.0, 1.0, 3.0]


def test_few_rows_have_few_bins():
    assert [enough(Seen(np.zeros(rows), np.ones(rows))) for rows in (1, 120, 10_000)] == [2, 3, 20]


def test_a_card_without_it_is_still_one(card):
    assert toys.PROVENANCE.data == card["provenance"]["data"]
    with pytest.raises(reference.NotWatched, match="has no distribution"):
        reference.read({name: part for name, part in card.items() if name != "distribution"})
