"""Invented clothes: reproducible, priced by the documented rule, and each branch sees what it alone should."""

import base64
from collections import Counter
from dataclasses import replace
from io import BytesIO
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.data.clothing_price import EXAMPLE, SHARES, TASK, generate
from training.generators import silhouettes, wardrobe
from training.generators.encoded import png
from training.generators.silhouettes import picture
from training.generators.wardrobe import BRANDS, CUTS, GARMENTS, MATERIALS, TOLD, describe, draw, price, worth
from training.words import split

SPLITS = ("train", "validation", "test")
COUNT = 400
CUTS_AND_PATTERNS = [(long, pattern) for long in CUTS for pattern in wardrobe.PATTERNS]

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def made():
    return generate(COUNT, 0)


def shown(garment, rng):
    return picture(garment.kind, garment.long, garment.pattern, rng)


def columns(table):
    return {name: [getattr(value, "tolist", lambda v=value: v)() for value in column] for name, column in table.items()}


def test_equal_seeds_give_equal_rows_and_other_seeds_other_rows(made):
    again, other = generate(COUNT, 0), generate(COUNT, 1)

    assert all(columns(getattr(made, part)) == columns(getattr(again, part)) for part in SPLITS)
    assert columns(other.train) != columns(made.train)


def test_splits_hold_the_garments_asked_for(made):
    sizes = {name: len(getattr(made, name)["price"]) for name in SPLITS}

    assert sizes == {name: round(COUNT * share) for name, share in SHARES.items()}


def test_no_picture_stands_twice(made):
    pictures = [image.tobytes() for part in SPLITS for image in getattr(made, part)["picture"]]

    assert len(set(pictures)) == len(pictures) == COUNT


@given(seeds)
@settings(max_examples=50)
def test_a_price_is_the_product_of_the_rule_give_or_take_luck(seed):
    garment = draw(Random(seed))
    ratio = price(garment, Random(seed)) / worth(garment)

    assert worth(garment) > 0
    assert ratio == pytest.approx(1, abs=5 * wardrobe.LUCK + 0.01 / worth(garment))


@given(seeds, st.sampled_from(["kind", "material", "condition", "brand", "long", "pattern"]), seeds)
@settings(max_examples=50)
def test_what_a_quality_multiplies_does_not_depend_on_what_the_other_branches_hold(seed, quality, other):
    garment, another = draw(Random(seed)), draw(Random(other))
    branch = {"kind": "picture", "long": "picture", "pattern": "picture", "brand": "metadata"}.get(quality, "text")
    own = {"picture": ("kind", "long", "pattern"), "metadata": ("brand", "age"), "text": ("material", "condition")}
    elsewhere = replace(another, **{name: getattr(garment, name) for name in own[branch]})
    change = {quality: getattr(another, quality)}

    factor = worth(replace(garment, **change)) / worth(garment)
    assert factor == pytest.approx(worth(replace(elsewhere, **change)) / worth(elsewhere))


def test_age_costs_the_cheap_brand_more_than_the_dear_one():
    lost = {
        brand: worth(replace(EXAMPLE, brand=brand, age=10.0)) / worth(replace(EXAMPLE, brand=brand, age=0.0))
        for brand in BRANDS
    }

    assert list(lost.values()) == sorted(lost.values())
    assert 0 < min(lost.values()) < max(lost.values()) < 1


@given(seeds, seeds)
@settings(max_examples=50)
def test_a_description_tells_material_and_condition_and_nothing_else(seed, other):
    garment = draw(Random(seed))
    elsewhere = replace(draw(Random(other)), material=garment.material, condition=garment.condition)
    text = describe(garment, Random(seed))

    assert text == describe(elsewhere, Random(seed))
    assert garment.material in split(text)
    assert any(sentence in text for sentence in TOLD[garment.condition])


def test_the_material_is_the_first_one_named():
    rng = Random(2)
    linings = 0
    for _ in range(300):
        garment = draw(rng)
        named = [word for word in split(describe(garment, rng)) if word in MATERIALS]
        assert named[0] == garment.material
        linings += len(named) > 1
    assert 50 < linings < 150


def test_every_condition_is_told_in_sentences_of_its_own():
    owners = Counter(sentence for sentences in TOLD.values() for sentence in sentences)

    assert set(owners.values()) == {1}
    assert set(TOLD) == set(wardrobe.CONDITIONS)


def test_the_tables_of_prices_and_of_drawings_agree():
    assert set(GARMENTS) == set(silhouettes.GARMENTS)
    assert set(wardrobe.PATTERNS) == set(silhouettes.PATTERNS)


@given(seeds)
@settings(max_examples=30)
def test_a_picture_is_a_light_garment_on_black(seed):
    found = shown(draw(Random(seed)), Random(seed))

    assert found.shape == (28, 28)
    assert found.dtype == np.uint8
    assert 40 < np.count_nonzero(found) < 600
    assert found.max() >= 100


@pytest.mark.parametrize("kind", GARMENTS)
def test_long_garments_cover_more_than_short_ones(kind):
    covered = [[np.count_nonzero(picture(kind, long, "plain", Random(seed))) for seed in range(20)] for long in CUTS]

    assert np.mean(covered[1]) > 1.1 * np.mean(covered[0])


def test_every_kind_cut_and_pattern_looks_different():
    """Mean pictures of many, so that neither place nor brightness tells them apart; patterns by their dark parts."""
    means = {
        (kind, long): np.mean([picture(kind, long, "plain", Random(seed)) > 0 for seed in range(30)], axis=0)
        for kind in GARMENTS
        for long in CUTS
    }

    assert min(np.abs(one - other).sum() for one, other in combinations(means.values(), 2)) > 20


def test_patterns_differ_in_how_much_is_dark_or_where():
    grid = np.mgrid[0:24, 0:24]
    dark = {name: rule(grid[1], grid[0]) for name, rule in silhouettes.PATTERNS.items()}

    assert {name: float(cells.mean()) for name, cells in dark.items()} == {
        "plain": 0.0,
        "stripes": 0.5,
        "dots": 0.25,
        "checks": 0.5,
    }
    assert (dark["stripes"] == dark["stripes"][:, :1]).all()
    assert not (dark["checks"] == dark["checks"][:, :1]).all()


def test_a_png_holds_the_very_pixels():
    found = shown(EXAMPLE, Random(7))

    assert np.array_equal(np.asarray(Image.open(BytesIO(base64.b64decode(png(found))))), found)


def test_the_example_is_short_and_speaks_the_generators_words(made):
    known = {word for text in made.train["description"] for word in split(text)}

    assert len(TASK.example["picture"]) < 3_000
    assert set(split(TASK.example["description"])) <= known
    assert TASK.example["brand"] in made.train["brand"]


def test_the_data_say_that_they_are_generated():
    assert "generated" in TASK.data
