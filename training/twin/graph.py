"""An ONNX graph that can be asked who makes a tensor and who reads it, and rewritten."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[Any]
Shape = tuple[str | int, ...]
Rewrite = Callable[[onnx.ModelProto], onnx.ModelProto]
"""A new graph of the same function. Where there is nothing to improve, an equal one."""


class Graph:
    """A copy of a model's graph, for one rewrite to change in place. Tensors are known by their names."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        self._constants = {tensor.name: tensor for tensor in self.model.graph.initializer}
        self._new = 0

    @property
    def nodes(self) -> list[onnx.NodeProto]:
        """The operations, each after those it reads from."""
        return list(self.model.graph.node)

    def of(self, *types: str) -> list[onnx.NodeProto]:
        """The operations of these types."""
        return [node for node in self.nodes if node.op_type in types]

    def maker(self, tensor: str) -> onnx.NodeProto | None:
        """The operation that makes a tensor; None for inputs and constants."""
        return next((node for node in self.nodes if tensor in node.output), None)

    def readers(self, tensor: str) -> list[onnx.NodeProto]:
        """The operations that read a tensor."""
        return [node for node in self.nodes if tensor in read(node)]

    def only_reader(self, tensor: str) -> onnx.NodeProto | None:
        """The one operation that reads a tensor; None if there are more, or if it is an output of the graph."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 and tensor not in self.outputs else None

    @property
    def inputs(self) -> dict[str, onnx.ValueInfoProto]:
        """What the graph is given, constants left out."""
        return {value.name: value for value in self.model.graph.input if value.name not in self._constants}

    @property
    def outputs(self) -> set[str]:
        """What the graph gives."""
        return {value.name for value in self.model.graph.output}

    def constant(self, tensor: str) -> Array | None:
        """A constant's value; None for what is computed."""
        found = self._constants.get(tensor)
        return None if found is None else numpy_helper.to_array(found)

    def shapes(self) -> dict[str, Shape]:
        """The shapes of tensors; those of which a size is neither a number nor has a name are left out."""
        bare = onnx.ModelProto()
        bare.CopyFrom(self.model)
        del bare.graph.value_info[:]
        graph = onnx.shape_inference.infer_shapes(bare, data_prop=True).graph
        shapes = {
            value.name: tuple(size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim)
            for value in [*graph.input, *graph.value_info, *graph.output]
        }
        known = {name: shape for name, shape in shapes.items() if all(shape)}
        return known | {name: tuple(tensor.dims) for name, tensor in self._constants.items()}

    def add_constant(self, value: Array) -> str:
        """A new constant's name."""
        tensor = numpy_helper.from_array(np.ascontiguousarray(value), self.new_name())
        self.model.graph.initializer.append(tensor)
        self._constants[tensor.name] = tensor
        return str(tensor.name)

    def new_name(self) -> str:
        """A name that no tensor has."""
        taken = {name for node in self.nodes for name in node.output} | self._constants.keys() | self.inputs.keys()
        while (name := f"made_{self._new}") in taken:
            self._new += 1
        self._new += 1
        return name

    def add(self, place: int, type: str, inputs: Sequence[str], output: str | None = None, **attributes: Any) -> str:
        """Insert an operation at a place among the nodes; its output's name."""
        output = output or self.new_name()
        self.model.graph.node.insert(place, helper.make_node(type, list(inputs), [output], **attributes))
        return output

    def remove(self, nodes: Iterable[onnx.NodeProto]) -> None:
        """Take operations out."""
        for node in nodes:
            self.model.graph.node.remove(node)

    def redirect(self, tensor: str, to: str) -> None:
        """Let whoever reads a tensor read another."""
        for node in self.readers(tensor):
            node.input[:] = [to if name == tensor else name for name in node.input]

    def pruned(self) -> onnx.ModelProto:
        """The model, without what no output needs."""
        needed = set(self.outputs)
        for node in reversed(self.nodes):
            if needed.isdisjoint(node.output):
                self.model.graph.node.remove(node)
            else:
                needed.update(read(node))
        for tensor in list(self.model.graph.initializer):
            if tensor.name not in needed:
                self.model.graph.initializer.remove(tensor)
        return self.model


def read(node: onnx.NodeProto) -> set[str]:
    """What an operation reads: its inputs, and whatever the graph inside a loop or branch takes from around it."""
    bodies = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    return set(node.input).union(*(read(inner) for body in bodies for inner in body.node))


def attributes(node: onnx.NodeProto) -> Mapping[str, Any]:
    """A node's attributes as Python values."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
