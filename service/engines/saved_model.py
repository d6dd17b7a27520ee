"""TensorFlow: any SavedModel, on a CPU or a GPU. The only module of the service that imports TensorFlow."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from service.errors import ServiceError
from service.signature import Signature, TensorSpec
from service.tensors import ALIKE, Array, Ragged, Tensors

SIGNATURE = "serving_default"


class NoSuchSignature(ServiceError):
    """The SavedModel was exported without the signature that is served."""


def use_devices(threads: int) -> str:
    """Prepare TensorFlow once per process, before its first tensor: threads on CPUs, memory as needed on GPUs.

    A GPU shared by several processes must not be reserved whole by the first. Returns the device that computes.
    """
    gpus = tf.config.list_physical_devices("GPU")
    try:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        pass  # TensorFlow has started in this process already; a second model finds everything set
    return "gpu" if gpus else "cpu"


class SavedModelEngine:
    """The signature `serving_default` of the SavedModel in `folder`."""

    name = "saved_model"
    ragged: Ragged = ALIKE

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.device = use_devices(threads)
        self._model = tf.saved_model.load(str(folder))
        if SIGNATURE not in self._model.signatures:
            found = ", ".join(self._model.signatures) or "none"
            raise NoSuchSignature(f"{folder} has no signature {SIGNATURE!r} (found: {found})")
        self._function = self._model.signatures[SIGNATURE]
        inputs = self._function.structured_input_signature[1]
        outputs = self._function.structured_outputs
        self.signature = Signature(
            {name: spec(name, inputs[name]) for name in sorted(inputs)},
            {name: spec(name, outputs[name]) for name in sorted(outputs)},
        )

    def run(self, tensors: Tensors) -> dict[str, Array]:
        answer = self._function(**{name: tf.constant(array) for name, array in tensors.items()})
        return {name: tensor.numpy() for name, tensor in answer.items()}

    def close(self) -> None:
        del self._function, self._model


def spec(name: str, tensor: Any) -> TensorSpec:
    """A tf.TensorSpec or symbolic tensor as ours; a shape of unknown rank becomes (), which cannot be batched."""
    shape = () if tensor.shape.rank is None else tuple(tensor.shape.as_list())
    return TensorSpec(name, np.dtype(tensor.dtype.as_numpy_dtype), shape)
