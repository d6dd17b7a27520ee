"""What a person does, and the energy it takes, from the acceleration of the body: one reading, two heads.

    acceleration ─ conv ─ pool ─ conv ─ pool ─ conv ─┬─ mean ─┬─ hidden ─┬─ activity (n, 7) probabilities
    (n, 128, 3)    32     32     64     64     64    └─ max  ─┘          └─ energy   (n, 1) kcal
    50 Hz, g       wide   64 long       32 long              128    64

Each convolution looks at 5 steps, after the pools so at 0.1, 0.2 and 0.4 s: less than a step of walking, more than the
contact of a running one. The mean and the maximum over time do not mind where in a movement the window begins.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from models.architecture import Architecture, Head, connected

STEPS, AXES, ACTIVITIES = 128, 3, 7
SPAN, HIDDEN = 5, 64


def build(activity: int = ACTIVITIES) -> keras.Model:
    """Readings along three axes in, two heads out."""
    acceleration = keras.Input((STEPS, AXES), name="acceleration")
    x = _conv(32)(acceleration)  # (n, 128, 32)
    x = layers.MaxPooling1D(2)(x)  # (n, 64, 32)
    x = _conv(64)(x)  # (n, 64, 64)
    x = layers.MaxPooling1D(2)(x)  # (n, 32, 64)
    x = _conv(64)(x)  # (n, 32, 64)
    x = layers.Concatenate(name="merge")([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dropout(0.2)(x)  # (n, 128)
    x = layers.Dense(HIDDEN, "relu", name="hidden")(x)  # (n, 64)
    outputs = {
        "activity": layers.Dense(activity, "softmax", name="activity")(x),  # (n, 7)
        "energy": layers.Dense(1, "softplus", name="energy")(x),  # (n, 1), never below 0
    }
    return connected({"acceleration": acceleration}, outputs, name="activity")


def _conv(width: int) -> layers.Layer:
    return layers.Conv1D(width, SPAN, padding="same", activation="relu", kernel_initializer="he_normal")


def centre(
    model: keras.Model, inputs: Mapping[str, Sequence[NDArray[Any]]], targets: Mapping[str, NDArray[Any]]
) -> None:
    """Let the energy begin at the mean of the training rows, and vary about it by their standard deviation."""
    energy = model.get_layer("energy")
    kernel, _ = energy.get_weights()
    mean = targets["energy"].mean(axis=0)
    energy.set_weights([kernel * targets["energy"].std(), np.log(np.expm1(mean))])  # softplus of it is the mean


# An error is some tenths of a kcal or of a nat; squared, it would be next to nothing where energies are close together.
MULTI_OUTPUT = Architecture(
    build,
    heads={
        "activity": Head("sparse_categorical_crossentropy", metric="accuracy"),
        "energy": Head("mae", weight=0.5, metric="mae"),
    },
    adapt=centre,
)
