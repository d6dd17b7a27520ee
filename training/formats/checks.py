"""Is this field what the task says? Each check returns the value to learn from; its ValueError says what is wrong."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.images import decode
from service.nested import to_array
from training.task import Category, Image, Input, Number, Numbers, Output, Probabilities, Probability, Tokens
from training.words import split

SHOWN = 12
PICTURES = (".png", ".jpg", ".jpeg")
Array = NDArray[Any]


def row(record: Mapping[str, Any], fields: Mapping[str, Callable[[Any], Any]]) -> tuple[dict[str, Any], list[str]]:
    """A record's values by name and everything that is wrong with it; each field's ValueError says what."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, check in fields.items():
        try:
            values[name] = check(record.get(name))
        except ValueError as error:
            faults.append(f"{name} {error}")
    return values, faults


def field(value: Any, spec: Input | Output, folder: Path) -> Any:
    """One value of the kind that the task names; a picture may be a file in `folder`."""
    if absent(value):
        raise ValueError("is empty" if isinstance(value, str) else "is missing")
    match spec:
        case Tokens():
            return text(value, spec)
        case Number():
            return number(value, spec)
        case Numbers():
            return numbers(value, spec)
        case Image():
            return image(value, spec, folder)
        case Category() | Probability() | Probabilities():
            return label(value, spec.labels)


def text(value: Any, spec: Tokens) -> str:
    """A text with at least one word and no more than the service accepts."""
    if not isinstance(value, str):
        raise ValueError(f"is {short(value)}, not text")  # noqa: TRY004  a fault of the row like any other
    count = len(split(value))
    if not count:
        raise ValueError("has no words")
    if spec.length is None and count > spec.max_length:
        raise ValueError(f"has {count} words, at most {spec.max_length} are served")
    return value


def number(value: Any, spec: Number) -> float:
    """A finite number within the output's bounds."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"is {short(value)}, not a number")
    if spec.minimum is not None and found < spec.minimum:
        raise ValueError(f"is {found:g}, below {spec.minimum:g}")
    if spec.maximum is not None and found > spec.maximum:
        raise ValueError(f"is {found:g}, above {spec.maximum:g}")
    return found


def numbers(value: Any, spec: Numbers) -> Array:
    """A finite array of the shape and within the bounds; text is read as JSON."""
    try:
        given = json.loads(value) if isinstance(value, str) else listed(value)
    except ValueError:
        raise ValueError(f"is {short(value)}, not numbers") from None
    found = to_array(given, np.dtype(spec.dtype), spec.dims)
    if spec.dims[:1] == (None,) and len(found) > spec.max_length:
        raise ValueError(f"has {len(found)} steps, at most {spec.max_length} are served")
    low, high = float(found.min()), float(found.max())
    if spec.minimum is not None and low < spec.minimum:
        raise ValueError(f"has {low:g}, below {spec.minimum:g}")
    if spec.maximum is not None and high > spec.maximum:
        raise ValueError(f"has {high:g}, above {spec.maximum:g}")
    return found


def image(value: Any, spec: Image, folder: Path) -> Array:
    """Pixels: nested numbers, or a PNG or JPEG as base64 or as a file of this name."""
    if not isinstance(value, str):
        return to_array(listed(value), np.dtype(spec.dtype), spec.dims)
    if Path(value).suffix.lower() in PICTURES:
        try:
            return decode((folder / value).read_bytes(), spec.dims)
        except OSError as error:
            raise ValueError(f"{short(value)} cannot be read: {error.strerror or error}") from error
    try:
        return decode(base64.b64decode(value, validate=True), spec.dims)
    except binascii.Error as error:
        raise ValueError(f"is {short(value)}, neither a file's name nor base64") from error


def label(value: Any, labels: tuple[str, ...] | None) -> str:
    """A label, as text; one of `labels` if they are fixed. A whole number is read as its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"is {short(value)}, not a label")  # noqa: TRY004  likewise
    found = str(value).strip()
    if labels is not None and found not in labels:
        known = ", ".join(labels[:SHOWN]) + (", …" if len(labels) > SHOWN else "")
        raise ValueError(f"is {short(found)}, not one of {known}")
    return found


def absent(value: Any) -> bool:
    """Whether nothing stands there."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def listed(value: Any) -> Any:
    """Lists for the arrays of arrays that Parquet holds."""
    return [listed(inner) for inner in value.tolist()] if isinstance(value, np.ndarray) else value


def short(value: Any) -> str:
    """A value in a message."""
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}…"
