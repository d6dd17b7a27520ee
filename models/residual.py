"""Which shape is in a picture, by residual blocks: 25 convolutions deep, learnable since each block adds to its input.

    image (n, 32, 32, 3) uint8 ─ stem ─ (n, 16, 16, 32) ─ 3 × [down ─ same ─ same] ─ (n, 2, 2, 32) ─ mean ─ shape

Both kinds of block, as published; each 3×3 convolution pads and is rectified:

    same:  x ─┬─ 3×3 ── 3×3 ── 3×3 ─────────┬─ +
              └─────────────────────────────┘

    down:  x ─┬─ 3×3 ── 3×3 ── maximum of 2×2 ──┬─ +      half the height and width, rounded up
              └─ 1×1 strides 2, linear ─────────┘

There is no batch normalisation, and weights start as Keras starts them. Without the skips (`skips=False`, the rival of
the study) each rectified convolution then halves the variance of what passes, forwards and backwards.

128 filters are published; 32, the default here, train in a minute on two cores.
"""

from functools import partial
from typing import Any

import keras
from keras import layers

from models.architecture import Architecture, Head, connected

SIDE, SHAPES = 32, 6  # pixels of a picture's side, classes
WIDTH, STAGES, DEPTH = 32, 3, 2


def build(
    side: int = SIDE, width: int = WIDTH, depth: int = DEPTH, shape: int = SHAPES, skips: bool = True
) -> keras.Model:
    """Pictures (n, side, side, 3) of red, green, blue, 0 to 255, in; a probability per shape out.

    `width` filters in every convolution; three times one block that halves and `depth` that keep the size.
    """
    image = keras.Input((side, side, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scale")(image)
    x = layers.Conv2D(width, 5, 2, "same", activation="relu", name="stem")(x)  # (n, 16, 16, 32)
    for stage in range(1, STAGES + 1):
        x = down(x, width, f"down_{stage}", skips)
        for number in range(1, depth + 1):
            x = same(x, width, f"same_{stage}_{number}", skips)
    x = layers.GlobalAveragePooling2D(name="mean")(x)  # (n, 32)
    outputs = {"shape": layers.Dense(shape, "softmax", name="shape")(x)}  # (n, 6)
    return connected({"image": image}, outputs, name="residual")


def same(x: Any, width: int, name: str, skips: bool = True) -> Any:
    """(n, h, w, width) to (n, h, w, width)."""
    y = x
    for number in (1, 2, 3):
        y = _convolve(y, width, f"{name}_{number}")
    return layers.Add(name=name)([y, x]) if skips else y


def down(x: Any, width: int, name: str, skips: bool = True) -> Any:
    """(n, h, w, any) to (n, h / 2, w / 2, width), halves rounded up."""
    y = x
    for number in (1, 2):
        y = _convolve(y, width, f"{name}_{number}")
    y = layers.MaxPooling2D(2, 2, "same", name=f"{name}_3")(y)
    if not skips:
        return y
    shortcut = layers.Conv2D(width, 1, 2, "same", name=f"{name}_shortcut")(x)
    return layers.Add(name=name)([y, shortcut])


def _convolve(x: Any, width: int, name: str) -> Any:
    return layers.Conv2D(width, 3, 1, "same", activation="relu", name=name)(x)


HEADS = {"shape": Head("sparse_categorical_crossentropy", metric="accuracy")}
RESIDUAL = Architecture(build, HEADS)
PLAIN = Architecture(partial(build, skips=False), HEADS)
"""The same net without skips: what the study compares with."""
