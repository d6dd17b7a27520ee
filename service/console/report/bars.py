"""Bars from 0 to 100: shares of the loss, and the figures of findings."""

from collections.abc import Mapping
from typing import Any

from service.console.facts import Facts
from service.numbers import digits, percent


def losses(card: Mapping[str, Any]) -> list[Facts]:
    """Every head: its weight, its share of the loss, and what to do about it."""
    return [
        {
            "name": name,
            "title": card["outputs"].get(name, {}).get("title") or name,
            "weight": digits(head["weight"]),
            "share": percent(head["share"]),
            "bar": round(100 * head["share"], 2),
            "advice": advice(head["suggested_weight"]),
        }
        for name, head in card.get("losses", {}).items()
    ]


def advice(weight: float | None) -> str:
    """What to do about a head."""
    return "fair as it is" if weight is None else f"try {digits(weight)}"


def findings(card: Mapping[str, Any]) -> list[Facts]:
    """Every finding with its bars, which begin at zero, to the left where a figure is negative."""
    return [finding(found) for found in card.get("findings", [])]


def finding(found: Mapping[str, Any]) -> Facts:
    """One finding."""
    unit, figures = found["unit"] or "", found["figures"]
    low, high = min(0.0, *figures.values()), max(0.0, *figures.values())
    scale = 100 / ((high - low) or 1)
    rows = [
        {
            "label": label,
            "value": shown(value, unit),
            "start": round((min(value, 0) - low) * scale, 2),
            "length": round(abs(value) * scale, 2),
        }
        for label, value in figures.items()
    ]
    return {"title": found["title"], "rows": rows}


def shown(value: float, unit: str) -> str:
    """A figure with its unit.

    >>> shown(0.5717, "share"), shown(4.85, "EUR"), shown(0.25, "")
    ('57.2 %', '4.85 EUR', '0.25')
    """
    return percent(value) if unit == "share" else f"{digits(value)} {unit}".rstrip()
