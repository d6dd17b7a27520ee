"""Whether a graph answers as it should, and what it costs."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from training.golden import Group, Tensors, difference

TOLERANCE = 1e-4  # Of `golden.difference`, on every output of every golden row.
BATCH = 16  # Rows at once, as a busy service has them.
ROUNDS, ROUND_SECONDS = 5, 0.05


def session(graph: onnx.ModelProto) -> ort.InferenceSession:
    """The graph, loaded as the service loads it, on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    return ort.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def ask(loaded: ort.InferenceSession, inputs: Mapping[str, NDArray[Any]]) -> Tensors:
    """Every output by name."""
    names = [output.name for output in loaded.get_outputs()]
    return dict(zip(names, loaded.run(names, dict(inputs)), strict=True))


def largest_difference(graph: onnx.ModelProto, groups: Sequence[Group]) -> float:
    """How far the graph's answers are from the golden ones, as `golden.difference` counts; infinite for no number."""
    loaded = session(graph)
    return max(difference(group.outputs, ask(loaded, group.inputs)) for group in groups)


def seconds(graphs: Sequence[onnx.ModelProto], group: Group, rows: int = BATCH) -> list[float]:
    """CPU seconds of one batch of each graph, medians of rounds in which they take turns."""
    batch = {name: np.resize(tensor, (rows, *tensor.shape[1:])) for name, tensor in group.inputs.items()}
    loaded = [session(graph) for graph in graphs]
    rounds = [[_timed(partial(ask, one, batch)) for one in loaded] for _ in range(ROUNDS + 1)]
    return [median(taken) for taken in zip(*rounds[1:], strict=True)]


def _timed(call: Callable[[], Any]) -> float:
    start, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - start < ROUND_SECONDS:
        call()
        calls += 1
    return (time.process_time() - start) / calls
