"""A convolution over one axis is computed in two, and the second dropped and made again around every small step.

Conv ─ Squeeze ─ Add ─ Relu ─ Unsqueeze ─ Conv      becomes      Conv ─ Add ─ Relu ─ Conv

ONNX Runtime then adds and cuts within the convolution, and keeps its own order of channels from one to the next.
"""

from copy import deepcopy as copy

import numpy as np
import onnx

from training.twin.graph import Graph, attributes

CHEAP = {"Relu", "Sigmoid", "Tanh", "Elu", "LeakyRelu"}


def keep_axes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop axes as late as possible, and not at all where they are made again."""
    graph = Graph(model)
    for conv in graph.of("Conv"):
        rank = len(attributes(conv)["kernel_shape"]) + 2
        squeeze = graph.only_reader(conv.output[0])
        while squeeze is not None and squeeze.op_type == "Squeeze":
            squeeze = _after_next(graph, squeeze, rank)
    for unsqueeze in graph.of("Unsqueeze"):
        squeeze = graph.maker(unsqueeze.input[0])
        if squeeze is not None and squeeze.op_type == "Squeeze" and _same(graph, squeeze, unsqueeze):
            graph.redirect(unsqueeze.output[0], squeeze.input[0])
    return graph.pruned()


def _after_next(graph: Graph, squeeze: onnx.NodeProto, rank: int) -> onnx.NodeProto | None:
    """Let the next step come before the squeeze of a tensor of this rank; the squeeze in its new place, if it could."""
    axes = graph.constant(squeeze.input[1]) if len(squeeze.input) > 1 else None
    step = graph.only_reader(squeeze.output[0])
    if axes is None or step is None or not all(0 <= axis < rank for axis in axes):
        return None
    others = [name for name in step.input if name != squeeze.output[0]]
    if step.op_type == "Add" and len(others) == 1:
        value = graph.constant(others[0])
        if value is None or value.ndim != rank - len(axes):
            return None
        others = [graph.add_constant(np.expand_dims(value, tuple(axes)))]
    elif step.op_type not in CHEAP:
        return None
    between = graph.new_name()
    first, second = copy(step), copy(squeeze)
    first.input[:], first.output[0] = [squeeze.input[0], *others], between
    second.input[0], second.output[0] = between, step.output[0]
    squeeze.CopyFrom(first)
    step.CopyFrom(second)
    return step


def _same(graph: Graph, squeeze: onnx.NodeProto, unsqueeze: onnx.NodeProto) -> bool:
    """Whether one undoes the other."""
    if len(squeeze.input) < 2:
        return False
    dropped, made = graph.constant(squeeze.input[1]), graph.constant(unsqueeze.input[1])
    return dropped is not None and made is not None and sorted(dropped.tolist()) == sorted(made.tolist())
