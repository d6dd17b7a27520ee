"""Which of ten tones is heard: two hidden layers and a softmax, built in both of Keras' ways.

    signal (n, 64) ─ 32 relu ─ 32 relu ─ tone (n, 10) probabilities

Version 1 is a `Sequential`, used as a layer so that its input and output have names; version 2 is functional. Both
have the same weights in the same order.
"""

import keras
from keras import layers

from models.architecture import Architecture, Head, connected

SAMPLES, HIDDEN, TONES = 64, 32, 10


def sequential(tone: int = TONES) -> keras.Model:
    """A signal of 64 samples in, a probability per tone out."""
    signal = keras.Input((SAMPLES,), name="signal")
    stack = keras.Sequential(
        [
            keras.Input((SAMPLES,)),
            layers.Dense(HIDDEN, "relu"),  # (n, 32)
            layers.Dense(HIDDEN, "relu"),  # (n, 32)
            layers.Dense(tone, "softmax"),  # (n, 10)
        ],
        name="tone",
    )
    return connected({"signal": signal}, {"tone": stack(signal)}, name="classifier")


def functional(tone: int = TONES) -> keras.Model:
    """The same model, layer upon layer called on a tensor."""
    signal = keras.Input((SAMPLES,), name="signal")
    x = layers.Dense(HIDDEN, "relu")(signal)  # (n, 32)
    x = layers.Dense(HIDDEN, "relu")(x)  # (n, 32)
    outputs = {"tone": layers.Dense(tone, "softmax", name="tone")(x)}  # (n, 10)
    return connected({"signal": signal}, outputs, name="classifier")


HEADS = {"tone": Head("sparse_categorical_crossentropy", metric="accuracy")}
SEQUENTIAL = Architecture(sequential, HEADS)
FUNCTIONAL = Architecture(functional, HEADS)
