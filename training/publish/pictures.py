"""Inputs that are pictures: bytes of a size, or floats of which it is known what black and white are in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.card import FLOATS, ImageInput
from service.images import levels
from service.signature import TensorSpec
from training.formats import checks
from training.generators.encoded import png
from training.mistakes import Mistake
from training.task import Image

Array = NDArray[Any]
BYTES = (0, 255)


def meant(spec: TensorSpec, said: Mapping[str, Any], *, scaled: bool) -> ImageInput | None:
    """How pictures go into an input; None if it is none. It may be known that the model scales bytes by itself.

    Mistake where its owner says that it is one, and nobody what black and white are.

    >>> shapes = (28, 28), (9, 9, 3), (9, 9, 4)
    >>> [meant(TensorSpec("x", np.dtype("uint8"), (None, *dims)), {}, scaled=False) is None for dims in shapes]
    [False, False, True]
    """
    height, width, *colours = spec.dims if len(spec.dims) > 1 else (None, None)
    fits = colours in ([], [1], [3]) and height is not None and width is not None
    bytewise, floating = spec.dtype == np.uint8, spec.type in FLOATS
    is_one = said["kind"] == "image" if "kind" in said else bytewise or (scaled and bool(colours))
    if not (fits and is_one and (bytewise or floating)):
        return None
    ends = said.get("range", BYTES if scaled else None) if floating else None
    if floating and ends is None:
        raise Mistake(f'{spec.name} is of floats: say what black and white are in them, such as "range": [0, 1]')
    return ImageInput(height or 0, width or 0, 3 if colours == [3] else 1, range=ends and (ends[0], ends[1]))


def decoded(value: str, spec: TensorSpec, picture: ImageInput, folder: Path) -> Array:
    """The row of a PNG or JPEG, a file in the folder or in base64; ValueError says what is wrong with it."""
    pixels = checks.image(value, Image("", picture.height, picture.width, picture.channels), folder)
    return _leveled(pixels, spec, picture)


def any_pixels(spec: TensorSpec, picture: ImageInput, random: np.random.Generator) -> Array:
    """A row by chance."""
    return _leveled(random.integers(256, size=picture.dims).astype(np.uint8), spec, picture)


def _leveled(pixels: Array, spec: TensorSpec, picture: ImageInput) -> Array:
    shaped = pixels.reshape(picture.shape(spec.dims))
    return levels(*picture.range, spec.dtype)[shaped] if picture.range else shaped


def encoded(row: Array, picture: ImageInput) -> str:
    """A PNG of a row, in base64."""
    black, white = picture.range or BYTES
    pixels = np.clip(np.round((row.astype(float) - black) / (white - black) * 255), *BYTES)
    return png(pixels.astype(np.uint8).reshape(picture.dims))
