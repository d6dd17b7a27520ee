"""Pictures as a client sends them: base64 of a file."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray


def png(pixels: NDArray[np.uint8], colours: int | None = None) -> str:
    """A PNG, which loses nothing but what a palette of so many colours leaves out; few make a short one."""
    picture = _picture(pixels)
    return _base64(picture if colours is None else picture.quantize(colours).convert("RGB"), "PNG")


def jpeg(pixels: NDArray[np.uint8]) -> str:
    """A small JPEG."""
    return _base64(_picture(pixels), "JPEG", quality=40)


def _picture(pixels: NDArray[np.uint8]) -> Any:
    from PIL import Image

    return Image.fromarray(pixels)


def _base64(picture: Any, form: str, **options: Any) -> str:
    file = BytesIO()
    picture.save(file, form, optimize=True, **options)
    return base64.b64encode(file.getvalue()).decode()
