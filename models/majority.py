"""What most of nine voters want: one neuron, built in both of Keras' ways.

    votes (n, 9) of 0 and 1 ─ majority (n, 1) probability of yes

Version 1 is a `Sequential`, used as a layer so that its input and output have names; version 2 is functional. Both
have the same weights in the same order: a kernel (9, 1), one weight per vote, and a bias (1,).
"""

import keras
from keras import layers

from models.architecture import Architecture, Head, connected

VOTES = 9


def sequential() -> keras.Model:
    """Nine votes in, one probability out."""
    votes = keras.Input((VOTES,), name="votes")
    stack = keras.Sequential([keras.Input((VOTES,)), layers.Dense(1, "sigmoid")], name="majority")
    return connected({"votes": votes}, {"majority": stack(votes)}, name="majority")  # (n, 1)


def functional() -> keras.Model:
    """The same model, its one layer called on a tensor."""
    votes = keras.Input((VOTES,), name="votes")
    outputs = {"majority": layers.Dense(1, "sigmoid", name="majority")(votes)}  # (n, 1)
    return connected({"votes": votes}, outputs, name="majority")


HEADS = {"majority": Head("mse", metric="accuracy")}
SEQUENTIAL = Architecture(sequential, HEADS)
FUNCTIONAL = Architecture(functional, HEADS)
