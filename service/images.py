"""Pictures as clients send them, PNG or JPEG, to pixels as a model takes them.

    bytes ─▶ header: format, size ─▶ pixels ─▶ upright ─▶ on white, in so many channels ─▶ of that size
             Misfit: neither, too     Misfit: damaged,                                     Misfit: of another
             large, animated          cut short                                            aspect ratio

Pillow comes with this module, so a service imports it where a model takes pictures, and nowhere else.
"""

import io
import math
import warnings
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from service.nested import Misfit

MOST_PIXELS = 16_000_000
"""A larger picture is refused before any of its pixels is decoded: a few bytes may claim a billion."""

pixels_left: ContextVar[int | None] = ContextVar("pixels_left", default=None)
"""How many more pixels this request's pictures may have, where that is counted."""

FORMATS = {b"\x89PNG\r\n\x1a\n": PngImageFile, b"\xff\xd8\xff": JpegImageFile}
"""By their first bytes; Pillow's own guess would try dozens of formats, and of a large picture only warn."""

warnings.filterwarnings("ignore", module=r"PIL\.")  # odd metadata in a client's picture is nothing to an operator


def decode(data: bytes, dims: tuple[int, ...]) -> NDArray[np.uint8]:
    """The pixels of a PNG or JPEG, of shape `dims`: (height, width) in grey or (height, width, 3) in colour.

    It is turned upright as its EXIF orientation says, laid over white where it is transparent, and brought to eight
    bits and to the wanted channels: grey is ITU-R 601-2 luma, a grey picture in colour is three times the same. Of
    another size but the same aspect ratio it is resized by Pillow's BILINEAR, which averages when it shrinks.

    Raises Misfit of what is no such picture, has more than MOST_PIXELS, or more than the request may still have, is
    animated, damaged or of another aspect ratio.
    """
    try:
        image = opened(data)
        spend(math.prod(image.size))
        image.load()
        pixels = flat(upright(image), "L" if len(dims) == 2 else "RGB")
    except Misfit:
        raise
    except Exception as error:  # Pillow raises whatever its parsers do
        raise Misfit((), "expected a whole picture, but this one is damaged or cut short") from error
    return np.array(resized(pixels, dims[1], dims[0]))


def levels(black: float, white: float, dtype: Any) -> NDArray[Any]:
    """What the 256 levels of a pixel are to a model that takes floats.

    >>> levels(-1, 1, np.float32)[[0, 255]].tolist()
    [-1.0, 1.0]
    """
    return (black + np.arange(256) * (white - black) / 255).astype(dtype)


def spend(pixels: int) -> None:
    """Misfit if that is more than the request's pictures may still have."""
    left = pixels_left.get()
    if left is None:
        return
    if pixels > left:
        raise Misfit((), "expected fewer pixels in all pictures of a request; make them smaller, or ask in several")
    pixels_left.set(left - pixels)


def opened(data: bytes) -> Image.Image:
    """The picture with its header read, and no pixel yet."""
    kind = next((kind for start, kind in FORMATS.items() if data.startswith(start)), None)
    if kind is None:
        raise Misfit((), f"expected a PNG or JPEG picture, got {f'{len(data)} other bytes' if data else 'no bytes'}")
    image: Image.Image = kind(io.BytesIO(data))
    if math.prod(image.size) > MOST_PIXELS:
        most = f"{MOST_PIXELS / 1e6:g} megapixels"
        raise Misfit((), f"expected a picture of at most {most}, got {size(image)}; make it smaller first")
    if getattr(image, "is_animated", False):
        raise Misfit((), "expected a still picture, got an animated one")
    return image


def upright(image: Image.Image) -> Image.Image:
    """As its EXIF orientation says; as it is where its EXIF cannot be read."""
    with suppress(Exception):
        return ImageOps.exif_transpose(image)
    return image


def flat(image: Image.Image, mode: str) -> Image.Image:
    """In eight bits a channel, "L" or "RGB", over white."""
    if image.mode == "I;16":
        image = eight_bits(image)
    if not image.has_transparency_data:
        return image.convert(mode)
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert(mode)


def eight_bits(image: Image.Image) -> Image.Image:
    """Of 16-bit grey the high byte, as Pillow itself does for colours; its transparent grey, if there is one, white."""
    deep: NDArray[Any] = np.asarray(image)
    grey = (deep >> 8).astype(np.uint8)
    grey[deep == image.info.get("transparency", -1)] = 255
    return Image.fromarray(grey)


def resized(image: Image.Image, width: int, height: int) -> Image.Image:
    """In that size; Misfit unless scaling keeps the aspect ratio to within one pixel of the result."""
    if image.size == (width, height):
        return image
    off = abs(image.width * height - image.height * width)  # pixels off in one direction, times the size in the other
    if off > max(image.size):
        expected = f"a picture of {width} × {height}, or of that aspect ratio"
        raise Misfit((), f"expected {expected}, got {size(image)}; crop it first")
    return image.resize((width, height), Image.Resampling.BILINEAR)


def size(image: Image.Image) -> str:
    """Width by height, in a message."""
    return f"{image.width} × {image.height}"
