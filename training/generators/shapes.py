"""Pictures of one shape each, drawn: any place, size, turn, stretch and colours, on a gradient with dots and noise.

Neither colour nor area gives the shape away: colours are drawn without regard to it, and the area first, the size then
so that every shape covers that much. Shapes are signed distances on a plane, negative inside, and lie in the unit disc:

    circle   square   triangle   star   cross   ring   crescent   stripes   checkerboard
                                                                  (both in a disc, half of it covered)

Every picture is drawn anew from continuous chance, so none stands in two splits, or twice in one. Each split holds its
shapes equally often.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import ceil, cos, pi, sin, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.generators.encoded import png
from training.task import Splits, Table

Floats = NDArray[np.floating[Any]]

AREA = (0.08, 0.18)
"""The least and the most of the picture that a shape covers."""
STRETCH = 1.15
"""How much a shape is pulled along one axis at most, and squeezed along the other: its area stays."""
CONTRAST = 0.35
"""How far the shape's colour is from the background's, at least in one channel, of 1."""
GRADIENT, NOISE = 0.25, 0.1
"""How far the background drifts across the picture, and the deviation of the noise, at most, of 1."""
DOTS, DOT_AREA = 5, 0.004
"""Dots strewn under the shape, at most, and how much of the picture one covers."""

SHARES = {"train": 0.85, "validation": 0.05, "test": 0.1}


def _circle(x: Floats, y: Floats) -> Floats:
    distance: Floats = np.hypot(x, y) - 1
    return distance


def _star(x: Floats, y: Floats, points: int = 5, inner: float = 0.45) -> Floats:
    """Tips on the unit circle, the first to the right; valleys at `inner`. All edges are folded onto one."""
    half = pi / points
    fold = half - np.abs(np.arctan2(y, x) % (2 * half) - half)  # 0 at a tip, `half` in a valley
    radius, across, along = np.hypot(x, y), inner * sin(half), 1 - inner * cos(half)
    edge = (radius * np.cos(fold) - 1) * across + radius * np.sin(fold) * along
    return np.asarray(edge / np.hypot(across, along), dtype=np.float32)


def _polygon(corners: int) -> Callable[[Floats, Floats], Floats]:
    return partial(_star, points=corners, inner=cos(pi / corners))


def _cross(x: Floats, y: Floats, half: float = 0.28) -> Floats:
    reach = sqrt(1 - half**2)
    x, y = np.abs(x), np.abs(y)
    distance: Floats = np.minimum(np.maximum(x - reach, y - half), np.maximum(x - half, y - reach))
    return distance


def _ring(x: Floats, y: Floats, hole: float = 0.55) -> Floats:
    inside: Floats = hole - np.hypot(x, y)
    return np.maximum(_circle(x, y), inside)


def _crescent(x: Floats, y: Floats) -> Floats:
    bite: Floats = 0.75 - np.hypot(x - 0.45, y)
    return np.maximum(_circle(x, y), bite)


def _wave(x: Floats, period: float) -> Floats:
    distance: Floats = np.abs(x % period - period / 2) - period / 4
    return distance


def _stripes(x: Floats, y: Floats) -> Floats:
    return np.maximum(_circle(x, y), _wave(y, 0.5))


def _checkerboard(x: Floats, y: Floats) -> Floats:
    x_wave, y_wave = _wave(x, 0.8), _wave(y, 0.8)
    return np.maximum(_circle(x, y), np.minimum(np.maximum(x_wave, y_wave), -np.minimum(x_wave, y_wave)))


DISTANCES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "circle": _circle,
    "square": _polygon(4),
    "triangle": _polygon(3),
    "star": _star,
    "cross": _cross,
    "ring": _ring,
    "crescent": _crescent,
    "stripes": _stripes,
    "checkerboard": _checkerboard,
}


def splits(rows: int, seed: int, shapes: Sequence[str], side: int) -> Splits:
    """`rows` pictures in all, `side` pixels wide and high, the splits as `SHARES` says; the same for the same seed."""
    return Splits(
        **{
            part: _table(np.random.default_rng([seed, place]), round(rows * share), shapes, side)
            for place, (part, share) in enumerate(SHARES.items())
        }
    )


def _table(rng: np.random.Generator, rows: int, shapes: Sequence[str], side: int) -> Table:
    labels = (list(shapes) * ceil(rows / len(shapes)))[:rows]
    rng.shuffle(labels)
    return {"image": [draw(rng, shape, side) for shape in labels], "shape": labels}


@dataclass(frozen=True)
class Pose:
    """How a shape lies in a picture: the `area` of it that it covers, its turn in radians, its pull along one axis.

    `place` is from (0, 0), as far to the top and left as the shape stays inside, to (1, 1).
    """

    area: float
    turn: float = 0.0
    stretch: float = 1.0
    place: tuple[float, float] = (0.5, 0.5)


def draw(rng: np.random.Generator, shape: str, side: int, noise: float = NOISE) -> NDArray[np.uint8]:
    """One picture (side, side, 3) of a shape."""
    ground, colour = _colours(rng)
    picture = ground + _gradient(rng, side)[:, :, None] * rng.uniform(-GRADIENT, GRADIENT, 3).astype(np.float32)
    for _ in range(rng.integers(DOTS + 1)):
        dot = Pose(DOT_AREA, place=(rng.random(), rng.random()))
        _paint(picture, cover("circle", side, dot), rng.random(3, dtype=np.float32))
    turn, stretch = rng.uniform(0, 2 * pi), STRETCH ** rng.uniform(-1, 1)
    pose = Pose(rng.uniform(*AREA), turn, stretch, (rng.random(), rng.random()))
    _paint(picture, cover(shape, side, pose), colour)
    picture += rng.uniform(0, noise) * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(picture.clip(0, 1) * 255, dtype=np.uint8)


def cover(shape: str, side: int, pose: Pose) -> Floats:
    """How much of each pixel (side, side) a shape covers, 0 to 1."""
    size = side * sqrt(pose.area / _area(shape))  # pixels from its middle to its farthest point
    margin = size * max(pose.stretch, 1 / pose.stretch) + 2  # room for soft tips
    down, right = (margin + (side - 2 * margin) * part for part in pose.place)
    pixels = np.arange(side, dtype=np.float32) + 0.5
    x, y = (pixels - right)[None, :] / size, (pixels - down)[:, None] / size
    along, across = x * cos(pose.turn) + y * sin(pose.turn), y * cos(pose.turn) - x * sin(pose.turn)
    inside = size * -DISTANCES[shape](along / pose.stretch, across * pose.stretch)  # pixels to the edge
    covered: Floats = np.clip(0.5 + inside, 0, 1)
    return covered


def example(shape: str, side: int, seed: int) -> str:
    """A picture without noise as a PNG in base64, of few colours, so that it is short."""
    return png(draw(np.random.default_rng(seed), shape, side, noise=0.0), colours=16)


@cache
def _area(shape: str) -> float:
    """What a shape covers of the plane."""
    x, y = np.meshgrid(*[np.linspace(-1, 1, 400, dtype=np.float32)] * 2)
    return float(4 * np.mean(DISTANCES[shape](x, y) < 0))


def _colours(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The background's and the shape's: red, green, blue, 0 to 1, unlike enough to be told apart."""
    while True:
        ground, colour = rng.random((2, 3), dtype=np.float32)
        if np.abs(ground - colour).max() >= CONTRAST:
            return ground, colour


def _gradient(rng: np.random.Generator, side: int) -> Floats:
    """A slope (side, side) about 0 in any direction, -1 to 1 at most."""
    turn = rng.uniform(0, 2 * pi)
    steps = np.linspace(-1, 1, side, dtype=np.float32)
    return np.asarray((steps[None, :] * cos(turn) + steps[:, None] * sin(turn)) / sqrt(2), dtype=np.float32)


def _paint(picture: Floats, covered: Floats, colour: Floats) -> None:
    picture += covered[:, :, None] * (colour - picture)
