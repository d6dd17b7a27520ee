"""A recurrent operator begins with zeros where it is given no state: the zeros need not be made."""

import numpy as np
import onnx

from training.twin.graph import Graph

STATES = {"LSTM": (5, 6), "GRU": (5,), "RNN": (5,)}
"""The places of the initial states among an operator's inputs."""


def no_zeros(model: onnx.ModelProto) -> onnx.ModelProto:
    """Recurrent operators without initial states that are zeros, whatever their shape."""
    graph = Graph(model)
    for node in graph.of(*STATES):
        for place in STATES[node.op_type]:
            if len(node.input) > place and _zero(graph, node.input[place]):
                node.input[place] = ""
        while not node.input[-1]:
            node.input.pop()
    return graph.pruned()


def _zero(graph: Graph, tensor: str) -> bool:
    """Whether a tensor holds nothing but zeros."""
    value = graph.constant(tensor)
    if value is not None:
        return not np.any(value)
    match graph.maker(tensor):
        case onnx.NodeProto(op_type="Expand" | "Squeeze" | "Unsqueeze" | "Tile" | "Transpose") as node:
            return _zero(graph, node.input[0])
        case onnx.NodeProto(op_type="Concat") as node:
            return all(_zero(graph, name) for name in node.input)
    return False
