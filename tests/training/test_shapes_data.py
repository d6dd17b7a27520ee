"""Drawn shapes: wholly in the picture, as large whatever their kind, equally often, and never twice."""

import base64
from collections import Counter
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.data import inception, residual
from training.generators.shapes import AREA, DISTANCES, STRETCH, Pose, cover, draw, splits

COUNT = 600
PROVIDERS = {"inception": inception, "residual": residual}

every_provider = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
part = st.floats(0, 1)
poses = st.builds(
    Pose,
    area=st.floats(*AREA),
    turn=st.floats(0, 6.28),
    stretch=st.floats(1 / STRETCH, STRETCH),
    place=st.tuples(part, part),
)


@pytest.fixture(scope="module")
def drawn():
    """Pictures of every shape, small ones."""
    return splits(COUNT, 11, list(DISTANCES), 32)


def tables(drawn):
    return {"train": drawn.train, "validation": drawn.validation, "test": drawn.test}


@given(st.sampled_from(list(DISTANCES)), poses, st.sampled_from([32, 64]))
@settings(deadline=None, max_examples=150)
def test_a_shape_covers_the_area_asked_for_whatever_its_kind_and_pose(shape, pose, side):
    assert cover(shape, side, pose).mean() == pytest.approx(pose.area, rel=0.1)


@given(st.sampled_from(list(DISTANCES)), poses, st.sampled_from([32, 64]))
@settings(deadline=None, max_examples=150)
def test_a_shape_lies_wholly_in_the_picture(shape, pose, side):
    covered = cover(shape, side, pose)

    assert not np.concatenate([covered[[0, -1]].ravel(), covered[:, [0, -1]].ravel()]).any()


@given(st.sampled_from(list(DISTANCES)), poses)
@settings(deadline=None, max_examples=50)
def test_a_half_turn_about_the_middle_turns_the_pixels(shape, pose):
    turned = Pose(pose.area, pose.turn + np.pi, pose.stretch, (1 - pose.place[0], 1 - pose.place[1]))

    assert np.allclose(cover(shape, 32, pose)[::-1, ::-1], cover(shape, 32, turned), atol=1e-3)


def test_no_two_kinds_look_the_same():
    pose = Pose(0.15)
    seen = [cover(shape, 64, pose) for shape in DISTANCES]

    assert min(np.abs(a - b).sum() for i, a in enumerate(seen) for b in seen[:i]) > 0.1 * pose.area * 64**2


@given(st.integers(0, 2**32), st.sampled_from(list(DISTANCES)))
@settings(deadline=None, max_examples=30)
def test_a_shape_stands_out_from_its_ground(seed, shape):
    """Some colour, even of the least contrast, is left where there is neither noise nor dot."""
    picture = draw(np.random.default_rng(seed), shape, 64, noise=0.0).astype(float)

    assert np.ptp(picture.reshape(-1, 3), axis=0).max() > 0.2 * 255


def test_equal_seeds_give_equal_rows_and_another_seed_others():
    first, again, other = (splits(60, seed, ["ring", "star"], 32) for seed in (3, 3, 4))

    for one, two, three in zip(*(tables(drawn).values() for drawn in (first, again, other)), strict=True):
        assert one["shape"] == two["shape"]
        assert np.array_equal(one["image"], two["image"])
        assert not np.array_equal(one["image"], three["image"])


def test_no_picture_stands_twice_in_one_split_or_in_two(drawn):
    seen = Counter(image.tobytes() for table in tables(drawn).values() for image in table["image"])

    assert len(seen) == COUNT
    assert max(seen.values()) == 1


def test_every_split_holds_every_shape_equally_often(drawn):
    for table in tables(drawn).values():
        counts = Counter(table["shape"])
        assert set(counts) == set(DISTANCES)
        assert max(counts.values()) - min(counts.values()) <= 1


def look(table):
    """What colour and contrast tell of each row: the mean and deviation of each channel, (n, 6)."""
    pixels = np.stack(table["image"]).astype(float)
    return np.concatenate([pixels.mean(axis=(1, 2)), pixels.std(axis=(1, 2))], axis=1)


def test_colour_and_contrast_do_not_give_the_shape_away(drawn):
    """The nearest of 510 known pictures, by these alone, is hardly more often of the right shape than any would be."""
    known, asked = look(drawn.train), look(drawn.test)
    spread = known.std(axis=0)
    nearest = np.linalg.norm((asked[:, None] - known[None]) / spread, axis=2).argmin(axis=1)
    right = np.array(drawn.train["shape"])[nearest] == np.array(drawn.test["shape"])

    assert right.mean() < 3 / len(DISTANCES)


@every_provider
def test_the_rows_asked_for_are_shared_out_over_the_splits_in_columns_of_the_task(provider):
    made = tables(provider.generate(200, 1))

    assert {split: len(table["image"]) for split, table in made.items()} == {"train": 170, "validation": 10, "test": 20}
    for table in made.values():
        assert list(table) == [*provider.TASK.inputs, *provider.TASK.outputs]
        assert set(table["shape"]) <= set(provider.SHAPES)
        assert {image.shape for image in table["image"]} == {provider.TASK.inputs["image"].dims}
        assert {image.dtype for image in table["image"]} == {np.dtype(np.uint8)}


@every_provider
def test_the_example_is_a_short_png_of_the_size_the_model_takes(provider):
    data = base64.b64decode(provider.TASK.example["image"], validate=True)
    picture = Image.open(BytesIO(data))

    assert len(data) < 2_000
    assert picture.format == "PNG"
    assert np.asarray(picture).shape == provider.TASK.inputs["image"].dims
    assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 2
