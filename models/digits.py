"""Which digit a hand wrote, from its pixels.

Version 1, as published: a principal component analysis, here the frozen first layer, and two dense layers behind it.

    image ─ /255 ─ flatten ─ pca ─ hidden ─ digit
    28 × 28          784     60     128      10

Version 2 keeps the neighbourhoods: three convolutions, each followed by a pool that halves the picture.

    image ─ /255 ─ conv ──────── conv ─────── conv ────── flatten ─ digit
    28 × 28        14 × 14 × 16  7 × 7 × 32   3 × 3 × 64    576      10
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from models.architecture import Architecture, Head, connected

SIDE, COMPONENTS, HIDDEN, DIGITS = 28, 60, 128, 10
WHITE = 255
FILTERS = (16, 32, 64)


def principal_components(side: int = SIDE, digit: int = DIGITS) -> keras.Model:
    """Pixels (n, 28, 28) in, a probability per digit out; `fit_components` sets the layer called pca."""
    image = keras.Input((side, side), dtype="uint8", name="image")
    x = layers.Rescaling(1 / WHITE)(image)
    x = layers.Flatten()(x)  # (n, 784)
    x = layers.Dense(COMPONENTS, trainable=False, name="pca")(x)  # (n, 60)
    x = layers.Dense(HIDDEN, "relu", name="hidden")(x)  # (n, 128)
    return connected({"image": image}, {"digit": layers.Dense(digit, "softmax", name="digit")(x)}, name="digits")


def convolutional(side: int = SIDE, digit: int = DIGITS) -> keras.Model:
    """The same input and output, with convolutions of 3 × 3."""
    image = keras.Input((side, side), dtype="uint8", name="image")
    x = layers.Rescaling(1 / WHITE)(image)
    x = layers.Reshape((side, side, 1))(x)
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)  # (n, 14, 14, 16), (n, 7, 7, 32), (n, 3, 3, 64)
    x = layers.Dropout(0.3)(layers.Flatten()(x))  # (n, 576)
    return connected({"image": image}, {"digit": layers.Dense(digit, "softmax", name="digit")(x)}, name="digits")


def fit_components(
    model: keras.Model, inputs: Mapping[str, Sequence[NDArray[Any]]], targets: Mapping[str, NDArray[Any]]
) -> None:
    """Set the frozen layer to the training rows' principal components.

    The components are the rows of V, and (x − mean) Vᵀ = x Vᵀ − mean Vᵀ: a kernel and a bias. Fewer rows than
    components leave the last ones zero.
    """
    from sklearn.decomposition import PCA

    pixels = np.stack(inputs["image"]).reshape(len(inputs["image"]), -1).astype(np.float32) / WHITE  # (n, 784)
    with np.errstate(invalid="ignore"):  # Equal rows vary in nothing, and no component has a share of nothing.
        found = PCA(min(COMPONENTS, *pixels.shape), svd_solver="covariance_eigh").fit(pixels)
    kernel = np.zeros((pixels.shape[1], COMPONENTS), np.float32)
    kernel[:, : found.n_components_] = found.components_.T
    model.get_layer("pca").set_weights([kernel, -found.mean_ @ kernel])


HEADS = {"digit": Head("sparse_categorical_crossentropy", metric="accuracy")}
PRINCIPAL_COMPONENTS = Architecture(principal_components, HEADS, adapt=fit_components)
CONVOLUTIONAL = Architecture(convolutional, HEADS)
