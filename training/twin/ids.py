"""Negative ids count from the end, for ONNX's Gather as for Keras: what a converter computes beforehand is not needed.

ids ─▶ where(ids < 0, ids + words, ids), in nine operations ─▶ Gather      becomes      ids ─▶ Gather
"""

import numpy as np
import onnx
from onnx import helper

from training.twin.graph import Graph
from training.twin.verify import session

ELEMENTWISE = {"Add", "Cast", "Less", "Mul", "Not", "Where"}


def plain_ids(model: onnx.ModelProto) -> onnx.ModelProto:
    """Every Gather of words reads the ids themselves, if what it read was, for all ids from -words to words - 1, equal.

    Ids beyond are refused, as TensorFlow refuses them on a CPU.
    """
    graph = Graph(model)
    for gather in graph.of("Gather"):
        table = graph.constant(gather.input[0])
        given = _elementwise_of(graph, gather.input[1])
        if table is not None and given and _wraps(graph, gather.input[1], given, len(table)):
            gather.input[1] = given
    return graph.pruned()


def _elementwise_of(graph: Graph, tensor: str) -> str | None:
    """The one input of the graph that a tensor is computed from, element by element; None if it is not so."""
    found, ahead = set(), [tensor]
    while ahead:
        name = ahead.pop()
        node = graph.maker(name)
        if node is not None and node.op_type in ELEMENTWISE:
            ahead += node.input
        elif node is not None:
            return None
        elif (value := graph.constant(name)) is None:
            found.add(name)
        elif value.size != 1:
            return None
    return found.pop() if len(found) == 1 and tensor not in found else None


def _wraps(graph: Graph, tensor: str, given: str, words: int) -> bool:
    """Whether, for all ids that a table of so many words has, the tensor is the id counted from the table's start."""
    part = Graph(graph.model)
    kind = part.inputs[given].type.tensor_type.elem_type
    if kind not in (onnx.TensorProto.INT32, onnx.TensorProto.INT64):
        return False
    del part.model.graph.output[:], part.model.graph.input[:], part.model.graph.value_info[:]
    part.model.graph.input.append(helper.make_tensor_value_info(given, kind, [None]))
    part.model.graph.output.append(helper.make_tensor_value_info(tensor, kind, [None]))
    ids = np.arange(-words, words, dtype=helper.tensor_dtype_to_np_dtype(kind))
    (found,) = session(part.pruned()).run(None, {given: ids})
    return bool(np.array_equal(found, ids % words))
