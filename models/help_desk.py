"""What an article resolves about a question, or that a person must answer it: one of K resolutions or escalate.

Version 1, as published: two encoders that never meet before the last layer.

    question (n, t) int32 ─ embed 32 ─ LSTM 16 ─┐
    article  (n, u) int32 ─ embed 64 ─ LSTM 32 ─┴ (n, 48) ─ resolution (n, 500) probabilities

Version 2 asks whether the two belong together: both go through the very same layers, and are compared.

    question ─┐ words      ┌─ order: max over both ways of an LSTM (n, 64) ─┐ each side, |q − a| and q · a
              ├ (n, t, 64) ┤                                                ├ (n, 512) ─ hidden ─ resolution
    article  ─┘            └─ mean of the words                    (n, 64) ─┘              64
"""

from typing import Any

import keras
from keras import layers, ops

from models.architecture import Architecture, Head, connected

WORDS, RESOLUTIONS = 10_000, 500
WIDTH, STATE, HIDDEN = 64, 32, 64


def two_encoders(words: int = WORDS, resolution: int = RESOLUTIONS, masked: bool = True) -> keras.Model:
    """Question of `t` and article of `u` word ids in, a probability per resolution out; id 0 is padding."""
    question = keras.Input((None,), dtype="int32", name="question")
    article = keras.Input((None,), dtype="int32", name="article")
    asked = layers.LSTM(16)(layers.Embedding(words, 32, mask_zero=masked)(question))  # (n, 16)
    told = layers.LSTM(32)(layers.Embedding(words, 64, mask_zero=masked)(article))  # (n, 32)
    x = layers.Concatenate()([told, asked])  # (n, 48)
    outputs = {"resolution": layers.Dense(resolution, "softmax", name="resolution")(x)}  # (n, 500)
    return connected({"question": question, "article": article}, outputs, name="help_desk")


def compared(words: int = WORDS, resolution: int = RESOLUTIONS, masked: bool = True) -> keras.Model:
    """The same inputs and output; one reader for both sides, then their difference and product."""
    question = keras.Input((None,), dtype="int32", name="question")
    article = keras.Input((None,), dtype="int32", name="article")
    embed = layers.Embedding(words, WIDTH, name="words")
    drop = layers.Dropout(0.3, noise_shape=(None, None, 1))  # Whole words: else a few hundred rows are learnt by heart.
    order = layers.Bidirectional(layers.LSTM(STATE, return_sequences=True), name="order")

    def encode(ids: Any) -> Any:
        real = ops.not_equal(ids, 0) if masked else None
        x = drop(embed(ids))  # (n, t, 64)
        states = order(x, mask=real)  # (n, t, 64)
        return layers.Concatenate()([_most(states, real), _mean(x, real)])  # (n, 128)

    asked, told = encode(question), encode(article)
    x = layers.Concatenate(name="merge")([asked, told, ops.absolute(asked - told), asked * told])  # (n, 512)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(HIDDEN, "relu", name="hidden")(x)  # (n, 64)
    x = layers.Dropout(0.3)(x)
    outputs = {"resolution": layers.Dense(resolution, "softmax", name="resolution")(x)}  # (n, 500)
    return connected({"question": question, "article": article}, outputs, name="help_desk")


def _most(states: Any, real: Any) -> Any:
    """The largest of each state over the words, (n, t, m) to (n, m); padding counts as -1, the least an LSTM says."""
    if real is not None:
        states = ops.where(ops.expand_dims(real, -1), states, -1.0)
    return ops.max(states, axis=1)


def _mean(x: Any, real: Any) -> Any:
    """The mean over words, padding left out; zero, not NaN, where there is nothing but padding."""
    if real is None:
        return ops.mean(x, axis=1)
    weight = ops.expand_dims(ops.cast(real, x.dtype), -1)  # (n, t, 1)
    return ops.sum(x * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1.0)


HEADS = {"resolution": Head("sparse_categorical_crossentropy", metric="accuracy")}
TWO_ENCODERS = Architecture(two_encoders, HEADS)
COMPARED = Architecture(compared, HEADS)
