"""What is computed from constants alone becomes a constant."""

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from training.twin.graph import Graph

MOVES = {"Cast", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
"""Operations that only move numbers, so that computing them early changes no bit."""


def fold_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights in the shape in which they are read."""
    graph = Graph(model)
    for node in graph.of(*MOVES):
        values = {name: graph.constant(name) for name in node.input}
        if all(value is not None for value in values.values()):
            (moved,) = list(ReferenceEvaluator(node, opsets=_opsets(model)).run(None, values))
            graph.redirect(node.output[0], graph.add_constant(np.asarray(moved)))
    return graph.pruned()


def _opsets(model: onnx.ModelProto) -> dict[str, int]:
    return {opset.domain: opset.version for opset in model.opset_import}
