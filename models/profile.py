"""Age, income bracket and gender of a person, from the words of their posts: one reading, three heads.

    posts ─ words ─ conv ─ pool ─ conv ─ conv ─ pool ─ conv ─ conv ─ max ─ hidden ─┬─ age    (n, 1)  years
    (n, t)  256     128           256    256           256    256    256   128     ├─ income (n, 10) probabilities
    int32   wide                                                                   └─ gender (n, 1)  probability

Each convolution looks at 5 steps and shortens the sequence by 4, each pool divides it by 5; from 269 words on one step
is left to take the maximum of. Words begin with unit variance and layers as He et al. (2015, arXiv:1502.01852) have
them: the signal so survives eight layers, without which only the age was learnt.
"""

from typing import Any

import keras
from keras import layers

from models.architecture import Architecture, Head, connected

WORDS, WIDTH, SPAN, POOL, HIDDEN, BRACKETS = 50_000, 256, 5, 5, 128, 10


def build(words: int = WORDS, income: int = BRACKETS, masked: bool = True) -> keras.Model:
    """Posts of `t` word ids in, `t` at least 269; three heads out.

    Convolutions know no mask: padding is words like any other, and `masked` changes nothing.
    """
    relu: dict[str, Any] = {"activation": "relu", "kernel_initializer": "he_normal"}
    spread = keras.initializers.RandomNormal(stddev=1.0)
    posts = keras.Input((None,), dtype="int32", name="posts")
    x = layers.Embedding(words, WIDTH, embeddings_initializer=spread, name="words")(posts)  # (n, t, 256)
    x = layers.Conv1D(128, SPAN, **relu)(x)  # (n, t - 4, 128); from here on for t = 500: (n, 496, 128)
    x = layers.MaxPooling1D(POOL)(x)  # (n, 99, 128)
    x = layers.Conv1D(256, SPAN, **relu)(x)  # (n, 95, 256)
    x = layers.Conv1D(256, SPAN, **relu)(x)  # (n, 91, 256)
    x = layers.MaxPooling1D(POOL)(x)  # (n, 18, 256)
    x = layers.Conv1D(256, SPAN, **relu)(x)  # (n, 14, 256)
    x = layers.Conv1D(256, SPAN, **relu)(x)  # (n, 10, 256)
    x = layers.GlobalMaxPooling1D()(x)  # (n, 256)
    x = layers.Dense(HIDDEN, name="hidden", **relu)(x)  # (n, 128)
    outputs = {
        "age": layers.Dense(1, name="age")(x),  # (n, 1)
        "income": layers.Dense(income, "softmax", name="income")(x),  # (n, 10)
        "gender": layers.Dense(1, "sigmoid", name="gender")(x),  # (n, 1)
    }
    return connected({"posts": posts}, outputs, name="profile")


# Squared years dwarf the two entropies; the weights bring the three nearer to each other.
MULTI_OUTPUT = Architecture(
    build,
    heads={
        "age": Head("mse", weight=0.25, metric="mae"),
        "income": Head("sparse_categorical_crossentropy", metric="accuracy"),
        "gender": Head("binary_crossentropy", weight=10.0, metric="accuracy"),
    },
)
