"""Triton's Python backend of a SavedModel: the batch is what Triton merged."""

import os
import sys
from typing import Any

sys.path[:0] = os.environ["RUNNER_PATH"].split(":")  # the backend's stub reads no PYTHONPATH

import numpy as np
import triton_python_backend_utils as backend
from saved_model import SavedModel, padded


class TritonPythonModel:
    """Triton's own name for it."""

    def initialize(self, _args: Any) -> None:
        self.model = SavedModel()

    def execute(self, requests: list[Any]) -> list[Any]:
        inputs = {
            name: [backend.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
            for name in self.model.inputs
        }
        ends = np.cumsum([len(array) for array in next(iter(inputs.values()))])[:-1]
        outputs = self.model.run({name: np.concatenate(padded(arrays)) for name, arrays in inputs.items()})
        parts = {name: np.split(array, ends) for name, array in outputs.items()}
        return [
            backend.InferenceResponse(
                output_tensors=[backend.Tensor(name, np.ascontiguousarray(part[index])) for name, part in parts.items()]
            )
            for index in range(len(requests))
        ]
