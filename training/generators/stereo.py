"""What two cameras side by side see of a few flat things at different depths: a pair of pictures with known depths.

    disparity = focal length · baseline / depth      pinhole cameras, parallel, at equal height; columns, m, m
                                                     (Hartley & Zisserman, Multiple View Geometry, 2nd ed., ch. 9)

A point in column x of the left picture stands in column x − disparity of the right one. Here depths are those of whole
disparities: a background at 4 to 15, and one to three ellipses in front of it, at up to 40.

Colours, sizes and places are drawn without regard to depth, so that nothing but the disparity tells it. Each camera has
a gain and noise of its own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

PIXELS = 250
FOCAL, BASELINE = 250.0, 0.12
"""Focal length in pixels (a field of view of 53°), distance of the cameras in m."""
CELLS = 8
"""Rows and columns of a depth map."""

NEAREST, FARTHEST = 40, 4
BACKGROUND = range(FARTHEST, 16)
APART = 4
"""The least difference between the disparities of two things, in pixels."""
GRAINS = {30: 34.0, 9: 18.0}
"""What a texture is made of: the size of its spots in pixels, and how they deviate, in grey levels."""
GAIN, NOISE = 0.04, 2.0


@dataclass(frozen=True)
class Scene:
    """A pair of pictures (250, 250, 3) and the depth of each pixel of the left one, in m, (250, 250)."""

    left: Picture
    right: Picture
    depth: NDArray[np.float64]


def scene(rng: np.random.Generator) -> Scene:
    """A background and one to three ellipses in front of it, the nearest drawn last."""
    width = PIXELS + NEAREST
    disparities = _disparities(rng)
    behind = texture(rng, width)
    left, right = _view(behind, 0), _view(behind, disparities[0])
    seen = np.full((PIXELS, PIXELS), disparities[0])
    for disparity in disparities[1:]:
        spots, inside = texture(rng, width), ellipse(rng, width)
        for picture, shift in ((left, 0), (right, disparity)):
            np.copyto(picture, _view(spots, shift), where=_view(inside, shift)[..., None])
        seen[_view(inside, 0)] = disparity
    return Scene(_taken(left, rng), _taken(right, rng), FOCAL * BASELINE / seen)


def depth_map(depth: NDArray[np.float64]) -> NDArray[np.float32]:
    """The mean depth in each of 8 × 8 equal parts of the left picture, to the pixel, (8, 8)."""
    edges = np.linspace(0, PIXELS, CELLS + 1).round().astype(int)
    sums = np.add.reduceat(np.add.reduceat(depth, edges[:-1], axis=0), edges[:-1], axis=1)
    sizes = np.diff(edges)
    return np.asarray(sums / np.outer(sizes, sizes), dtype=np.float32)


def texture(rng: np.random.Generator, width: int) -> NDArray[np.float32]:
    """Smooth coloured spots around a colour, (250, width, 3), in grey levels."""
    spots = np.broadcast_to(rng.uniform(70, 185, 3), (PIXELS, width, 3)).astype(np.float32)
    for grain, deviation in GRAINS.items():
        points = rng.normal(0, deviation, (PIXELS // grain + 2, width // grain + 2, 3)).astype(np.float32)
        spots += _stretched(_stretched(points, width, grain, 1), PIXELS, grain, 0)
    return spots


def ellipse(rng: np.random.Generator, width: int) -> NDArray[np.bool_]:
    """Where an ellipse is, (250, width): its centre in the left picture, its half axes 30 to 75 pixels."""
    y, x = np.ogrid[:PIXELS, :width]
    (row, column), (high, wide) = rng.uniform(30, PIXELS - 30, 2), rng.uniform(30, 75, 2)
    return np.asarray(((y - row) / high) ** 2 + ((x - column) / wide) ** 2 <= 1)


def _disparities(rng: np.random.Generator) -> list[int]:
    """The background's, then those of one to three things in front of it, each nearer than the one before."""
    found = [int(rng.integers(BACKGROUND.start, BACKGROUND.stop))]
    for drawn in np.sort(rng.integers(found[0] + APART, NEAREST + 1, rng.integers(1, 4))):
        if drawn - found[-1] >= APART:
            found.append(int(drawn))
    return found


def _stretched(points: NDArray[np.float32], length: int, grain: int, axis: int) -> NDArray[np.float32]:
    """Straight lines along an axis between points `grain` pixels apart, `length` pixels in all."""
    at = np.arange(length, dtype=np.float32) / grain
    before = at.astype(int)
    share = np.expand_dims(at - before, [other for other in range(points.ndim) if other != axis]).astype(np.float32)
    return np.asarray(points.take(before, axis) * (1 - share) + points.take(before + 1, axis) * share)


def _view(canvas: NDArray[Any], disparity: int) -> NDArray[Any]:
    """A copy of what a camera sees of a canvas at this disparity."""
    return canvas[:, disparity : disparity + PIXELS].copy()


def _taken(light: NDArray[np.float32], rng: np.random.Generator) -> Picture:
    """The picture a camera takes, with its gain and noise."""
    noise = rng.standard_normal(light.shape, dtype=np.float32) * np.float32(NOISE)
    return np.clip(light * (1 + rng.uniform(-GAIN, GAIN)) + noise, 0, 255).round().astype(np.uint8)
