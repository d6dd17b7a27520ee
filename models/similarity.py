"""How alike two sentences are, from 0 (unrelated) to 1 (the same); swapping them changes not one bit of the answer.

    left  (n, t) int32 ─┐ words       ┌─ order: last LSTM state (n, 32)  ─┐ |l − r|  (n, 32), (n, 128)
                        ├ (n, t, 128) ┤                                   ├ l · r    (n, 32), (n, 128) ─ similarity
    right (n, u) int32 ─┘             └─ mean of the words      (n, 128) ─┘ cosine   (n, 1), (n, 1)    (n, 1) in [0, 1]

Both sides go through the very same layers, and each merge is a commutative one. The LSTM hears the order of the words,
their mean hears which there are; a few thousand pairs teach the mean much sooner.
"""

from typing import Any

import keras
from keras import layers, ops

from models.architecture import Architecture, Head, connected

WORDS, WIDTH, STATE, HIDDEN = 10_000, 128, 32, 64
TINY = 1e-12  # Makes the cosine of a side without words, a zero vector, zero; and its slope finite.


def build(words: int = WORDS, masked: bool = True) -> keras.Model:
    """Two sentences of `t` and `u` word ids in, one number out; id 0 is padding, which `masked` leaves out."""
    left = keras.Input((None,), dtype="int32", name="left")
    right = keras.Input((None,), dtype="int32", name="right")

    embed = layers.Embedding(words, WIDTH, mask_zero=masked, name="words")
    order = layers.LSTM(STATE, name="order")

    def encode(ids: Any) -> tuple[Any, Any]:
        x = embed(ids)  # (n, t, 128)
        return order(x), _mean(x, ids, masked)  # (n, 32), (n, 128)

    pairs = list(zip(encode(left), encode(right), strict=True))
    x = layers.Concatenate(name="merge")(
        [ops.absolute(a - b) for a, b in pairs] + [a * b for a, b in pairs] + [_cosine(a, b) for a, b in pairs]
    )  # (n, 322)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(HIDDEN, "relu", name="hidden")(x)  # (n, 64)
    x = layers.Dropout(0.5)(x)
    similarity = layers.Dense(1, "sigmoid", name="similarity")(x)  # (n, 1)
    return connected({"left": left, "right": right}, {"similarity": similarity}, name="similarity")


def _mean(x: Any, ids: Any, masked: bool) -> Any:
    """The mean over words, padding left out; zero, not NaN, where there is nothing but padding."""
    if not masked:
        return ops.mean(x, axis=1)
    real = ops.expand_dims(ops.cast(ops.not_equal(ids, 0), x.dtype), -1)  # (n, t, 1)
    return ops.sum(x * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1.0)


def _cosine(a: Any, b: Any) -> Any:
    """The cosine of the angle between two vectors, (n, width) to (n, 1)."""
    squares = ops.sum(a * a, axis=-1, keepdims=True) * ops.sum(b * b, axis=-1, keepdims=True)
    return ops.sum(a * b, axis=-1, keepdims=True) / ops.sqrt(squares + TINY)


SIAMESE = Architecture(build, heads={"similarity": Head("mse", metric="mae")})
