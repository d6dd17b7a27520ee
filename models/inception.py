"""Which shape is in a picture, by two Inception blocks.

    image (n, 64, 64, 3) uint8 ─ stem ─ (n, 8, 8, 64) ─ block ─ (n, 4, 4, 512) ─ block ─ (n, 2, 2, 512) ─ mean ─ shape

A block looks at the same tensor in four ways and halves its height and width; 128 filters in each branch, as published:

        ┌ a: 1×1 strides 2 ────────────────────────┐
        ├ b: 1×1 ───────── 3×3 strides 2 ──────────┤
    x ──┤                                          ├ concatenate: 512 channels
        ├ c: mean of 3×3, strides 2 ── 3×3 ────────┤
        └ d: 1×1 ── 3×3 ── 3×3 strides 2 ──────────┘

The published blocks pad nothing, and there the branches disagree: of 128 × 128 they leave 64, 63, 61 and 62 pixels a
side, which cannot be concatenated. Here each layer pads ("same"), so every branch leaves half, rounded up, of any size.
Batch normalisation stands in the stem and after each block; within a block all is as published.
"""

from typing import Any

import keras
from keras import layers

from models.architecture import Architecture, Head, connected

SIDE, SHAPES = 64, 9  # pixels of a picture's side, classes
FILTERS, BLOCKS = 128, 2
STEM = 32, 64
MOMENTUM = 0.9  # Of the running statistics: those of the last ten batches or so, as trainings here are short.


def build(side: int = SIDE, filters: int = FILTERS, blocks: int = BLOCKS, shape: int = SHAPES) -> keras.Model:
    """Pictures (n, side, side, 3) of red, green, blue, 0 to 255, in; a probability per shape out."""
    image = keras.Input((side, side, 3), dtype="uint8", name="image")
    x = stem(layers.Rescaling(1 / 127.5, offset=-1, name="scale")(image))
    for number in range(1, blocks + 1):
        x = _normalised(block(x, filters, f"block_{number}"))
    x = layers.GlobalAveragePooling2D(name="mean")(x)  # (n, 512)
    outputs = {"shape": layers.Dense(shape, "softmax", name="shape")(x)}  # (n, 9)
    return connected({"image": image}, outputs, name="inception")


def stem(x: Any) -> Any:
    """(n, h, w, 3) to (n, h / 8, w / 8, 64), so that the blocks are cheap."""
    few, many = STEM
    x = _normalised(layers.Conv2D(few, 5, 2, "same", activation="relu", name="stem_1")(x))
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = _normalised(layers.Conv2D(many, 3, 1, "same", activation="relu", name="stem_2")(x))
    return layers.MaxPooling2D(2, padding="same")(x)


def block(x: Any, filters: int = FILTERS, name: str = "block") -> Any:
    """(n, h, w, any) to (n, h / 2, w / 2, 4 · filters), halves rounded up."""

    def convolve(x: Any, size: int, step: str, strides: int = 1) -> Any:
        return layers.Conv2D(filters, size, strides, "same", activation="relu", name=f"{name}_{step}")(x)

    a = convolve(x, 1, "a", strides=2)

    b = convolve(x, 1, "b_1")
    b = convolve(b, 3, "b_2", strides=2)

    c = layers.AveragePooling2D(3, strides=2, padding="same", name=f"{name}_c_1")(x)
    c = convolve(c, 3, "c_2")

    d = convolve(x, 1, "d_1")
    d = convolve(d, 3, "d_2")
    d = convolve(d, 3, "d_3", strides=2)

    return layers.Concatenate(name=name)([a, b, c, d])


def _normalised(x: Any) -> Any:
    return layers.BatchNormalization(momentum=MOMENTUM)(x)


INCEPTION = Architecture(build, {"shape": Head("sparse_categorical_crossentropy", metric="accuracy")})
