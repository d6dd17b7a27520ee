"""Whether two series of vectors have one theme; one LSTM reads both.

    left  (n, t, 128) ─┐          ┌ state (n, 32) ─┐
                       ├ one LSTM ┤                ├ merge ─ similar (n, 1) probability
    right (n, u, 128) ─┘          └ state (n, 32) ─┘

Version 1, as published, concatenates the two states l and r: (n, 64). Its log odds are a sum, f(l) + g(r), which cannot
compare: wherever both themes are as likely on either side, it does not beat a guess.

Version 2 adds what tells how far the states agree, |l − r| and l · r, number by number: (n, 128).
"""

from typing import Any

import keras
from keras import layers, ops

from models.architecture import Architecture, Head, connected

WIDTH, STATE = 128, 32  # of a vector, of the LSTM


def concatenated(masked: bool = True) -> keras.Model:
    """Series of `t` and `u` vectors in, a probability out; a vector of zeros is padding, which `masked` leaves out."""
    return _siamese(masked, lambda left, right: layers.Concatenate(name="merge")([left, right]))


def compared(masked: bool = True) -> keras.Model:
    """The same with the difference and the product of the two states."""
    return _siamese(
        masked,
        lambda left, right: layers.Concatenate(name="merge")([left, right, ops.absolute(left - right), left * right]),
    )


def _siamese(masked: bool, merge: Any) -> keras.Model:
    left = keras.Input((None, WIDTH), name="left")
    right = keras.Input((None, WIDTH), name="right")
    read = layers.LSTM(STATE, name="read")
    real = layers.Masking(0.0, name="real") if masked else layers.Identity(name="real")
    merged = merge(read(real(left)), read(real(right)))  # (n, 64) or (n, 128)
    similar = layers.Dense(1, "sigmoid", name="similar")(merged)  # (n, 1)
    return connected({"left": left, "right": right}, {"similar": similar}, name="siamese_vectors")


HEADS = {"similar": Head("binary_crossentropy", metric="accuracy")}
CONCATENATED = Architecture(concatenated, HEADS)
COMPARED = Architecture(compared, HEADS)
