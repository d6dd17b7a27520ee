"""Which axis of which tensor is the row, and which is a step of which input: seen by running the graph.

A graph converted from Keras tells few of its shapes. So it is run with one row more, and with one step more of each
input, and the axes that grow with them are told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS, STEPS, APART = 2, 7, 4
"""Rows of the first run; steps of its first input; so many more of each input after it."""


@dataclass(frozen=True)
class Seen:
    """A tensor as it was seen: the axis of its rows, and that of the steps of `source`, of which it has `more`."""

    rank: int
    dtype: np.dtype[Any]
    rows: int | None = None
    time: int | None = None
    source: str = ""
    more: int = 0


def probe(proto: Any, row: Mapping[str, NDArray[Any]], names: Sequence[str]) -> dict[str, Seen]:
    """Every tensor of the graph by name; `row` has a batch axis of 1, `names` are the inputs of any length."""
    run = exposed(proto)
    steps = {name: STEPS + APART * place for place, name in enumerate(names)}
    base = run(sized(row, ROWS, steps))
    wider = run(sized(row, ROWS + 1, steps))
    longer = {name: run(sized(row, ROWS, steps | {name: steps[name] + 1})) for name in names}
    return {
        tensor: seen(array, wider[tensor], {name: grown[tensor] for name, grown in longer.items()}, steps)
        for tensor, array in base.items()
    }


def seen(base: NDArray[Any], wider: NDArray[Any], longer: Mapping[str, NDArray[Any]], steps: Mapping[str, int]) -> Seen:
    """A tensor in all runs, as what it is.

    >>> seen(np.ones((2, 7, 4)), np.ones((3, 7, 4)), {"x": np.ones((2, 8, 4))}, {"x": 7})
    Seen(rank=3, dtype=dtype('float64'), rows=0, time=1, source='x', more=0)
    """
    grown = {"": growth(base, wider)} | {name: growth(base, array) for name, array in longer.items()}
    found = Seen(base.ndim, base.dtype)
    owners = [[name for name, axes in grown.items() if axes[axis]] for axis in range(base.ndim)]
    if any(len(names) > 1 for names in owners) or any(by > 1 for axes in grown.values() for by in axes):
        return found  # Rows and steps, or the steps of two inputs, in one axis.
    rows = [axis for axis, names in enumerate(owners) if names == [""]]
    times = [(axis, names[0]) for axis, names in enumerate(owners) if names and names != [""]]
    if len(rows) > 1 or len(times) > 1:
        return found
    found = Seen(base.ndim, base.dtype, rows[0] if rows else None)
    for axis, name in times:
        found = Seen(base.ndim, base.dtype, found.rows, axis, name, base.shape[axis] - steps[name])
    return found


def growth(less: NDArray[Any], more: NDArray[Any]) -> list[int]:
    """How much longer each axis is."""
    return [new - old for old, new in zip(less.shape, more.shape, strict=True)]


def sized(row: Mapping[str, NDArray[Any]], rows: int, steps: Mapping[str, int]) -> dict[str, NDArray[Any]]:
    """A row repeated, so many steps of each input, its own over and over.

    >>> sized({"x": np.array([[1, 2, 3]])}, 2, {"x": 5})["x"].tolist()
    [[1, 2, 3, 1, 2], [1, 2, 3, 1, 2]]
    """
    stretched = {
        name: np.resize(array[0], (steps[name], *array.shape[2:]))[np.newaxis] if name in steps else array
        for name, array in row.items()
    }
    return {name: np.repeat(array, rows, axis=0) for name, array in stretched.items()}


def exposed(proto: Any) -> Any:
    """A function from inputs to every tensor of the graph by name."""
    import onnx

    from training.lengths.session import run

    every = onnx.ModelProto()
    every.CopyFrom(proto)
    known = {output.name for output in every.graph.output}
    tensors = [name for node in every.graph.node for name in node.output if name and name not in known]
    every.graph.output.extend(onnx.ValueInfoProto(name=name) for name in tensors)
    asked = run(every, optimised=False)

    def with_inputs(inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {**inputs, **asked(inputs)}

    return with_inputs
