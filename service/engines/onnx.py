"""ONNX Runtime: the verified twin of a SavedModel, 4 to 37 times faster on a CPU, without TensorFlow."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from service.engines import arena
from service.engines.base import Engine
from service.errors import Fault, InvalidInput
from service.nested import show
from service.signature import Signature, TensorSpec
from service.tensors import Array, Ragged, Tensors

TWIN = Path("assets.extra/model.onnx")
"""Where the twin lies in a version's folder."""
LENGTHS = "manifold.lengths"
"""The twin's metadata of this name is a JSON object: from ragged inputs to the optional inputs of their lengths."""
REDUCED = Path("assets.extra/model.int8.onnx")
"""Where the twin of reduced precision lies."""

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


class OnnxEngine(Engine):
    """A twin in `folder`, on `threads` threads."""

    name = "onnx"
    device = "cpu"

    def __init__(self, folder: Path, threads: int = 1, twin: Path = TWIN) -> None:
        self._session = arena.session(str(folder / twin), threads)
        self.signature = Signature(
            {node.name: spec(node) for node in self._session.get_inputs()},
            {node.name: spec(node) for node in self._session.get_outputs()},
        )
        self.ragged: Ragged = json.loads(self._session.get_modelmeta().custom_metadata_map.get(LENGTHS, "{}"))
        self._outputs = list(self.signature.outputs)
        self._strings = [name for name, spec in self.signature.inputs.items() if spec.dtype.kind == "O"]

    def run(self, tensors: Tensors) -> dict[str, Array]:
        given = {**tensors, **{name: texts(name, tensors[name]) for name in self._strings}}
        return dict(zip(self._outputs, self._session.run(self._outputs, given), strict=True))

    def settle(self) -> None:
        arena.shrink()

    def close(self) -> None:
        del self._session
        arena.shrink()


def texts(name: str, strings: Array) -> Array:
    """Strings as text, bytes read as UTF-8; InvalidInput. ONNX Runtime itself would spell bytes out: "b'…'".

    >>> texts("x", np.array([["a", b"caf\\xc3\\xa9"]], object)).tolist()
    [['a', 'café']]
    """
    flat = strings.ravel().tolist()
    if bytes not in set(map(type, flat)):
        return strings
    try:
        decoded = [string.decode() if isinstance(string, bytes) else string for string in flat]
    except UnicodeDecodeError as error:
        raise InvalidInput([Fault("", f"expected text in UTF-8 for {name!r}, got {show(error.object)}")]) from None
    return np.array(decoded, object).reshape(strings.shape)


def spec(node: Any) -> TensorSpec:
    """ONNX Runtime's NodeArg as a TensorSpec; symbolic dimensions are unknown."""
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorSpec(node.name, np.dtype(DTYPES[node.type]), shape)
