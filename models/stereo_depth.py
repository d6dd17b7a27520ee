"""How far away things are, seen by two cameras side by side: one base sees both pictures, a model used as a layer.

    left  (n, 250, 250, 3) ─┐        ┌ features ─┐
                            ├ "base" ┤           ├ concatenate ─ head ─ depth (n, 8, 8), in m
    right (n, 250, 250, 3) ─┘        └ features ─┘

Version 1 has the convolutional base of Xception (Chollet 2017, arXiv:1610.02357), as published; `load_weights` gives it
weights that were trained elsewhere. Its features (n, 8, 8, 2048) stand 32 pixels apart.

Version 2 has a small base whose features (n, 32, 128, 16) stand 2 pixels apart in a row, enough to tell disparities,
and concatenates every fourth left one with the right ones at each candidate disparity, as Kendall et al. do (2017,
arXiv:1703.04309). One matcher scores every pair, two convolutions add what the scores nearby tell, and a softmax
over the candidates weighs the depths that they stand for:

    left features ─ repeated (n, 32, 32, 19, 16) ─┐
                                                  ├ (n, 32, 32, 19, 32) ─ match ─ scores (n, 16, 32, 19) ─ + ─ softmax
    right features ─ shifted (n, 32, 32, 19, 16) ─┘                                 └ near ─ context ──────┘      │
                     by 4, 6, … 40 pixels                                                   depth (n, 8, 8) ─ metres
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from models.architecture import Architecture, Head, connected

PIXELS, CELLS = 250, 8
ROWS, COLUMNS, EVERY = 32, 128, 4  # of features; every fourth column is compared
SHIFTS = range(2, 21)  # columns of features, each of 2 pixels
WIDTH, HIDDEN, CONTEXT = 16, 16, 32


def xception() -> keras.Model:
    """Two pictures in, the mean depth of each of 8 × 8 equal parts of the left one out."""
    base = keras.applications.Xception(weights=None, include_top=False, name="base")
    left, right = _pictures()
    scale = layers.Rescaling(1 / 127.5, offset=-1, name="scale")
    merged = layers.Concatenate(name="merge")([base(scale(left)), base(scale(right))])  # (n, 8, 8, 4096)
    return _model(left, right, layers.Conv2D(1, 1, name="metres")(merged))


def shifted() -> keras.Model:
    """The same from a small base and features compared at every candidate disparity."""
    base, shift = _base(), _shift()
    small = keras.initializers.RandomNormal(stddev=0.01)  # what is near joins in little by little
    left, right = _pictures()
    scale = layers.Rescaling(1 / 127.5, offset=-1, name="scale")
    seen, other = base(scale(left)), base(scale(right))  # (n, 32, 128, 16)
    repeated = ops.repeat(ops.expand_dims(seen[:, :, ::EVERY], 3), len(SHIFTS), axis=3)
    x = layers.Concatenate(name="merge")([repeated, shift(other)])  # (n, 32, 32, 19, 32)
    x = layers.Dense(HIDDEN, "relu", name="match")(x)
    x = layers.Dense(1, use_bias=False, name="score")(x)  # (n, 32, 32, 19, 1)
    x = layers.Reshape((ROWS, COLUMNS // EVERY, len(SHIFTS)))(x)
    x = layers.AveragePooling2D((2, 1))(x)  # (n, 16, 32, 19)
    near = layers.Conv2D(CONTEXT, 3, padding="same", activation="relu", name="near")(x)  # (n, 16, 32, 32)
    x = layers.Add()([x, layers.Conv2D(len(SHIFTS), 3, padding="same", kernel_initializer=small, name="context")(near)])
    x = layers.Softmax(name="agreement")(x)
    x = layers.Dense(1, use_bias=False, name="metres")(x)  # (n, 16, 32, 1)
    return _model(left, right, layers.AveragePooling2D((2, 4))(x))


def _pictures() -> tuple[Any, Any]:
    shape = (PIXELS, PIXELS, 3)
    return keras.Input(shape, dtype="uint8", name="left"), keras.Input(shape, dtype="uint8", name="right")


def _model(left: Any, right: Any, metres: Any) -> keras.Model:
    depth = layers.Reshape((CELLS, CELLS), name="depth")(metres)  # (n, 8, 8, 1) to (n, 8, 8)
    return connected({"left": left, "right": right}, {"depth": depth}, name="stereo_depth")


def _base() -> keras.Model:
    """Features 8 rows and 2 columns apart. The border of 3 pixels makes whole cells of 32."""
    relu: dict[str, Any] = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    picture = keras.Input((PIXELS, PIXELS, 3))
    x = layers.ZeroPadding2D(3)(picture)  # (n, 256, 256, 3)
    x = layers.Conv2D(WIDTH, (8, 5), strides=(4, 2), **relu)(x)  # (n, 64, 128, 16)
    x = layers.Conv2D(WIDTH, 3, strides=(2, 1), **relu)(x)  # (n, 32, 128, 16)
    return keras.Model(picture, layers.Conv2D(WIDTH, 1)(x), name="base")


def _shift() -> keras.Model:
    """Features moved to the right by each candidate disparity, zeros where nothing comes from."""
    features = keras.Input((ROWS, COLUMNS, WIDTH))
    most = max(SHIFTS)
    padded = layers.ZeroPadding2D(((0, 0), (most, 0)))(features)  # (n, 32, 148, 16)
    moved = [padded[:, :, most - shift : most - shift + COLUMNS : EVERY] for shift in SHIFTS]
    return keras.Model(features, ops.stack(moved, axis=3), name="shift")


def adapt_bias(
    model: keras.Model, inputs: Mapping[str, Sequence[NDArray[Any]]], targets: Mapping[str, NDArray[Any]]
) -> None:
    """Begin with the mean depth of the training rows."""
    kernel, _ = model.get_layer("metres").get_weights()
    model.get_layer("metres").set_weights([kernel, targets["depth"].mean(keepdims=True).reshape(1)])


def adapt_depths(
    model: keras.Model, inputs: Mapping[str, Sequence[NDArray[Any]]], targets: Mapping[str, NDArray[Any]]
) -> None:
    """Begin with depths inversely proportional to the disparities, their mean that of the training rows."""
    inverse = 1 / np.asarray(SHIFTS, dtype=np.float32)
    model.get_layer("metres").set_weights([(inverse * (targets["depth"].mean() / inverse.mean()))[:, None]])


def load_weights(model: keras.Model, file: Path) -> None:
    """Give the base the weights of a Keras weights file; ValueError if it is none or is of another base."""
    try:
        with warnings.catch_warnings():
            # Keras only warns where a part of the file is missing, and leaves that part of the model as it is.
            warnings.simplefilter("error", UserWarning)
            model.get_layer("base").load_weights(file)
    except (ValueError, OSError, KeyError, UserWarning) as problem:
        reason = str(problem).strip().splitlines()[0]
        raise ValueError(f"{file.name} holds no weights that fit the base of {model.name}: {reason}") from problem


HEADS = {"depth": Head("mse", metric="mae")}
XCEPTION = Architecture(xception, HEADS, adapt_bias, load_weights)
SHIFTED = Architecture(shifted, HEADS, adapt_depths, load_weights)
