"""Inputs of numbers between bounds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from service import nested
from service.card import NumbersInput
from service.fields.tensor import Tensor
from service.nested import Misfit, plain
from service.signature import TensorSpec
from service.tensors import Array
from service.wording import between


class Numbers(Tensor):
    """One row of numbers between bounds; an open first axis has so many steps at most."""

    def __init__(self, spec: TensorSpec, numbers: NumbersInput) -> None:
        dims = [known or size for known, size in zip(numbers.dims, spec.dims, strict=True)]
        super().__init__(replace(spec, shape=(None, *dims)))
        self.most_steps = numbers.max_length if dims and dims[0] is None else None
        self.bounds = numbers.minimum, numbers.maximum
        self.bounded = self.bounds != (None, None)
        with np.errstate(over="ignore"):  # a bound beyond the dtype is none
            bound = spec.dtype.type if spec.dtype.kind == "f" else np.float64
            self.low = bound(-np.inf if numbers.minimum is None else numbers.minimum)
            self.high = bound(np.inf if numbers.maximum is None else numbers.maximum)

    def array(self, value: Any) -> Array:
        """float (*dims)."""
        numbers = super().array(value)
        if self.most_steps is not None and len(numbers) > self.most_steps:
            raise Misfit((), f"expected at most {self.most_steps} steps, got {len(numbers)}")
        if self.bounded and not (numbers.min() >= self.low and numbers.max() <= self.high):
            wrong = int(np.flatnonzero(~((numbers >= self.low) & (numbers <= self.high)))[0])
            path = nested.path(wrong, numbers.shape)
            raise Misfit(path, f"expected a number {between(*self.bounds)}, got {nested.show(element(value, path))}")
        return numbers


def element(value: Any, path: Sequence[int]) -> Any:
    """What lies there in a nesting.

    >>> element([[1, 2], [3, 4]], (1, 0))
    3
    """
    for index in path:
        value = value[index]
    return plain(value)
