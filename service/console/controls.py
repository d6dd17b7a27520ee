"""Which control of the form an input gets: templates/inputs/<control>.html and assets/inputs/<control>.js."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

MOST_CELLS = 16
"""Numbers that people enter one by one; more are pasted."""
SINGLE: Sequence[Sequence[int | None]] = ([], [1])
"""The shapes of a row of one element."""


def control(described: Mapping[str, Any]) -> str:
    """The control of an input, as facts.described tells it.

    >>> control({"kind": "tokens", "dtype": "int32", "dims": [None]})
    'tokens'
    >>> [control({"kind": "numbers", "dtype": "float32", "dims": dims}) for dims in ([1], [2, 2], [128, 3], [None, 2])]
    ['number', 'grid', 'series', 'series']
    >>> [control({"kind": "tensor", "dtype": "string", "dims": dims}) for dims in ([], [1], [3], [None])]
    ['string', 'string', 'json', 'json']
    >>> [control({"kind": "tensor", "dtype": dtype, "dims": [2, None]}) for dtype in ("bool", "int8")]
    ['json', 'json']
    """
    kind, dims = described["kind"], described["dims"]
    if kind in ("tokens", "image", "category"):
        return str(kind)
    if described["dtype"] == "string":
        return "string" if dims in SINGLE else "json"
    return "json" if described["dtype"] == "bool" else of_numbers(dims)


def of_numbers(dims: Sequence[int | None]) -> str:
    """The control of numbers of a shape; an open axis has any size."""
    if dims in SINGLE:
        return "number"
    if len(dims) > 2 or None in dims[1:] or 0 in dims:
        return "json"
    return "grid" if None not in dims and math.prod(size or 0 for size in dims) <= MOST_CELLS else "series"
