"""JSON whose long lists of numbers come out as arrays, without a Python object for every number (simdjson).

In all else it is what orjson makes of the body: what it cannot promise that of, it leaves to orjson.
"""

import math
from typing import Any

import numpy as np
import simdjson

from service.nested import EXACT
from service.tensors import Array

LARGE = 4096
"""Bytes of a body below which nothing is gained."""
LEAST = 64
"""Numbers of a list that becomes an array."""
WIDTH = 8
"""Numbers of an innermost list, at least: each list is looked at to see that it is as long as its neighbours."""
MOST_MEMBERS = 100
"""Of an object: simdjson looks for each by its name, from the first on. A row has a few inputs."""
BRACKET = ord("[")
BUFFERS = {int: (("i", np.dtype(np.int64)), ("d", np.dtype(np.float64))), float: (("d", np.dtype(np.float64)),)}
"""What a list may be, by its first number: after an integer, more of them or not."""
MARK = b"\xef\xbb\xbf"
"""simdjson would overlook a byte order mark, which JSON has not (RFC 8259, section 8.1)."""


class NotAlike(ValueError):
    """orjson may make something else of it."""


def loads(body: bytes) -> Any:
    """A body with its long lists of numbers, but not the outermost, as arrays of int64 or float64.

    Whatever it raises, orjson is to be asked: for the value, or for why there is none.

    >>> loads(b'{"x": [[%s], [%s]], "y": [1, 2]}' % (b", ".join([b"1.5"] * 99), b", ".join([b"2"] * 99)))["x"].shape
    (2, 99)
    """
    if body.startswith(MARK):
        raise NotAlike
    reader = Reader()
    root = simdjson.Parser().parse(body)
    read = reader.values(root) if isinstance(root, simdjson.Array) else reader.value(root)
    if reader.lists != np.count_nonzero(np.frombuffer(body, np.uint8) == BRACKET):
        raise NotAlike  # a list hides among the numbers of another
    return read


class Reader:
    """Reads a document, and counts the lists it has seen."""

    def __init__(self) -> None:
        self.lists = 0

    def value(self, node: Any) -> Any:
        """A value as orjson makes it, or an array."""
        if isinstance(node, simdjson.Object):
            keys = list(node)
            if len(keys) > MOST_MEMBERS or len(set(keys)) < len(keys):
                raise NotAlike  # of members with one name orjson takes the last, simdjson finds the first
            return {key: self.value(node[key]) for key in keys}
        if isinstance(node, simdjson.Array):
            array = self.numbers(node)
            return self.values(node) if array is None else array
        return node

    def values(self, node: Any) -> list[Any]:
        """A list, value by value."""
        self.lists += 1
        return [self.value(inner) for inner in node]

    def numbers(self, node: Any) -> Array | None:
        """A rectangular nesting of many numbers as an array; None of anything else."""
        shape, first = sizes(node)
        if math.prod(shape) < LEAST or shape[-1] < WIDTH or not is_of(node, shape):
            return None
        for kind, dtype in BUFFERS[first]:
            try:
                array = np.frombuffer(node.as_buffer(of_type=kind), dtype).reshape(shape)
            except TypeError:  # a number with a fraction is no integer; text and true are none of both
                continue
            if kind == "d" and not (array.min() >= -EXACT and array.max() <= EXACT):
                return None  # an integer may be among them that no float stands for
            self.lists += sum(math.prod(shape[:axis]) for axis in range(len(shape)))
            return array
        return None


def sizes(node: Any) -> tuple[list[int], type]:
    """The lengths of a list, of its first list, and so on, and the first number's type; [0] where there is none."""
    shape: list[int] = []
    while isinstance(node, simdjson.Array) and len(node):
        shape.append(len(node))
        node = node[0]
    return (shape, type(node)) if type(node) in BUFFERS else ([0], int)


def is_of(node: Any, shape: list[int]) -> bool:
    """Whether a nesting of lists has that shape, whatever the innermost hold. TypeError where a list is none."""
    if len(node) != shape[0] or len(shape) == 1:
        return len(node) == shape[0]
    return set(map(len, node)) == {shape[1]} if len(shape) == 2 else all(is_of(inner, shape[1:]) for inner in node)
