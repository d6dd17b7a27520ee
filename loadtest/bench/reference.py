"""python -m loadtest.bench.reference FOLDER NAME: a scenario's rows, and what the SavedModel says to each alone.

TensorFlow runs in this process only, which ends before anything is measured.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bench.plan import ROWS, SCENARIOS, Scenario, Span

IDS = (1, 400)
"""Frequent words, as in real text, and no padding."""

Tensors = Mapping[str, Mapping[str, Any]]
"""By name: the dtype, and the dims of one row; an unknown size is null."""


@dataclass(frozen=True)
class Reference:
    """Rows, and the answer to each: by output, numbers nested as in the model's own."""

    inputs: Tensors
    rows: list[dict[str, Any]]
    answers: list[dict[str, Any]]


def ask(folder: Path, scenario: Scenario) -> Reference:
    """The reference from a process of its own; SystemExit with what it printed."""
    command = [sys.executable, "-m", __name__, str(folder), scenario.name]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{' '.join(command)}\n{ran.stderr}")
    return Reference(**json.loads(ran.stdout.splitlines()[-1]))


def draw(inputs: Tensors, lengths: Mapping[str, Span], values: Span | None, rng: random.Random) -> dict[str, Any]:
    """One row: ids for integers, four decimals around 0 for floats, unless there are `values`.

    >>> draw({"n": {"dtype": "float32", "dims": [None]}}, {"n": (2, 2)}, (1, 9), random.Random(0))
    {'n': [7, 1]}
    """

    def number(dtype: str) -> float:
        return rng.randint(*(values or IDS)) if values or "int" in dtype else round(rng.gauss(0, 1), 4)

    sizes = {name: rng.randint(*lengths[name]) if name in lengths else None for name in inputs}
    return {
        name: nested(filled(name, spec["dims"], sizes[name]), lambda dtype=spec["dtype"]: number(dtype))
        for name, spec in inputs.items()
    }


def filled(name: str, dims: Sequence[int | None], size: int | None) -> list[int]:
    """Dims with `size` for every unknown one; ValueError where there is none."""
    known = [size if one is None else one for one in dims]
    if None in known:
        raise ValueError(f"input {name} has an unknown size, for which the scenario gives no length")
    return [one for one in known if one is not None]


def nested(dims: Sequence[int], number: Callable[[], float]) -> Any:
    """Numbers in nested lists of these sizes.

    >>> nested([2, 1], lambda: 7)
    [[7], [7]]
    """
    return [nested(dims[1:], number) for _ in range(dims[0])] if dims else number()


def main(folder: str, name: str) -> None:
    """Print the reference in one line."""
    import numpy as np

    from service.engines.saved_model import SavedModelEngine

    scenario, engine = SCENARIOS[name], SavedModelEngine(Path(folder))
    inputs = {
        name: {"dtype": spec.dtype.name, "dims": list(spec.dims)} for name, spec in engine.signature.inputs.items()
    }
    rng = random.Random(1)
    rows = [draw(inputs, scenario.lengths, scenario.values, rng) for _ in range(ROWS)]
    answers = []
    for row in rows:
        tensors = {name: np.asarray([row[name]], spec["dtype"]) for name, spec in inputs.items()}
        answers.append({name: array[0].tolist() for name, array in engine.run(tensors).items()})
    print(json.dumps({"inputs": inputs, "rows": rows, "answers": answers}))


if __name__ == "__main__":
    main(*sys.argv[1:])
