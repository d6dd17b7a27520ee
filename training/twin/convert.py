"""From Keras, or from any SavedModel, to ONNX.

A masked LSTM converts to a loop, forty times slower than the fused operator. So the twin of what is trained here is
built without masks, which is exact for rows without padding; rows of different lengths share a batch where it can take
their lengths (lengths/). Of a SavedModel nobody knows how to build it otherwise: it is converted as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from training.train import Trained

OPSET = 18
LARGE = 100_000  # Numbers in a weight.


def convert(trained: Trained, inputs: Sequence[Any]) -> onnx.ModelProto:
    """Build without masks, copy the weights, convert; `inputs` are the `tf.TensorSpec`s of the signature.

    The largest weights go in as inputs and become constants only at the end: tf2onnx copies every constant dozens of
    times, which for an embedding of 13 million numbers takes seventeen seconds instead of one.
    """
    import tensorflow as tf
    import tf2onnx

    unmasked = trained.architecture.unmasked(**trained.encoder.sizes)
    unmasked.set_weights(trained.model.get_weights())
    weights = [variable.value for variable in unmasked.trainable_variables]
    fixed = [variable.value for variable in unmasked.non_trainable_variables]
    large = {f"weights_{place}": place for place, weight in enumerate(weights) if np.prod(weight.shape) > LARGE}
    names = [spec.name for spec in inputs]

    def forward(*tensors: Any) -> Any:
        given = list(weights)
        for place, tensor in zip(large.values(), tensors[len(names) :], strict=True):
            given[place] = tensor
        rows = dict(zip(names, tensors[: len(names)], strict=True))
        return unmasked.stateless_call(given, fixed, rows, training=False)[0]

    signature = [*inputs, *(tf.TensorSpec(weights[place].shape, tf.float32, name) for name, place in large.items())]
    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(tf.function(forward), input_signature=signature, opset=OPSET)
    _fix(proto, {name: weights[place] for name, place in large.items()})
    return proto


def of_signature(function: Any) -> onnx.ModelProto:
    """One signature of a SavedModel, as TensorFlow loads it; ValueError where ONNX lacks an operation.

    What the graph holds beside its variables, such as a Normalization's mean, tf2onnx takes for inputs.
    """
    import tensorflow as tf
    import tf2onnx

    specs = dict(sorted(function.structured_input_signature[1].items()))

    def forward(*tensors: Any) -> Any:
        return function(**dict(zip(specs, tensors, strict=True)))

    signature = [tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in specs.items()]
    traced = tf.function(forward)
    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(traced, input_signature=signature, opset=OPSET)
    strange = {node.op_type for node in proto.graph.node if not onnx.defs.has(node.op_type, node.domain)}
    if strange:
        raise ValueError(f"ONNX has no {', '.join(sorted(strange))}")
    held = traced.get_concrete_function(*signature).graph.captures
    _fix(proto, {inner.name: value for value, inner in held})
    return proto


def _fix(proto: onnx.ModelProto, values: Mapping[str, Any]) -> None:
    """Inputs of these names become constants."""
    for tensor in [tensor for tensor in proto.graph.input if tensor.name in values]:
        proto.graph.input.remove(tensor)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values[tensor.name].numpy(), tensor.name))
