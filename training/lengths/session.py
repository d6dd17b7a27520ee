"""A graph in memory as a function."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

Run = Callable[[Mapping[str, NDArray[Any]]], dict[str, NDArray[Any]]]


def run(proto: Any, *, optimised: bool = True) -> Run:
    """From named inputs to named outputs, by ONNX Runtime."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, dict(inputs)), strict=True))
