"""A second twin whose convolutions are in 8 bits: quicker, a little off, and served only to those who ask for it.

Scales are fixed beforehand, from training rows (static quantisation: Jacob et al. 2018, arXiv:1712.05877). Scales taken
from the batch itself would let a row's answer depend on its neighbours.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from training.encode import Rows
from training.evaluate import Judged
from training.golden import Group, Tensors, difference
from training.twin.verify import ask, seconds, session

Inputs = Mapping[str, NDArray[Any]]

TOLERANCE = 0.1  # Of `golden.difference`, on every output of every held-out row.
FALL = 0.005  # What a head's figure may lose: of an accuracy absolutely, of an error relative to it.
GAIN = 1.2  # Times as many rows per CPU second, at least.
CALIBRATION_ROWS = 64


@dataclass(frozen=True)
class Trial:
    """On what a reduced twin is made and judged: some training rows, the held-out rows, and what figures come of it."""

    calibration: Rows
    held_out: Rows
    judge: Callable[[Tensors], Mapping[str, Judged]]


@dataclass(frozen=True)
class Reduced:
    """Whether the reduced twin was kept, or why not; differences, figures and seconds are beside the full twin's."""

    kept: bool
    reason: str | None
    tolerance: float = TOLERANCE
    largest_difference: float | None = None
    speedup: float | None = None
    metrics: Mapping[str, Mapping[str, str | float]] | None = None
    """By output: the main figure's name, and what it was `before` and `after`."""


def reduce(extra: Path, trial: Trial) -> Reduced:
    """Write the reduced twin beside the full one if it is worth it; nothing about a failed one stops the export."""
    full = onnx.load(extra / "model.onnx")
    if not any(node.op_type == "Conv" for node in full.graph.node):
        return Reduced(False, "there is no convolution to reduce")
    try:
        reduced = quantise(full, _rows(trial.calibration)[:CALIBRATION_ROWS])
        before, after = (_answers(graph, trial.held_out) for graph in (full, reduced))
        row = Group([0], _rows(trial.held_out)[0], {})
        taken = seconds([full, reduced], row)
    except Exception as error:  # As converters, quantisers fail in ways of their own.
        return Reduced(False, f"not reduced: {type(error).__name__}: {str(error)[:300]}")
    figures = _figures(trial.judge(before), trial.judge(after))
    verdict = decide(difference(before, after), taken[0] / taken[1], figures)
    if verdict.kept:
        (extra / "model.int8.onnx").write_bytes(reduced.SerializeToString())
    return verdict


def decide(off: float, speedup: float, figures: Mapping[str, tuple[str, float, float]]) -> Reduced:
    """Keep what stays within the tolerance, loses no figure and is quicker; else the first reason not to.

    >>> decide(0.01, 1.5, {"age": ("mae", 2.0, 2.001)}).kept
    True
    >>> decide(0.01, 1.1, {}).reason
    '1.10 times as quick, less than 1.2'
    """
    reason = None
    fallen = [name for name, (figure, before, after) in figures.items() if _loss(figure, before, after) > FALL]
    if not off <= TOLERANCE:
        reason = f"differs from the full twin by {off:.3g}, more than {TOLERANCE:g}"
    elif fallen:
        reason = f"{', '.join(fallen)}: {figures[fallen[0]][0]} is worse"
    elif speedup < GAIN:
        reason = f"{speedup:.2f} times as quick, less than {GAIN:g}"
    told: dict[str, dict[str, str | float]]
    told = {name: {"figure": figure, "before": a, "after": b} for name, (figure, a, b) in figures.items()}
    return Reduced(reason is None, reason, TOLERANCE, off if off < inf else None, round(speedup, 2), told)


def quantise(graph: onnx.ModelProto, rows: Sequence[Inputs]) -> onnx.ModelProto:
    """The graph with its convolutions in 8 bits, scaled by what these rows, each a batch, give; weights per channel."""
    with TemporaryDirectory() as folder:
        full, ready, reduced = (str(Path(folder) / f"{name}.onnx") for name in ("full", "ready", "reduced"))
        Path(full).write_bytes(graph.SerializeToString())
        quant_pre_process(full, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            reduced,
            _Reader(iter(rows)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(reduced)


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, rows: Iterator[Inputs]) -> None:
        self._rows = rows

    def get_next(self) -> Inputs | None:
        return next(self._rows, None)


def _rows(rows: Rows) -> list[Inputs]:
    """Every row as a batch of its own, so that none is padded."""
    return [{name: column[place][None] for name, column in rows.inputs.items()} for place in range(len(rows))]


def _answers(graph: onnx.ModelProto, rows: Rows) -> Tensors:
    loaded = session(graph)
    answers = [ask(loaded, row) for row in _rows(rows)]
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def _figures(before: Mapping[str, Judged], after: Mapping[str, Judged]) -> dict[str, tuple[str, float, float]]:
    """By output its main figure, an accuracy where it has one, else the mean absolute error."""
    figures = {}
    for name, judged in before.items():
        figure = "accuracy" if "accuracy" in judged.metrics else "mae"
        figures[name] = (figure, judged.metrics[figure], after[name].metrics[figure])
    return figures


def _loss(figure: str, before: float, after: float) -> float:
    return before - after if figure == "accuracy" else (after - before) / (before or 1)
