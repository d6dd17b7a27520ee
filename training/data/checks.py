"""Is this field what the task says? Each check returns the value to learn from; its ValueError says what is wrong."""

import math
from collections.abc import Mapping
from typing import Any

from training.task import Number, Output, Task, Tokens
from training.words import split

SHOWN = 12


def row(record: Mapping[str, Any], task: Task) -> tuple[dict[str, Any], list[str]]:
    """A record's values by name and everything that is wrong with it."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, spec in [*task.inputs.items(), *task.outputs.items()]:
        try:
            values[name] = text(record.get(name), spec) if isinstance(spec, Tokens) else target(record.get(name), spec)
        except ValueError as error:
            faults.append(f"{name} {error}")
    return values, faults


def text(value: Any, spec: Tokens) -> str:
    """A text with at least one word and no more than the service accepts."""
    if _absent(value):
        raise ValueError("is missing")
    if not isinstance(value, str):
        raise ValueError(f"is {_short(value)}, not text")  # noqa: TRY004  a fault of the row like any other
    count = len(split(value))
    if not count:
        raise ValueError("has no words")
    if spec.length is None and count > spec.max_length:
        raise ValueError(f"has {count} words, at most {spec.max_length} are served")
    return value


def target(value: Any, spec: Output) -> float | str:
    """A number for a number output, else a label."""
    if _absent(value):
        raise ValueError("is missing")
    return number(value, spec) if isinstance(spec, Number) else label(value, spec.labels)


def number(value: Any, spec: Number) -> float:
    """A finite number within the output's bounds."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"is {_short(value)}, not a number")
    if spec.minimum is not None and found < spec.minimum:
        raise ValueError(f"is {found:g}, below {spec.minimum:g}")
    if spec.maximum is not None and found > spec.maximum:
        raise ValueError(f"is {found:g}, above {spec.maximum:g}")
    return found


def label(value: Any, labels: tuple[str, ...] | None) -> str:
    """A label, as text; one of `labels` if they are fixed. A whole number is read as its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"is {_short(value)}, not a label")  # noqa: TRY004  likewise
    found = str(value).strip()
    if labels is not None and found not in labels:
        known = ", ".join(labels[:SHOWN]) + (", …" if len(labels) > SHOWN else "")
        raise ValueError(f"is {_short(found)}, not one of {known}")
    return found


def _absent(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())  # noqa: PLR0124  NaN


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}…"
