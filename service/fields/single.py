"""Inputs of one element."""

from typing import Any

import numpy as np

from service import nested
from service.fields.category import Category
from service.fields.tensor import Tensor
from service.nested import Misfit
from service.tensors import Array


class Single(Tensor):
    """One row of shape (1,): a list of one element, as `strict` takes it, or that element by itself."""

    def __init__(self, strict: Tensor) -> None:
        one = strict.expected if isinstance(strict, Category) else nested.NAMES[strict.spec.dtype.kind]
        super().__init__(strict.spec, one)
        self._strict = strict

    @property
    def strict(self) -> Tensor:
        return self._strict

    def array(self, value: Any) -> Array:
        """(1,)."""
        if type(value) is list:
            return self._strict.array(value)
        if isinstance(value, np.ndarray):
            return self._strict.array(value if value.ndim else value.reshape(1))
        try:
            return self._strict.array([value])
        except Misfit as misfit:
            raise Misfit(misfit.path[1:], str(misfit)) from None

    def alike(self, other: Tensor) -> bool:
        return isinstance(other, Single) and self._strict.alike(other.strict)
