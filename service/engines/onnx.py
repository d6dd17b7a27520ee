"""ONNX Runtime: the verified twin of a SavedModel, 4 to 37 times faster on a CPU, without TensorFlow."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from service.signature import Signature, TensorSpec
from service.tensors import Array, Tensors

TWIN = Path("assets.extra/model.onnx")
"""Where the twin lies in a version's folder."""

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


class OnnxEngine:
    """The twin in `folder`, on `threads` threads."""

    name = "onnx"
    device = "cpu"

    def __init__(self, folder: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A pattern per shape only costs memory where every request has another length.
        options.enable_mem_pattern = False
        # Spinning threads would burn the cores that HTTP workers need.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(folder / TWIN), options, providers=["CPUExecutionProvider"])
        self.signature = Signature(
            {node.name: spec(node) for node in self._session.get_inputs()},
            {node.name: spec(node) for node in self._session.get_outputs()},
        )
        self._outputs = list(self.signature.outputs)

    def run(self, tensors: Tensors) -> dict[str, Array]:
        return dict(zip(self._outputs, self._session.run(self._outputs, tensors), strict=True))

    def close(self) -> None:
        del self._session


def spec(node: Any) -> TensorSpec:
    """ONNX Runtime's NodeArg as a TensorSpec; symbolic dimensions are unknown."""
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorSpec(node.name, np.dtype(DTYPES[node.type]), shape)
