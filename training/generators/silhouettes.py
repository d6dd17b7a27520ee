"""Pictures of garments as pixels: 28 × 28, light on black as in Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747).

    mask of the garment ─ times brightness ─ times pattern ─ plus noise ─▶ uint8

A garment is a rule over coordinates: `x` from the middle, −13.5 to 13.5, and `y` from the top, 0 to 27. The rule is
given coordinates that have been moved and stretched a little, so no two pictures are alike.
"""

from collections.abc import Callable
from random import Random

import numpy as np
from numpy.typing import NDArray

SIDE = 28
SHADE = 0.35
"""How bright the dark parts of a pattern are, beside the light ones."""
DARKEST, BRIGHTEST, NOISE = 130, 245, 5.0

Grid = NDArray[np.float64]
Cells = NDArray[np.int64]
Mask = NDArray[np.bool_]


def picture(garment: str, long: bool, pattern: str, rng: Random) -> NDArray[np.uint8]:
    """A picture (28, 28) of such a garment, somewhere near the middle."""
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    x = (across - (SIDE - 1) / 2 - rng.uniform(-1, 1)) / rng.uniform(0.9, 1.1)
    y = down - rng.uniform(-1, 1)
    mask = GARMENTS[garment](x, y, long)
    dark = PATTERNS[pattern](across + rng.randrange(SIDE), down + rng.randrange(SIDE))
    light = rng.uniform(DARKEST, BRIGHTEST) * np.where(dark, SHADE, 1.0)
    noise = np.random.default_rng(rng.getrandbits(64)).normal(0, NOISE, mask.shape)
    return np.where(mask, np.clip(light + noise, 1, 255), 0).astype(np.uint8)


def _shirt(x: Grid, y: Grid, long: bool) -> Mask:
    """Long or short sleeves."""
    side = np.abs(x)
    neck = (side < 2.5) & (y < 6)
    return _between(y, 4, 24) & ((side < 6) | _sleeve(side, y, 4, 21 if long else 11)) & ~neck


def _dress(x: Grid, y: Grid, long: bool) -> Mask:
    """A skirt to the ankle or to the knee; straps."""
    side = np.abs(x)
    straps = _between(y, 1, 5) & _between(side, 1.5, 3.5)
    skirt = _between(y, 12, 27 if long else 19) & (side < 4 + 0.5 * (y - 12))
    return straps | (_between(y, 4, 12) & (side < 4)) | skirt


def _trousers(x: Grid, y: Grid, long: bool) -> Mask:
    """Long legs or shorts."""
    side = np.abs(x)
    legs = _between(y, 8, 26 if long else 15) & _between(side, 1 + 0.05 * (y - 8), 6 + 0.1 * (y - 8))
    return legs | (_between(y, 3, 9) & (side < 6))


def _shoe(x: Grid, y: Grid, long: bool) -> Mask:
    """The shaft of a boot, or a low shoe, seen from the side; a heel."""
    sole = _between(y, 22, 24) & (np.abs(x) < 12)
    foot = _between(y, 15, 22) & _between(x, -11, 11) & (y > 15 + 0.4 * (x + 4))
    shaft = _between(y, 4 if long else 13, 16) & _between(x, -11, -3)
    return sole | foot | shaft | (_between(y, 23, 26) & _between(x, -12, -7))


def _bag(x: Grid, y: Grid, long: bool) -> Mask:
    """Large or small; the handle is an arc."""
    wide, top = (11, 11) if long else (7, 15)
    reach = np.hypot(x, (y - top) * (1 if long else 0.8))
    handle = (y < top + 1) & _between(reach, wide - 5, wide - 3)
    return handle | (_between(y, top, 25) & (np.abs(x) < wide))


def _coat(x: Grid, y: Grid, long: bool) -> Mask:
    """To the shin or to the hip; long sleeves, open at the front."""
    side = np.abs(x)
    end = 27 if long else 19
    body = side < 6 + 0.1 * (y - 3)
    front = side < np.where(y < 8, 2.6 - 0.3 * (y - 3), 0.7)
    return _between(y, 3, end) & (body | _sleeve(side, y, 3, 19)) & ~front


def _sleeve(side: Grid, y: Grid, top: float, end: float) -> Mask:
    """From the shoulder outwards and down to `end`."""
    return _between(y, top, end) & (np.abs(side - 5.5 - 0.35 * (y - top)) < 2)


def _between(values: Grid, low: Grid | float, high: Grid | float) -> Mask:
    return (values >= low) & (values < high)


GARMENTS: dict[str, Callable[[Grid, Grid, bool], Mask]] = {
    "shirt": _shirt,
    "dress": _dress,
    "trousers": _trousers,
    "shoe": _shoe,
    "bag": _bag,
    "coat": _coat,
}


def _plain(x: Cells, y: Cells) -> Mask:
    return np.zeros(x.shape, bool)


def _stripes(x: Cells, y: Cells) -> Mask:
    return y // 2 % 2 < 1


def _dots(x: Cells, y: Cells) -> Mask:
    return (x % 4 < 2) & (y % 4 < 2)


def _checks(x: Cells, y: Cells) -> Mask:
    return (x // 3 + y // 3) % 2 < 1


PATTERNS: dict[str, Callable[[Cells, Cells], Mask]] = {
    "plain": _plain,
    "stripes": _stripes,
    "dots": _dots,
    "checks": _checks,
}
"""Where each pattern is dark."""
