"""Generated pairs of pictures: only the disparity tells the depth, and it tells it as a pinhole camera does."""

import base64
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.data.stereo_depth import EXAMPLE, SHARES, TASK, generate
from training.generators.stereo import (
    BACKGROUND,
    BASELINE,
    CELLS,
    FARTHEST,
    FOCAL,
    NEAREST,
    PIXELS,
    depth_map,
    scene,
    texture,
)

LOUD = 35
"""Grey levels beyond what noise and the gains of two cameras make of one point."""

scenes = st.integers(0, 2**32 - 1).map(lambda seed: scene(np.random.default_rng(seed)))


def difference(made, disparity):
    """How far each pixel of the left picture is from the one so far to the left in the right picture, (250, 250)."""
    left, right = made.left.astype(float), made.right.astype(float)
    return np.abs(left[:, disparity:] - right[:, : PIXELS - disparity]).max(axis=2)


@given(scenes)
@settings(max_examples=10, deadline=None)
def test_the_background_stands_where_its_depth_says(made):
    disparities = FOCAL * BASELINE / made.depth
    farthest = int(disparities.min().round())
    here = np.isclose(disparities, farthest)[:, farthest:]

    # Nearer things hide some of it from the right camera.
    assert np.quantile(difference(made, farthest)[here], 0.1) < LOUD / 2


@given(scenes)
@settings(max_examples=10, deadline=None)
def test_what_is_nearest_is_seen_by_both_cameras(made):
    disparities = FOCAL * BASELINE / made.depth
    nearest = int(disparities.max().round())
    here = np.isclose(disparities, nearest)[:, nearest:]

    assert (difference(made, nearest)[here] < LOUD).all()


def test_at_a_wrong_disparity_the_pictures_differ():
    """So the two tests above can fail."""
    made = scene(np.random.default_rng(1))
    background = int((FOCAL * BASELINE / made.depth).min().round())

    assert np.median(difference(made, background)) < np.median(difference(made, background + 12)) / 2


@given(scenes)
@settings(max_examples=10, deadline=None)
def test_disparities_are_whole_and_in_the_range_promised(made):
    disparities = FOCAL * BASELINE / made.depth

    assert np.allclose(disparities, disparities.round())
    assert FARTHEST <= disparities.min() < BACKGROUND.stop
    assert disparities.min() < disparities.max() <= NEAREST


def test_the_left_picture_alone_does_not_tell_how_far_the_background_is():
    """Its colours and their spread have nothing to do with the depth."""
    made = [scene(np.random.default_rng(seed)) for seed in range(60)]
    depths = [one.depth.max() for one in made]
    looks = [(one.left.mean(), one.left.std(), np.abs(np.diff(one.left.astype(float), axis=1)).mean()) for one in made]

    assert all(abs(np.corrcoef(depths, look)[0, 1]) < 0.4 for look in zip(*looks, strict=True))


def test_a_texture_varies_in_each_colour():
    assert (texture(np.random.default_rng(0), PIXELS).std(axis=(0, 1)) > 15).all()


def test_a_map_holds_the_mean_depth_of_each_part():
    made = scene(np.random.default_rng(2))
    found = depth_map(made.depth)

    assert found.shape == (CELLS, CELLS)
    assert found[0, 0] == pytest.approx(made.depth[:31, :31].mean())
    assert found[3, 5] == pytest.approx(made.depth[94:125, 156:188].mean())
    assert found[7, 7] == pytest.approx(made.depth[219:, 219:].mean())


def test_a_flat_wall_has_one_depth_everywhere():
    assert np.allclose(depth_map(np.full((PIXELS, PIXELS), 2.5)), 2.5)


def test_rows_are_shared_out_in_columns_of_the_task():
    splits = generate(20, 1)

    for split, share in SHARES.items():
        table = getattr(splits, split)
        assert list(table) == [*TASK.inputs, *TASK.outputs]
        assert {len(column) for column in table.values()} == {round(20 * share)}
        assert table["left"][0].shape == table["right"][0].shape == TASK.inputs["left"].dims
        assert table["left"][0].dtype == np.uint8
        assert table["depth"][0].shape == TASK.outputs["depth"].dims


def test_equal_seeds_give_equal_rows_and_no_scene_stands_twice():
    once, again, other = generate(10, 3), generate(10, 3), generate(10, 4)
    pictures = [picture.tobytes() for split in SHARES for picture in getattr(once, split)["left"]]

    assert pictures == [picture.tobytes() for split in SHARES for picture in getattr(again, split)["left"]]
    assert len(set(pictures)) == len(pictures)
    assert not set(pictures) & {picture.tobytes() for picture in other.train["left"]}


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_example_is_short_and_shows_its_scene(side):
    text = TASK.example[side]
    pixels = np.asarray(Image.open(BytesIO(base64.b64decode(text))))

    assert len(text) < 8_000
    assert np.abs(pixels.astype(float) - getattr(EXAMPLE, side)).mean() < 5


def test_the_example_has_things_at_four_depths():
    assert np.unique(EXAMPLE.depth.round(1)).tolist() == [0.8, 1.1, 1.9, 2.5]
