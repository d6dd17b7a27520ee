"""The twin of a SavedModel: converted, improved, verified, and only then written; with lengths, where it can."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from training.golden import Group
from training.lengths.allow import allow
from training.twin.improve import improve
from training.twin.verify import TOLERANCE, largest_difference


@dataclass(frozen=True)
class Verdict:
    """Whether the twin was kept, how far it is from the SavedModel, and why it was dropped."""

    kept: bool
    largest_difference: float | None
    reason: str | None


def make(convert: Callable[[], onnx.ModelProto], groups: Sequence[Group], path: Path) -> Verdict:
    """Write the twin to `path` if it gives the golden answers.

    Nothing about a failed twin stops the export: the SavedModel is the artifact.
    """
    try:
        graph = convert()
        worst = largest_difference(graph, groups)
        if worst <= TOLERANCE:
            graph = improve(graph, groups)
            worst = largest_difference(graph, groups)
    except Exception as error:  # Converters fail in ways of their own; the reason goes on the card.
        return Verdict(False, None, f"not converted: {type(error).__name__}: {_first_line(error)}")
    if not worst <= TOLERANCE:
        known = worst if worst < float("inf") else None
        return Verdict(False, known, f"differs from the SavedModel by {worst:.3g}, more than {TOLERANCE:g}")
    path.write_bytes(graph.SerializeToString())
    allow(path, groups)
    return Verdict(True, worst, None)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "no message")[:300]
