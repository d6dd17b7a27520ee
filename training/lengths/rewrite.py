"""Lengths put to work: whatever mixes the steps of a row is told how many there are.

    LSTM, GRU, RNN                 sequence_lens; where the last step was cut out of Y, Y_h is taken
    ReduceMean, Sum, Max, Min      steps beyond the length count as 0, or as the least or largest number
    Softmax                        their weight is 0
    MatMul over steps              they count as 0
    Concat of more steps           the mask is prolonged likewise

All else looks at one step at a time, or is found out by verify.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.lengths.probe import Seen

RECURRENT = {"LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"}
LENGTHS = 4
"""The place of sequence_lens among a recurrent node's inputs."""
FILLS = {"ReduceMean": 0.0, "ReduceSum": 0.0, "ReduceMax": -np.inf, "ReduceMin": np.inf}
WHOLE = np.iinfo(np.int32).max
"""The length of a row that nobody told."""


def length_input(name: str) -> str:
    """The name of the tensor of an input's lengths."""
    return f"{name}/length"


def rewrite(proto: Any, seen: Mapping[str, Seen], names: Sequence[str]) -> Any:
    """A copy of the graph that takes the lengths of `names`; each is optional, and whole rows if left out."""
    import onnx

    made = onnx.ModelProto()
    made.CopyFrom(proto)
    rewriting = Rewriting(made.graph, seen)
    for name in names:
        rewriting.add_input(name)
    for node in proto.graph.node:
        rewriting.visit(node)
    del made.graph.node[:]
    made.graph.node.extend(rewriting.nodes)
    return made


class Rewriting:
    """The nodes so far, and the masks that were needed."""

    def __init__(self, graph: Any, seen: Mapping[str, Seen]) -> None:
        from onnx import numpy_helper

        self.nodes: list[Any] = []
        self._graph = graph
        self._seen = seen
        self._values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer if small(tensor)}
        self._makers = {output: node for node in graph.node for output in node.output}
        self._masks: dict[tuple[str, int], str] = {}
        self._fitted: dict[tuple[str, int, int, int], str] = {}

    def add_input(self, name: str) -> None:
        """The input of lengths, their default, how many of them count, and the mask (n, t) they make."""
        from onnx import TensorProto, helper

        given = length_input(name)
        self._graph.input.append(helper.make_tensor_value_info(given, TensorProto.INT32, [f"{name}_rows"]))
        self._initial(np.array([WHOLE], np.int32), given)
        rows = self.add("Shape", [name], start=0, end=1)
        self.add("Cast", [self.add("Shape", [name], start=1, end=2)], every(name), to=TensorProto.INT32)
        self.add("Expand", [self.add("Min", [given, every(name)]), rows], counted(name))

    def visit(self, node: Any) -> None:
        """The node, as it was or with lengths."""
        import onnx

        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        first = self._seen.get(node.input[0]) if node.input else None
        if node.op_type in RECURRENT:
            self._recurrent(changed, first)
        elif node.op_type in FILLS:
            self._reduce(changed, first)
            return
        elif node.op_type == "Softmax" and first and self._mixes(first, attribute(node, "axis", -1)):
            changed.input[0] = self._masked(node.input[0], -np.inf)
        elif node.op_type == "MatMul" and first and self._mixes(first, -1):
            changed.input[0] = self._masked(node.input[0], 0.0)
        elif node.op_type == "Concat":
            self._concat(node)
        elif node.op_type == "Slice" and self._last_state(node):
            changed = onnx.helper.make_node("Identity", [self._last_state(node)], node.output)
        self.nodes.append(changed)

    def _recurrent(self, node: Any, given: Seen | None) -> None:
        if given is not None and given.source and given.time == 0 and not given.more:
            node.input.extend([""] * (LENGTHS + 1 - len(node.input)))
            node.input[LENGTHS] = counted(given.source)

    def _last_state(self, node: Any) -> str:
        """Y_h (1, n, h), if the node cuts just that out of Y (t, 1, n, h) without its axis of directions; else ""."""
        squeeze = self._makers.get(node.input[0])
        maker = self._makers.get(squeeze.input[0]) if squeeze is not None and squeeze.op_type == "Squeeze" else None
        if maker is None or maker.op_type not in RECURRENT or attribute(maker, "direction", b"forward") != b"forward":
            return ""
        starts, _, axes = (self._values.get(name) for name in node.input[1:4])
        last = starts is not None and starts.tolist() == [-1] and axes is not None and axes.tolist() == [0]
        return str(maker.output[1]) if last and len(maker.output) > 1 else ""

    def _reduce(self, node: Any, given: Seen | None) -> None:
        axes = self._values.get(node.input[1]) if len(node.input) > 1 else None
        if given is None or axes is None or axes.size != 1 or not self._mixes(given, int(axes[0])):
            self.nodes.append(node)
            return
        node.input[0] = self._masked(node.input[0], FILLS[node.op_type])
        if node.op_type != "ReduceMean":
            self.nodes.append(node)
            return
        output, node.op_type = node.output[0], "ReduceSum"
        node.output[0] = f"{output}/sum"
        self.nodes.append(node)
        self.add("Div", [node.output[0], self._count(given, self._seen[output])], output)

    def _count(self, given: Seen, taken: Seen) -> str:
        """How many steps count in each row, with axes of 1 to fit what was reduced."""
        if given.more:
            mask = self.add("Cast", [self._mask(given.source, given.more)], to=number(given.dtype))
            count = self.add("ReduceSum", [mask, self._constant(np.array([1]))], keepdims=0)
        else:
            count = self.add("Cast", [counted(given.source)], to=number(given.dtype))
        others = [axis for axis in range(taken.rank) if axis != taken.rows]
        return self.add("Unsqueeze", [count, self._constant(np.array(others))]) if others else count

    def _concat(self, node: Any) -> None:
        """Remember the mask of a tensor that has steps of an input and others besides."""
        made = self._seen[node.output[0]]
        if not made.source or not made.more or attribute(node, "axis", 0) % made.rank != made.time:
            return
        if (made.source, made.more) in self._masks:
            return
        parts = [self._part(name, made) for name in node.input]
        self._masks[made.source, made.more] = self.add("Concat", parts, axis=1)

    def _part(self, name: str, made: Seen) -> str:
        """The mask (n, t) of one part of a tensor with more steps."""
        seen = self._seen[name]
        if seen.source:
            return self._mask(seen.source, seen.more)
        steps = self.add("Shape", [name], start=made.time, end=(made.time or 0) + 1)
        rows = self.add("Shape", [name], start=made.rows, end=(made.rows or 0) + 1)
        return self.add("Expand", [self._constant(np.array(True)), self.add("Concat", [rows, steps], axis=0)])

    def _mixes(self, seen: Seen, axis: int) -> bool:
        """Whether this axis is the steps of an input, of which we know those that count."""
        known = not seen.more or (seen.source, seen.more) in self._masks
        return bool(seen.source) and seen.rows is not None and axis % seen.rank == seen.time and known

    def _masked(self, name: str, fill: float) -> str:
        """The tensor with `fill`, or what comes nearest to it, in the steps beyond a row's length."""
        seen = self._seen[name]
        limits = np.finfo(seen.dtype) if seen.dtype.kind == "f" else np.iinfo(seen.dtype)
        nearest = self._constant(np.array(np.clip(fill, limits.min, limits.max), seen.dtype))
        return self.add("Where", [self._mask_of(seen), name, nearest])

    def _mask_of(self, seen: Seen) -> str:
        """The mask of a tensor, with axes of 1 to fit it."""
        if seen.rows is None or seen.time is None:
            raise ValueError("only a tensor of rows and steps has a mask. This is a bug.")
        key = (self._mask(seen.source, seen.more), seen.rank, seen.rows, seen.time)
        if key not in self._fitted:
            mask = key[0] if seen.rows < seen.time else self.add("Transpose", [key[0]], perm=[1, 0])
            others = [axis for axis in range(seen.rank) if axis not in (seen.rows, seen.time)]
            self._fitted[key] = self.add("Unsqueeze", [mask, self._constant(np.array(others))]) if others else mask
        return self._fitted[key]

    def _mask(self, source: str, more: int) -> str:
        """The mask (n, t): which steps of which row count."""
        if (source, more) not in self._masks:
            zero, one = self._constant(np.array(0, np.int32)), self._constant(np.array(1, np.int32))
            places = self.add("Range", [zero, self.add("Squeeze", [every(source)]), one])
            ends = self.add("Unsqueeze", [counted(source), self._constant(np.array([1]))])
            self._masks[source, 0] = self.add("Less", [places, ends])
        return self._masks[source, more]

    def add(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """One more node; the name of its output."""
        from onnx import helper

        output = output or f"lengths/{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _constant(self, value: NDArray[Any]) -> str:
        return self._initial(value, f"lengths/constant_{len(self._graph.initializer)}")

    def _initial(self, value: NDArray[Any], name: str) -> str:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(value, name))
        return name


def counted(name: str) -> str:
    """The tensor (n,) of how many steps of an input count in each row."""
    return f"lengths/{name}"


def every(name: str) -> str:
    """The tensor (1,) of how many steps an input has, padding and all."""
    return f"lengths/{name}/all"


def attribute(node: Any, name: str, default: Any) -> Any:
    """A node's attribute."""
    from onnx import helper

    return next((helper.get_attribute_value(one) for one in node.attribute if one.name == name), default)


def number(dtype: np.dtype[Any]) -> int:
    """ONNX's number for a dtype."""
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(dtype))


def small(tensor: Any) -> bool:
    """Whether a constant may be a list of axes or places."""
    return int(np.prod(tensor.dims)) <= 8
