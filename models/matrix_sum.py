"""x + y: a computation graph with nothing to learn.

x (n, 2, 2) ─┐
             ├ sum (n, 2, 2)
y (n, 2, 2) ─┘
"""

import keras
from keras import layers

from models.architecture import Architecture, Head, connected

DIMS = (2, 2)


def build() -> keras.Model:
    """Two matrices in, their sum out."""
    x = keras.Input(DIMS, name="x")
    y = keras.Input(DIMS, name="y")
    return connected({"x": x, "y": y}, {"sum": layers.Add(name="sum")([x, y])}, name="matrix_sum")


SUM = Architecture(build, {"sum": Head("mse")})
