"""Marshmallow fields, one per kind of input: a JSON value to one row of the tensor, or its fault and where it lies."""

from service.fields.kinds import build
from service.fields.tensor import Tensor
from service.fields.tokens import Tokens

__all__ = ["Tensor", "Tokens", "build"]
