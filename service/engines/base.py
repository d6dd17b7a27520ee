"""The seam: everything the service knows of a numerical library."""

from collections.abc import Mapping
from typing import Protocol

from service.signature import Signature
from service.tensors import ALIKE, Array, Ragged, Tensors


class Engine(Protocol):
    """A loaded model. Contract in tests/service/test_engines.py, which every engine and the tests' fake pass."""

    name: str
    """What computes: "onnx", "saved_model", …"""
    device: str
    """Where: "cpu" or the accelerator's name."""
    signature: Signature
    ragged: Ragged = ALIKE
    """The inputs padded to one length for `run`, if the lengths, (rows,) int32, come beside them; mostly none.

    The lengths are no inputs of the signature, and may be left out where no row is padded.
    """
    parallel: int = 1
    """Threads that may call `run` at once."""

    def run(self, tensors: Tensors) -> dict[str, Array]:
        """All named inputs, each (rows, …), to all named outputs, each (rows, …). Called by `parallel` threads at most.

        InvalidInput where a value is none the model takes; whatever else it raises is its own failure.
        """

    def run_within(self, tensors: Tensors, seconds: float) -> dict[str, Array]:
        """`run`, for whose answer nobody waits after so many seconds; who asks another machine passes that on."""
        return self.run(tensors)

    def absent(self) -> str:
        """Why it cannot compute for now; "" as long as it can, which is always for one in this process."""
        return ""

    def memory(self) -> Mapping[str, int]:
        """Bytes that this process has on the engine's device, `current` and `peak`; none where nobody counts them."""
        return {}

    def settle(self) -> None:
        """Let go of what calls so far took beside their answers; the next may take it again. Calls go on meanwhile."""
        return

    def close(self) -> None:
        """Let go of memory; `run` is not called again."""
