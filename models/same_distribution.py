"""Were two samples of five numbers drawn from the same distribution?

    first  (n, 5) ─┐          ┌ (n, 1) ─┐
                   ├─ shared ─┤         ├ (n, 2) ─ 4 cases ─ same (n, 1) probability
    second (n, 5) ─┘          └ (n, 1) ─┘

Both samples go through the very same neuron; what follows has to learn when its two answers are alike. From random
weights about one training in a hundred learns three of the four cases (low or high, twice) and stays there. So each of
the four hidden neurons begins at one case, answering 0.88 to it and at most 0.12 to the others.
"""

import keras
from keras import layers

from models.architecture import Architecture, Head, connected

NUMBERS = 5
KERNEL = keras.initializers.Constant([[-4, -4, 4, 4], [-4, 4, -4, 4]])  # of the four cases
BIAS = keras.initializers.Constant([2, -2, -2, -6])


def build() -> keras.Model:
    """Two samples of five numbers in, one probability out."""
    first = keras.Input((NUMBERS,), name="first")
    second = keras.Input((NUMBERS,), name="second")
    shared = layers.Dense(1, "sigmoid", name="shared")
    x = layers.Concatenate(name="merge")([shared(first), shared(second)])  # (n, 2)
    x = layers.Dense(4, "sigmoid", kernel_initializer=KERNEL, bias_initializer=BIAS, name="cases")(x)  # (n, 4)
    same = layers.Dense(1, "sigmoid", name="same")(x)  # (n, 1)
    return connected({"first": first, "second": second}, {"same": same}, name="same_distribution")


SHARED = Architecture(build, {"same": Head("binary_crossentropy", metric="accuracy")})
