"""2 × 2 matrices a and their product a · b with one b; every entry of a is uniform from −10 to 10.

`--data b.json`, or b.npy, is a file with another b, 2 × 2 numbers: the rows are then made with it.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.generators.parts import parts
from training.mistakes import DataMistake
from training.task import Numbers, Preset, Splits, Table, Task

DIMS = (2, 2)
LARGEST = 10
ROWS = 200
B = ((2.0, 1.0), (1.0, 3.0))


def generate(rows: int, seed: int) -> Splits:
    """`rows` products in all; the same ones for the same seed."""
    return parts(partial(_table, np.array(B)), rows, seed)


def read(path: Path, seed: int) -> Splits | None:
    """Products with the b in a file; None if it is neither .json nor .npy, DataMistake if it holds no such matrix."""
    if path.suffix not in (".json", ".npy"):
        return None
    try:
        with path.open("rb") as file:
            b = np.lib.format.read_array(file) if path.suffix == ".npy" else np.asarray(json.load(file))
    except (OSError, ValueError, RecursionError) as error:
        raise DataMistake(path.name, [f"no matrix can be read: {error}"]) from error
    with np.errstate(over="ignore"):  # a number beyond float32 is infinite, and refused
        if b.shape != DIMS or b.dtype.kind not in "iuf" or not np.isfinite(b.astype(np.float32)).all():
            raise DataMistake(path.name, ["b must be 2 × 2 finite numbers, such as [[1, 2], [3, 4]]"])
    return parts(partial(_table, b), ROWS, seed)


def _table(b: NDArray[Any], rng: np.random.Generator, rows: int) -> Table:
    a = rng.uniform(-LARGEST, LARGEST, (rows, *DIMS)).astype(np.float32)
    return {"a": list(a), "product": list((a @ b).astype(np.float32))}


TASK = Task(
    title="Product with a stored matrix",
    description="a · b of a 2 × 2 matrix a and a matrix b that the model stores: a computation graph without training.",
    inputs={"a": Numbers("A matrix", dims=DIMS)},
    outputs={"product": Numbers("a · b", dims=DIMS)},
    example={"a": [[1, 2], [3, 4]]},
    generate=generate,
    data=f"generated matrices and their product with b = {[list(row) for row in B]}; synthetic",
    presets={"quick": Preset(rows=ROWS, epochs=0), "full": Preset(rows=2_000, epochs=0)},
    baselines={"product": "mean"},
    read=read,
)
