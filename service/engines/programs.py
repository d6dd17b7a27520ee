"""Shapes that are asked for often get a program of their own; whatever has none is answered plainly.

A compiler such as XLA makes a program for one shape only, and takes about a second: so shapes are few (rows are filled
up to a power of two with copies of the first, whose answers are cut off again), are compiled beside the serving, and
are compared with the plain answer to the very rows that were asked. A program stays if it agrees and is quicker.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Hashable

import numpy as np

from service import tensors
from service.golden import difference
from service.tensors import Array, Tensors

LOG = logging.getLogger("manifold.programs")

Run = Callable[[Tensors], dict[str, Array]]
Quicker = Callable[[Run, Run, Tensors], bool]
"""Whether the first answers these rows quicker than the second."""

Shape = tuple[int, Hashable]
"""Rows, a power of two, and their kind."""

OFTEN = 8
"""Times a shape is asked before it is compiled."""
MOST = 16
"""Programs of one model, each some 15 MB: mixed lengths must not fill the memory."""
VAIN = 2
"""Programs that may fail, disagree or be slower before the model stays plain."""
REMEMBERED = 4096
"""Shapes that are counted at once; then counting begins anew."""
ROUNDING = 1e-5
"""Difference allowed between a program and the plain answer: float32, summed in another order."""


class Programs:
    """Runs by `plain`, or by what `make` compiled for a batch's shape; `beside` is given the compiling to do."""

    def __init__(
        self,
        plain: Run,
        make: Callable[[Tensors], Run],
        quicker: Quicker,
        beside: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._plain = plain
        self._make = make
        self._quicker = quicker
        self._beside = beside or self._on_a_thread
        self._lock = threading.Lock()
        self._asked: Counter[Shape] = Counter()
        self._programs: dict[Shape, Run] = {}
        self._tried = 0
        self._vain = 0
        self._compiling = False
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, inputs: Tensors) -> dict[str, Array]:
        """The outputs of these rows."""
        rows = tensors.rows(inputs)
        shape = (bucket(rows), tensors.kind(inputs))
        program = self._programs.get(shape)
        if program is not None:
            return cut(program(filled(inputs, shape[0])), rows)
        if self._worthwhile(shape):
            self._beside(lambda: self._try(shape, inputs))
        return self._plain(inputs)

    def close(self) -> None:
        """Compile no more; returns when nothing is being compiled."""
        self._closed = True
        if self._thread is not None:
            self._thread.join()

    def _worthwhile(self, shape: Shape) -> bool:
        """Count a shape; whether it is to be compiled now."""
        with self._lock:
            if self._closed or self._tried >= MOST or self._vain >= VAIN:
                return False
            if len(self._asked) >= REMEMBERED:
                self._asked.clear()
            self._asked[shape] += 1
            if self._asked[shape] < OFTEN or self._compiling:
                return False
            self._compiling = True
            self._asked[shape] = -(10**9)  # tried once
            self._tried += 1
            return True

    def _try(self, shape: Shape, inputs: Tensors) -> None:
        """Compile for the shape, and keep the program if on these rows it is right, filled up, and quicker."""
        batch = filled(inputs, shape[0])
        try:
            program = self._make(batch)
            agrees = off(cut(program(batch), tensors.rows(inputs)), self._plain(inputs)) <= ROUNDING
            kept = agrees and self._quicker(program, self._plain, batch)
        except Exception as error:
            LOG.info("not compiled: %s", str(error).partition("\n")[0][:300])
            kept = False
        if kept:
            self._programs[shape] = program
        else:
            self._vain += 1
        self._compiling = False

    def _on_a_thread(self, work: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=work, name="compiler", daemon=True)
        self._thread.start()


def bucket(rows: int) -> int:
    """The next power of two.

    >>> [bucket(rows) for rows in (0, 1, 2, 3, 33, 64)]
    [1, 1, 2, 4, 64, 64]
    """
    return 1 << max(rows - 1, 0).bit_length()


def filled(inputs: Tensors, rows: int) -> dict[str, Array]:
    """So many rows, by copies of the first.

    >>> filled({"x": np.array([[1], [2], [3]])}, 4)["x"].ravel().tolist()
    [1, 2, 3, 1]
    """
    return {
        name: array if len(array) == rows else np.concatenate([array, np.repeat(array[:1], rows - len(array), axis=0)])
        for name, array in inputs.items()
    }


def cut(outputs: Tensors, rows: int) -> dict[str, Array]:
    """The first rows of every output."""
    return {name: array[:rows] for name, array in outputs.items()}


def off(actual: Tensors, expected: Tensors) -> float:
    """The largest difference of all outputs; infinite if one lacks."""
    if actual.keys() != expected.keys():
        return float("inf")
    return max((difference(actual[name], expected[name]) for name in expected), default=0.0)
