"""A dense layer over a series needs no matrix in between: ONNX's MatMul takes further axes as they are.

x (n, t, e) ─ Reshape (n·t, e) ─ MatMul ─ Reshape (n, t, f)      becomes      x ─ MatMul
"""

import onnx

from training.twin.graph import Graph


def plain_dense(model: onnx.ModelProto) -> onnx.ModelProto:
    """MatMul without the Reshapes around it, wherever the shapes, known or by name, prove them to undo each other."""
    graph = Graph(model)
    shapes = graph.shapes()
    for last in graph.of("Reshape"):
        product = graph.maker(last.input[0])
        first = graph.maker(product.input[0]) if product is not None and product.op_type == "MatMul" else None
        if product is None or first is None or first.op_type != "Reshape" or not graph.only_reader(last.input[0]):
            continue
        given, weights, made = (shapes.get(name, ()) for name in (first.input[0], product.input[1], last.output[0]))
        if len(weights) == 2 and given and made and (*given, weights[1]) == (*made[:-1], *weights):
            product.input[0], product.output[0] = first.input[0], last.output[0]
            graph.remove([last])
    return graph.pruned()
