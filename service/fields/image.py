"""Inputs of pictures."""

import base64
import string
from dataclasses import replace
from typing import Any

import numpy as np

from service import nested
from service.card import ImageInput
from service.fields.tensor import Tensor
from service.nested import Misfit
from service.signature import TensorSpec
from service.tensors import Array

PICTURE = "a PNG or JPEG picture in base64"
BLANKS = string.whitespace.encode()
MOST_PIXELS_AT_ONCE = 64_000_000
"""Of all pictures of a request: of each a few bytes may claim 16 million, and nobody else is answered meanwhile."""


class Image(Tensor):
    """One picture: PNG or JPEG, as bytes or in base64, or its pixels as nested numbers, as the model takes them."""

    def __init__(self, spec: TensorSpec, image: ImageInput) -> None:
        from service.images import decode, levels, pixels_left  # loads Pillow: a service without pictures needs none

        dims = image.shape(spec.dims)
        super().__init__(replace(spec, shape=(None, *dims)), f"{PICTURE} or {nested.a_list(dims)}")
        self.image = image
        self.decode = decode
        self.levels = levels(*image.range, spec.dtype) if image.range else None
        self.pixels_left = pixels_left

    def begin(self) -> None:
        self.pixels_left.set(MOST_PIXELS_AT_ONCE)

    def array(self, value: Any) -> Array:
        """(height, width), (height, width, 1) or (height, width, 3), uint8 or of the model's floats."""
        if isinstance(value, list | np.ndarray):
            return self._pixels(value)
        if type(value) is bytes:
            return self._decoded(value)
        text = value.get("b64") if type(value) is dict and len(value) == 1 else value
        if type(text) is not str:
            raise self.other(value)
        return self._decoded(self._bytes(text))

    def alike(self, other: Tensor) -> bool:
        """Whether black and white are the same, too."""
        return super().alike(other) and isinstance(other, Image) and self.image.range == other.image.range

    def _decoded(self, data: bytes) -> Array:
        pixels = self.decode(data, self.image.dims).reshape([size or 0 for size in self.spec.dims])
        return pixels if self.levels is None else self.levels[pixels]

    def _pixels(self, value: Any) -> Array:
        try:
            return super().array(value)
        except Misfit as misfit:
            detail = str(misfit).replace("an integer", "a pixel, a whole number from 0 to 255")
            raise Misfit(misfit.path, detail) from None

    def _bytes(self, text: str) -> bytes:
        """Base64, with or without the head of a data URL; line breaks do not matter."""
        if text.startswith("data:"):
            head, _, text = text.partition(",")
            if not head.endswith(";base64"):
                raise Misfit((), "expected a data URL in base64, such as data:image/png;base64,…")
        try:
            return base64.b64decode(text.encode("ascii").translate(None, BLANKS), validate=True)
        except ValueError:
            raise Misfit((), f"expected {self.expected}, got a string that is no base64") from None
