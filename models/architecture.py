"""A graph and how its outputs are trained: one row per head, so that loss, weight and metric cannot fall apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True)
class Head:
    """How one output is trained.

    `loss` and `metric` are names Keras knows; `weight` multiplies this head's loss in the sum that is minimised.
    """

    loss: str
    weight: float = 1.0
    metric: str | None = None


@dataclass(frozen=True)
class Architecture:
    """One way to build a model: `build(**sizes)` returns an uncompiled functional model with named inputs and outputs.

    Every size has a default, the published one. A size with an output's name is that output's number of classes.
    `masked=False` builds the same layers with the same weights, but embeddings that mask nothing: for rows without
    padding the two agree, and the unmasked one converts to a fused ONNX operator.
    """

    build: Callable[..., keras.Model]
    heads: Mapping[str, Head]

    def compiled(self, optimizer: Any = "adam", **sizes: int) -> keras.Model:
        """Build and compile; ValueError if an output would not be trained or a head trains nothing.

        Keras alone accepts a `loss` dictionary that lacks an output, and trains without it in silence.
        """
        model = self.build(**sizes)
        if set(model.output_names) != set(self.heads):
            raise ValueError(f"{model.name} has outputs {sorted(model.output_names)} but trains {sorted(self.heads)}")
        model.compile(
            optimizer=optimizer,
            loss={name: head.loss for name, head in self.heads.items()},
            loss_weights={name: head.weight for name, head in self.heads.items()},
            metrics={name: [head.metric] for name, head in self.heads.items() if head.metric},
        )
        return model
