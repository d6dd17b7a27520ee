"""Inputs of one of some labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from service import nested
from service.card import CategoryInput
from service.fields.tensor import Tensor
from service.nested import Misfit, plain
from service.signature import TensorSpec
from service.tensors import Array
from service.wording import MOST_ECHOED, nearest


class Category(Tensor):
    """One label, or its number, counted from 0; a model of strings takes the label itself."""

    def __init__(self, spec: TensorSpec, category: CategoryInput) -> None:
        self.labels = category.labels
        self.taken: Sequence[Any] = self.labels if spec.dtype.kind == "O" else range(len(self.labels))
        self.by_label = dict(zip(self.labels, self.taken, strict=True))
        super().__init__(spec, f"a label or its number from 0 to {len(self.labels) - 1}")

    def array(self, value: Any) -> Array:
        """int or string ()."""
        value = plain(value)
        if type(value) is str:
            taken = self.by_label.get(value)
            if taken is None:
                raise Misfit((), f"unknown label {value[:MOST_ECHOED]!r}{nearest(value, self.labels, 'labels')}")
        elif type(value) is int and 0 <= value < len(self.labels):
            taken = self.taken[value]
        else:
            raise self.other(value)
        return np.array(taken, self.spec.dtype)

    def alike(self, other: Tensor) -> bool:
        return isinstance(other, Category) and super().alike(other) and self.labels == other.labels


class Listed(Category):
    """The same in a list of one."""

    def array(self, value: Any) -> Array:
        """int or string (1,)."""
        [one], _ = nested.flatten(value.tolist() if isinstance(value, np.ndarray) else value, self.spec.dims)
        try:
            return super().array(one).reshape(1)
        except Misfit as misfit:
            raise Misfit((0,), str(misfit)) from None
