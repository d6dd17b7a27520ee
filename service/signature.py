"""What a model takes and gives: names, dtypes and shapes. Shapes include the batch axis; an unknown size is None."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]

JSON_KINDS = "fiubO"
"""The kinds of NumPy dtype that JSON can carry: floats, integers, booleans and strings."""

BRAIN = "bfloat16"
"""A float, too: but NumPy knows it by an extension only, which comes with TensorFlow, and takes it for bytes."""


@dataclass(frozen=True)
class TensorSpec:
    """One tensor: `shape[0]` is the batch axis, `dims` the shape of one row. Strings have dtype object."""

    name: str
    dtype: np.dtype[Any]
    shape: Shape

    @property
    def dims(self) -> Shape:
        """The shape of one row."""
        return self.shape[1:]

    @property
    def single(self) -> bool:
        """Whether a row is one element, by itself or in a list of one."""
        return self.dims in ((), (1,))

    @property
    def element(self) -> "TensorSpec":
        """An element of its rows, as a tensor of its own."""
        return replace(self, shape=self.shape[:1])

    @property
    def type(self) -> str:
        """Its dtype as clients know it."""
        return "string" if self.dtype.kind == "O" else self.dtype.name


@dataclass(frozen=True)
class Signature:
    """The named inputs and outputs of a model, in the model's own order."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    def unbatched(self) -> list[str]:
        """The tensors that do not begin with a free batch axis: such a model cannot share a batch."""
        return [spec.name for spec in self.specs if not spec.shape or spec.shape[0] is not None]

    def foreign(self) -> list[str]:
        """The tensors of a dtype that JSON has no values for, such as complex64."""
        return [
            f"{spec.name} is {spec.dtype.name}"
            for spec in self.specs
            if spec.dtype.kind not in JSON_KINDS and spec.dtype.name != BRAIN
        ]

    @property
    def specs(self) -> list[TensorSpec]:
        """All inputs, then all outputs."""
        return [*self.inputs.values(), *self.outputs.values()]
