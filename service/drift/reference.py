"""The features of a version that are watched: their bins and the training's counts, from the card."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from service import tensors
from service.drift import bins as binned
from service.drift.bins import Bins
from service.drift.features import Array, Spec, measure
from service.tensors import ALIKE, Ragged, Tensors

SIDES = ("inputs", "outputs")


class NotWatched(ValueError):
    """There is no distribution on the card, or none that makes sense."""


@dataclass(frozen=True)
class Feature:
    """One of them; `at` is where its bins lie among those of all features."""

    side: str
    name: str
    feature: str
    bins: Bins
    training: Array
    """Rows in every bin, (bins,)."""
    at: slice


@dataclass(frozen=True)
class Reference:
    """All of them, and the inputs and outputs they are features of, as the card describes these."""

    features: Sequence[Feature]
    specs: Mapping[str, Mapping[str, Spec]]
    """By side and name."""

    @property
    def size(self) -> int:
        """The bins of all features."""
        return sum(len(feature.bins.names) for feature in self.features)

    def elements(self, inputs: Tensors, outputs: Tensors) -> int:
        """How many numbers are looked at in every row."""
        both = zip(SIDES, (inputs, outputs), strict=True)
        return sum(
            array.size // len(array)
            for side, given in both
            for name, array in given.items()
            if name in self.specs[side]
        )

    def count(self, inputs: Tensors, outputs: Tensors, ragged: Ragged = ALIKE) -> Array:
        """The rows in every bin of every feature, (size,)."""
        seen = {}
        for side, given in zip(SIDES, (inputs, outputs), strict=True):
            for name, spec in self.specs[side].items():
                lengths = given.get(ragged[name]) if name in ragged else None
                seen[side, name] = measure(spec, tensors.widened(given[name]), lengths)
        return np.concatenate([binned.count(one.bins, seen[one.side, one.name][one.feature]) for one in self.features])


def read(document: Mapping[str, Any]) -> Reference:
    """What a card says; NotWatched."""
    if "distribution" not in document:
        lacks = "its card has no distribution of the training's rows; export it again" if document else "it has no card"
        raise NotWatched(lacks)
    try:
        features = list(_features(document))
        if not features:
            raise ValueError("it has no features")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NotWatched(f"the distribution on its card makes no sense: {type(error).__name__}: {error}") from error
    watched = {(feature.side, feature.name) for feature in features}
    specs = {side: {name: spec for name, spec in document[side].items() if (side, name) in watched} for side in SIDES}
    return Reference(features, specs)


def _features(document: Mapping[str, Any]) -> Iterator[Feature]:
    start = 0
    for side in SIDES:
        for name, described in document["distribution"][side].items():
            for one in described:
                found = binned.build(document[side][name], one)
                training = np.array(one["counts"], np.float64)
                if training.shape != (len(found.names),) or not training.sum() > 0 or training.min() < 0:
                    raise ValueError(f"{side}/{name}/{one['feature']} has counts for other bins")
                yield Feature(side, name, one["feature"], found, training, slice(start, start + len(found.names)))
                start += len(found.names)
