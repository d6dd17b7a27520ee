"""An answer for people: titles, labels with their share and a bar, numbers with few digits and their unit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from service.card import Card, ImageInput, Input
from service.numbers import percent
from service.outputs import NumberOutput, NumbersOutput, Output, ProbabilitiesOutput, ProbabilityOutput
from service.predict.described import text

BAR = 24
"""Letters of a bar that means certainty."""
PARTS = " ▏▎▍▌▋▊▉█"
WIDEST, LONGEST = 16, 32
"""Columns and lines of a matrix that is shown whole."""
MOST_LETTERS = 100
INDENT = "    "


def answer(card: Card, answers: Mapping[str, Any]) -> str:
    """All outputs of one row, under each other.

    >>> card = Card(outputs={"age": NumberOutput("Age", "years"), "sex": ProbabilityOutput(("male", "female"))})
    >>> print(answer(card, {"age": {"value": 32.17}, "sex": {"label": "male", "probability": 0.913}}))
    Age  32.17 years
    sex  male  91.3 %
    """
    titles = {name: getattr(card.output(name), "title", "") or name for name in answers}
    width = max(map(len, titles.values()))
    lines = []
    for name, value in answers.items():
        first, *more = output(card.output(name), value)
        lines += [f"{titles[name]:<{width}}  {first}", *(INDENT + line for line in more)]
    return "\n".join(lines)


def row(card: Card, values: Mapping[str, Any]) -> list[str]:
    """What was asked, a line an input."""
    titles = {name: getattr(card.inputs.get(name), "title", "") or name for name in values}
    width = max(map(len, titles.values()))
    return [f"{titles[name]:<{width}}  {asked(card.inputs.get(name), value)}" for name, value in values.items()]


def asked(meaning: Input | None, value: Any) -> str:
    """One input's value."""
    if isinstance(meaning, ImageInput):
        return "a picture"
    return short(text(value))


def output(kind: Output, value: Any) -> list[str]:
    """One output, a line first that stands beside its title."""
    match kind:
        case NumberOutput(unit=unit):
            return [" ".join([number(value["value"]), *([unit] if unit else [])])]
        case NumbersOutput(unit=unit):
            return array(np.asarray(value["values"]), unit)
        case ProbabilityOutput():
            return [f"{value['label']}  {percent(value['probability'])}"]
        case ProbabilitiesOutput():
            return [f"{value['label']}  {percent(value['probability'])}{unsure(value)}", *bars(value.get("top", []))]
    return [short(value)] if isinstance(value, str) else array(np.asarray(value), None)


def unsure(value: Mapping[str, Any]) -> str:
    """That no label is likely enough, where it is so."""
    return f"  (nothing else reaches {percent(value['threshold'])})" if "threshold" in value else ""


def bars(top: Sequence[Sequence[Any]]) -> list[str]:
    """Labels and their probabilities, the likely ones of length."""
    width = max([len(label) for label, _ in top], default=0)
    return [f"{label:<{width}}  {percent(share):>8}  {bar(share)}".rstrip() for label, share in top]


def bar(share: float) -> str:
    """A share as a bar, in eighths of a letter.

    >>> bar(0.5), bar(0.0)
    ('████████████', '')
    """
    eighths = round(8 * BAR * share) if np.isfinite(share) else 0
    return (PARTS[8] * (eighths // 8) + PARTS[eighths % 8]).strip()


def number(value: float) -> str:
    """A number with four digits, or all of those before the point; unlike a page's, in letters that programs read.

    >>> number(32.172092), number(123456.7), number(0.00012345), number(1994.0)
    ('32.17', '123,457', '0.0001234', '1994')
    """
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def array(values: Any, unit: str | None) -> list[str]:
    """Numbers or strings, side by side; of many their range."""
    unit = f" {unit}" if unit else ""
    if values.ndim == 0:
        return [cell(values.item()) + unit]
    if values.ndim > 2 or values.shape[-1] > WIDEST or len(values) > LONGEST:
        return [summary(values, unit)]
    if values.ndim == 1:
        return ["  ".join(map(cell, values.tolist())) + unit]
    rows = [[cell(value) for value in row] for row in values.tolist()]
    if values.dtype.kind == "f":
        places = decimals(values)
        rows = [[f"{value:,.{places}f}" for value in row] for row in values.tolist()]
    width = max(len(text) for row in rows for text in row)
    lines = ["  ".join(f"{text:>{width}}" for text in row) for row in rows]
    return [f"{shape(values)} numbers{f', in{unit}' if unit else ''}", *lines]


def decimals(values: Any) -> int:
    """Digits behind the point, so that the largest number has four in all.

    >>> decimals(np.array([0.5, -12.25])), decimals(np.array([1e5, 1.0]))
    (2, 0)
    """
    largest = float(np.nanmax(np.abs(values), initial=0.0, where=np.isfinite(values)))
    return min(max(4 - len(str(int(largest))), 0), 3) if largest >= 1 else 4


def summary(values: Any, unit: str) -> str:
    """How many values there are, and between which bounds."""
    if values.dtype.kind not in "iuf":
        return f"{shape(values)} values; --json shows them"
    low, mean, high = (number(float(value)) for value in (values.min(), values.mean(), values.max()))
    return f"{shape(values)} numbers from {low} to {high}{unit}, {mean}{unit} on average; --json shows them"


def shape(values: Any) -> str:
    """The sizes of an array."""
    return " × ".join(map(str, values.shape))


def cell(value: Any) -> str:
    """One value of many."""
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else short(str(value))


def short(text: str) -> str:
    """A text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
