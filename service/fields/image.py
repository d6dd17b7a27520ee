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
    """One picture: PNG or JPEG, as bytes or in base64, or its pixels as nested numbers from 0 to 255."""

    def __init__(self, spec: TensorSpec, image: ImageInput) -> None:
        from service.images import decode, pixels_left  # loads Pillow: a service without pictures needs none

        super().__init__(replace(spec, shape=(None, *image.dims)), f"{PICTURE} or {nested.a_list(image.dims)}")
        self.dims = image.dims
        self.decode = decode
        self.pixels_left = pixels_left

    def begin(self) -> None:
        self.pixels_left.set(MOST_PIXELS_AT_ONCE)

    def array(self, value: Any) -> Array:
        """uint8 (height, width) or (height, width, 3)."""
        if isinstance(value, list | np.ndarray):
            return self._pixels(value)
        if type(value) is bytes:
            return self.decode(value, self.dims)
        text = value.get("b64") if type(value) is dict and len(value) == 1 else value
        if type(text) is not str:
            raise self.other(value)
        return self.decode(self._bytes(text), self.dims)

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
