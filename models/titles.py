"""Genre and year of a title, from its description: one reading, two heads.

    description ─ words ─ sum / √t ─┬────────────┬─ genre (n, 100) probabilities
    (n, t) int32  64 wide  (n, 64)  │            ▼
                                    └─────────▶ era ─ year (n, 1)
                                                16

Which words there are is all that is heard: a few thousand short texts teach it much sooner than their order. Such texts
are also soon learnt by heart, so whole words are left out in training as well as features. The year hears the genre as
well as the words, for a genre has its time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from models.architecture import Architecture, Head, connected

WORDS, WIDTH, ERA, GENRES = 10_000, 64, 16, 100


def build(words: int = WORDS, genre: int = GENRES, masked: bool = True) -> keras.Model:
    """A description of `t` word ids in, two heads out; id 0 is padding, which `masked` leaves out."""
    description = keras.Input((None,), dtype="int32", name="description")
    real = ops.not_equal(description, 0) if masked else ops.ones_like(description, dtype="bool")
    real = ops.expand_dims(ops.cast(real, "float32"), -1)  # (n, t, 1)

    x = layers.Embedding(words, WIDTH, name="words")(description) * real  # (n, t, 64)
    x = layers.Dropout(0.3, noise_shape=(None, None, 1))(x)
    # Over the root of their number: the sum of many words so varies as much as that of few.
    x = ops.sum(x, axis=1) / ops.sqrt(ops.maximum(ops.sum(real, axis=1), 1.0))  # (n, 64)
    x = layers.Dropout(0.5)(x)
    likely = layers.Dense(genre, "softmax", name="genre")(x)  # (n, 100)
    x = layers.Dense(ERA, "relu", name="era")(layers.Concatenate()([x, likely]))  # (n, 16)
    year = layers.Dense(1, name="year")(layers.Dropout(0.5)(x))  # (n, 1)
    return connected({"description": description}, {"genre": likely, "year": year}, name="titles")


def centre(
    model: keras.Model, inputs: Mapping[str, Sequence[NDArray[Any]]], targets: Mapping[str, NDArray[Any]]
) -> None:
    """Let the year begin at the median of the training rows, and vary about it by their mean distance from it."""
    year = model.get_layer("year")
    kernel, _ = year.get_weights()
    middle = np.median(targets["year"], axis=0)  # (1,)
    year.set_weights([kernel * np.abs(targets["year"] - middle).mean(), middle])


# On real rows the squared error in years is forty times the entropy, and the report suggests weights as far apart; the
# absolute error, which no single old film outweighs, is twice the entropy: 0.4 levels the shares.
MULTI_OUTPUT = Architecture(
    build,
    heads={
        "genre": Head("sparse_categorical_crossentropy", metric="accuracy"),
        "year": Head("mae", weight=0.4, metric="mae"),
    },
    adapt=centre,
)
