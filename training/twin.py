"""The twin: the same weights for ONNX Runtime, kept only if it answers as the SavedModel does.

A masked LSTM converts to a loop, forty times slower than the fused operator. So the twin is built without masks, which
is exact for rows without padding; rows of different lengths share a batch where it can take their lengths (lengths/).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.golden import Group, difference
from training.lengths.allow import allow
from training.train import Trained

TOLERANCE = 1e-4  # Of `golden.difference`, on every output of every golden row.
OPSET = 18
LARGE = 100_000  # Numbers in a weight.


@dataclass(frozen=True)
class Verdict:
    """Whether the twin was kept, how far it is from the SavedModel, and why it was dropped."""

    kept: bool
    largest_difference: float | None
    reason: str | None


def make(trained: Trained, inputs: Sequence[Any], groups: Sequence[Group], path: Path) -> Verdict:
    """Write the twin to `path` and compare it with the golden answers; a twin that disagrees is deleted.

    `inputs` are the `tf.TensorSpec`s of the signature. Nothing about a failed twin stops the export: the SavedModel is
    the artifact.
    """
    try:
        convert(trained, inputs, path)
        answers = _run(path, groups)
        worst = max(difference(group.outputs, answer) for group, answer in zip(groups, answers, strict=True))
    except Exception as error:  # Converters fail in ways of their own; the reason goes on the card.
        path.unlink(missing_ok=True)
        return Verdict(False, None, f"not converted: {type(error).__name__}: {_first_line(error)}")
    if worst <= TOLERANCE:
        allow(path, groups)
        return Verdict(True, worst, None)
    path.unlink()
    known = worst if np.isfinite(worst) else None
    return Verdict(False, known, f"differs from the SavedModel by {worst:.3g}, more than {TOLERANCE:g}")


def convert(trained: Trained, inputs: Sequence[Any], path: Path) -> None:
    """Build without masks, copy the weights, convert.

    The largest weights go in as inputs and become constants only at the end: tf2onnx copies every constant dozens of
    times, which for an embedding of 13 million numbers takes seventeen seconds instead of one.
    """
    import onnx
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
    proto, _ = tf2onnx.convert.from_function(tf.function(forward), input_signature=signature, opset=OPSET)
    for tensor in [tensor for tensor in proto.graph.input if tensor.name in large]:
        proto.graph.input.remove(tensor)
        weight = weights[large[tensor.name]].numpy()
        proto.graph.initializer.append(onnx.numpy_helper.from_array(weight, tensor.name))
    path.write_bytes(proto.SerializeToString())


def _run(path: Path, groups: Sequence[Group]) -> list[dict[str, NDArray[Any]]]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return [dict(zip(names, session.run(names, dict(group.inputs)), strict=True)) for group in groups]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "no message")[:300]
