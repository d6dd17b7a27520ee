"""TensorFlow: any SavedModel, on a CPU or a GPU. The only module of the service that imports TensorFlow."""

import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from service.engines.base import Engine
from service.engines.programs import Programs, Run, bucket, cut, filled
from service.errors import ServiceError
from service.signature import Signature, TensorSpec
from service.tensors import Array, Tensors, rows

SIGNATURE = "serving_default"
TRIES = 5


class NoSuchSignature(ServiceError):
    """The SavedModel was exported without the signature that is served."""


class NoSuchDevice(ServiceError):
    """TensorFlow does not see the device that shall compute."""


def visible_gpus() -> int:
    """The GPUs that TensorFlow can use; a driver may show some that this TensorFlow was not built for."""
    return len(tf.config.list_physical_devices("GPU"))


def use_devices(threads: int, device: str = "") -> tuple[str | None, str]:
    """Prepare TensorFlow once per process, before its first tensor: threads on CPUs, memory as needed on GPUs.

    A GPU shared by several processes must not be reserved whole by the first. `device` is "gpu:1" where this process
    sees no other GPU, "cpu:1" for a logical device of the CPU, "" for whatever TensorFlow chooses. Returns TensorFlow's
    name of the device, None for its choice, and people's; NoSuchDevice.
    """
    gpus = tf.config.list_physical_devices("GPU")
    kind, _, number = device.partition(":")
    if kind == "gpu" and not gpus:
        raise NoSuchDevice(f"TensorFlow {tf.__version__} sees no GPU here, so {device} cannot compute")
    try:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        if kind == "cpu":
            parts = [tf.config.LogicalDeviceConfiguration() for _ in range(int(number) + 1)]
            tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    except RuntimeError:
        pass  # TensorFlow has started in this process already; a second model finds everything set
    if kind == "cpu":
        return f"/CPU:{number}", device
    if not gpus:
        return None, "cpu"
    model = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "")
    return ("/GPU:0" if kind else None), f"{device or 'gpu'} {model}".strip()


class SavedModelEngine(Engine):
    """The signature `serving_default` of the SavedModel in `folder`. `run` may be called by many threads at once.

    On a GPU rows are always filled up to a power of two, so that its libraries meet few shapes; see programs.py.
    """

    name = "saved_model"

    def __init__(self, folder: Path, threads: int = 1, device: str = "", xla: bool = False) -> None:
        self._place, self.device = use_devices(threads, device)
        with tf.device(self._place):
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
        plain = self._bucketed if self.device.startswith("gpu") else self._plain
        numbers = all(one.dtype.kind != "O" for one in self.signature.specs)
        self._programs = Programs(plain, self._compile, quicker) if xla and numbers else None
        self._run: Run = self._programs.run if self._programs else plain

    def run(self, tensors: Tensors) -> dict[str, Array]:
        return self._run(tensors)

    def close(self) -> None:
        if self._programs is not None:
            self._programs.close()
        del self._run, self._programs, self._function, self._model

    def memory(self) -> dict[str, int]:
        counted = self.device.startswith("gpu")  # of CPUs TensorFlow says that they have none
        return dict(tf.config.experimental.get_memory_info(self._place or "GPU:0")) if counted else {}

    def _plain(self, tensors: Tensors) -> dict[str, Array]:
        return self._call(self._function, tensors)

    def _bucketed(self, tensors: Tensors) -> dict[str, Array]:
        count = rows(tensors)
        return cut(self._plain(filled(tensors, bucket(count))), count)

    def _compile(self, batch: Tensors) -> Run:
        """A program of XLA's for this batch's shapes alone; raises whatever TensorFlow does if there can be none."""
        specs = {name: tf.TensorSpec(array.shape, array.dtype, name) for name, array in batch.items()}
        function = self._function

        def program(**given: Any) -> Any:
            return function(**given)

        with tf.device(self._place):
            compiled = tf.function(program, jit_compile=True).get_concrete_function(**specs)
        return lambda tensors: self._call(compiled, tensors)

    def _call(self, function: Any, tensors: Tensors) -> dict[str, Array]:
        with tf.device(self._place):
            answer = function(**{name: tf.constant(array) for name, array in tensors.items()})
        return {name: tensor.numpy() for name, tensor in answer.items()}


def quicker(first: Run, second: Run, batch: Tensors) -> bool:
    """Whether the first answers in less time, the best of a few tries in turn."""
    taken = [(seconds(first, batch), seconds(second, batch)) for _ in range(TRIES)]
    return min(one for one, _ in taken) < min(other for _, other in taken)


def seconds(run: Run, batch: Tensors) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    run(batch)
    return time.perf_counter() - started


def spec(name: str, tensor: Any) -> TensorSpec:
    """A tf.TensorSpec or symbolic tensor as ours; a shape of unknown rank becomes (), which cannot be batched."""
    shape = () if tensor.shape.rank is None else tuple(tensor.shape.as_list())
    return TensorSpec(name, np.dtype(tensor.dtype.as_numpy_dtype), shape)
