"""What second-hand clothing costs, from what is seen, told and known of it: three branches, merged.

    picture      28 × 28 ─ /255 ─ conv 16 ─ conv 32 ─ conv 32 ─ seen 32 ─┐
    description  (n, t) ─ words 32 ─ LSTM 32 ────────────────────────────┼ (n, 96) ─ dense 64 ─ price (n, 1) EUR
    brand        (n,) ─ embed 8 ─┐                                       │                        │
    age          (n,) ─ scale ───┴ known 32 ─────────────────────────────┘                  exp of the last sum

A price is a product, so the last layer's exponential turns sums into factors, and the loss compares logarithms: the
mean of (log(1 + price) − log(1 + truth))². With fewer `branches` the same layers price clothing by these alone.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from models.architecture import Architecture, Head, connected

WORDS, BRANDS, SIDE = 5_000, 500, 28
WIDTH, STATE, OF_BRAND = 32, 32, 8
FILTERS = (16, 32, 32)
BRANCH, MERGED = 32, 64

BRANCHES: Mapping[str, tuple[str, ...]] = {
    "picture": ("picture",),
    "description": ("description",),
    "metadata": ("brand", "age"),
}
"""The inputs of each branch."""


def build(
    words: int = WORDS, brand: int = BRANDS, masked: bool = True, branches: Sequence[str] = tuple(BRANCHES)
) -> keras.Model:
    """Picture, description of `t` word ids, number of the brand and age in years in; a price in EUR out."""
    every = {
        "picture": keras.Input((SIDE, SIDE), dtype="uint8", name="picture"),
        "description": keras.Input((None,), dtype="int32", name="description"),
        "brand": keras.Input((), dtype="int32", name="brand"),
        "age": keras.Input((), name="age"),
    }
    branch = {
        "picture": lambda: _seen(every["picture"]),
        "description": lambda: _told(every["description"], words, masked),
        "metadata": lambda: _known(every["brand"], every["age"], brand),
    }
    found = [branch[name]() for name in branches]
    x = layers.Concatenate(name="merge")(found) if len(found) > 1 else found[0]  # (n, 96)
    x = layers.Dense(MERGED, "relu", name="merged")(x)  # (n, 64)
    price = layers.Dense(1, "exponential", name="price")(x)  # (n, 1)
    inputs = {name: every[name] for each in branches for name in BRANCHES[each]}
    return connected(inputs, {"price": price}, name="clothing_price")


def _seen(picture: Any) -> Any:
    """The convnet: (n, 28, 28) to (n, 32)."""
    x = layers.Reshape((SIDE, SIDE, 1))(layers.Rescaling(1 / 255)(picture))
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)  # (n, 14, 14, 16), (n, 7, 7, 32), (n, 3, 3, 32)
    return layers.Dense(BRANCH, "relu", name="seen")(layers.Flatten()(x))


def _told(description: Any, words: int, masked: bool) -> Any:
    """The RNN: (n, t) to (n, 32); id 0 is padding, which `masked` leaves out."""
    return layers.LSTM(STATE, name="told")(layers.Embedding(words, WIDTH, mask_zero=masked, name="words")(description))


def _known(brand: Any, age: Any, brands: int) -> Any:
    """The dense branch: two of (n,) to (n, 32). `scale` is frozen: `fit_scales` sets it."""
    of_brand = layers.Embedding(brands, OF_BRAND, name="brands")(brand)  # (n, 8)
    of_age = layers.Dense(1, trainable=False, name="scale")(layers.Reshape((1,))(age))  # (n, 1)
    return layers.Dense(BRANCH, "relu", name="known")(layers.Concatenate()([of_brand, of_age]))


def fit_scales(
    model: keras.Model, inputs: Mapping[str, Sequence[NDArray[Any]]], targets: Mapping[str, NDArray[Any]]
) -> None:
    """Bring ages to mean 0 and deviation 1, and begin at the typical price: its mean logarithm is the last bias."""
    if "age" in model.input:
        ages = np.asarray(inputs["age"], np.float64)
        spread = ages.std() or 1.0
        model.get_layer("scale").set_weights([np.array([[1 / spread]]), np.array([-ages.mean() / spread])])
    price = model.get_layer("price")
    price.set_weights([price.get_weights()[0], np.array([np.log1p(targets["price"]).mean()])])


HEADS = {"price": Head("mean_squared_logarithmic_error", metric="mae")}
JOINT = Architecture(build, HEADS, adapt=fit_scales)
ALONE = {name: Architecture(partial(build, branches=(name,)), HEADS, adapt=fit_scales) for name in BRANCHES}
"""Each branch without the others, to compare with."""
