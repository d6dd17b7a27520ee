"""Any input: what the signature says, and no more."""

from collections.abc import Sequence
from typing import Any

from marshmallow import ValidationError, fields

from service import nested
from service.card import alike
from service.nested import Misfit
from service.signature import TensorSpec
from service.tensors import Array


class Tensor(fields.Field[Array]):
    """One row of a tensor: nested JSON lists to an array of the spec's dtype and shape, without the batch axis."""

    def __init__(self, spec: TensorSpec, expected: str | None = None) -> None:
        self.expected = expected or nested.expectation(spec.dtype, spec.dims)
        messages: dict[str, Any] = {"null": f"expected {self.expected}, got null"}
        super().__init__(required=True, data_key=spec.name, error_messages=messages)
        self.spec = spec

    def begin(self) -> None:
        """The rows of a request follow."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Array:
        try:
            return self.array(value)
        except Misfit as misfit:
            raise ValidationError(at(misfit.path, str(misfit))) from misfit

    def array(self, value: Any) -> Array:
        """The value as an array; raises nested.Misfit."""
        return nested.to_array(value, self.spec.dtype, self.spec.dims)

    def alike(self, other: "Tensor") -> bool:
        """Whether a value that both take becomes the same array."""
        same = type(self) is type(other) and self.spec.dtype == other.spec.dtype
        return same and alike(self.spec.dims, other.spec.dims)

    @property
    def strict(self) -> "Tensor":
        """The same, of values as the signature has them."""
        return self

    def other(self, value: Any) -> Misfit:
        """That the value is nothing this field takes."""
        return Misfit((), f"expected {self.expected}, got {nested.show(value)}")


def at(path: Sequence[int], message: str) -> Any:
    """A message as marshmallow nests it under its path.

    >>> at((3, 0), "no")
    {3: {0: ['no']}}
    """
    nest: Any = [message]
    for index in reversed(path):
        nest = {index: nest}
    return nest
