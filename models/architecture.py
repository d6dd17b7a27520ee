"""A graph and how its outputs are trained: one row per head, so that loss, weight and metric cannot fall apart."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
from numpy.typing import NDArray

Adapt = Callable[[keras.Model, Mapping[str, Sequence[NDArray[Any]]], Mapping[str, NDArray[Any]]], None]
"""Sets weights that are computed and not learnt, from the training rows: inputs, one array a row, and targets."""


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

    Every size has a default, the published one. A size with the name of an output, or of an input that is a category,
    is its number of classes. A `build` that masks takes `masked=False` for the same layers with the same weights that
    mask nothing: for rows without padding the two agree, and the unmasked one converts to a fused ONNX operator.

    `adapt` runs before the first epoch. `load_weights(model, file)` is what `--weights FILE` means for this model.
    """

    build: Callable[..., keras.Model]
    heads: Mapping[str, Head] = field(default_factory=dict)
    adapt: Adapt | None = None
    load_weights: Callable[[keras.Model, Path], None] | None = None

    def unmasked(self, **sizes: int) -> keras.Model:
        """The model as it answers rows without padding."""
        masks = "masked" in inspect.signature(self.build).parameters
        return self.build(**sizes, masked=False) if masks else self.build(**sizes)

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


def connected(inputs: Mapping[str, Any], outputs: Mapping[str, Any], name: str) -> keras.Model:
    """The functional model from named inputs to named outputs.

    ValueError if some output does not depend on some input; it names both, which Keras does not.
    """
    for output, tensor in outputs.items():
        reached = ancestors(tensor)
        for given, start in inputs.items():
            if id(start) not in reached:
                raise ValueError(f"{name}: output {output!r} does not depend on input {given!r}")
    return keras.Model(dict(inputs), dict(outputs), name=name)


def ancestors(tensor: Any) -> set[int]:
    """The ids of all the tensors that a symbolic tensor is computed from, its own among them."""
    reached: set[int] = set()
    ahead = [tensor]
    while ahead:
        tensor = ahead.pop()
        if id(tensor) not in reached:
            reached.add(id(tensor))
            history = tensor._keras_history  # noqa: SLF001  Keras has no public way from a tensor to its operation
            ahead += history.operation._inbound_nodes[history.node_index].input_tensors  # noqa: SLF001
    return reached
