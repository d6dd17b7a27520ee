"""a · b, b being a variable that the model stores: a computation graph without training.

    a (n, 2, 2) ─ · b (2, 2) ─ product (n, 2, 2)

b is solved for from rows that were made with it, so a new b is exported as a new version from other rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from models.architecture import Architecture, Head, connected

SIZE = 2


def build() -> keras.Model:
    """A matrix in, its product with b out; b is the identity until it is set."""
    a = keras.Input((SIZE, SIZE), name="a")
    b = layers.Dense(SIZE, use_bias=False, kernel_initializer="identity", trainable=False, name="product")
    return connected({"a": a}, {"product": b(a)}, name="matrix_product")  # the last axis of a times b: (n, 2, 2)


def adapt(
    model: keras.Model, inputs: Mapping[str, Sequence[NDArray[Any]]], targets: Mapping[str, NDArray[Any]]
) -> None:
    """Let b be the least-squares solution of a · b = product; ValueError if the rows leave it open."""
    a = np.concatenate(inputs["a"]).astype(float)  # (2n, 2)
    b, _, rank, _ = np.linalg.lstsq(a, targets["product"].reshape(-1, SIZE).astype(float))
    if rank < SIZE:
        raise ValueError("the rows do not determine b: every row of every a is a multiple of one vector")
    model.get_layer("product").set_weights([b.astype("float32")])


PRODUCT = Architecture(build, {"product": Head("mse")}, adapt=adapt)
