"""How the training's inputs and the model's answers lie: a small histogram of each, and a sentence that says the same.

A bin is as high as it is dense, so that bins of unequal width do not lie; labels are as high as they are frequent.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from service.console.facts import Facts
from service.drift.bins import WHOLE
from service.numbers import digits, percent
from service.quantiles import quantile

Reads = Callable[[float], str]
"""How a number is written."""

WIDTH, HEIGHT = 100, 40
THINNEST = 0.02
"""Of the whole width: a bin of a single value is drawn so wide."""
MOST_NAMED = 3

SHARES = {"probability", "confidence"}
"""Features that are shares of one, and read as percents."""

TITLES = {
    "words": "Words in a row",
    "characters": "Characters in a row",
    "vocabulary": "Numbers of the words: the rarer, the larger",
    "value": "Value",
    "steps": "Steps in a row",
    "mean": "Mean of a row",
    "spread": "Spread within a row",
    "brightness": "Brightness",
    "contrast": "Contrast",
    "label": "Label",
    "probability": "Probability",
    "confidence": "Probability of the likeliest label",
}


def sides(card: Mapping[str, Any]) -> list[Facts]:
    """Inputs, then outputs, with the features of each."""
    told = card.get("distribution") or {}
    return [
        {
            "side": side,
            "name": name,
            "title": card[side].get(name, {}).get("title") or name,
            "features": [feature(found, card[side].get(name, {})) for found in features],
        }
        for side in ("inputs", "outputs")
        for name, features in told.get(side, {}).items()
    ]


def feature(found: Mapping[str, Any], told: Mapping[str, Any]) -> Facts:
    """One feature of an input or output, of which the card tells this."""
    name = found["feature"]
    if "labels" in found:
        drawn = labels(found["labels"], found["counts"])
    else:
        reads = percent if name in SHARES else digits
        drawn = edges(found["edges"], found["counts"], whole=name in WHOLE, reads=reads)
    return {
        "feature": name,
        "title": title(name, told),
        "unit": (told.get("unit") or "") if name == "value" else "",
        **drawn,
    }


def title(name: str, told: Mapping[str, Any]) -> str:
    """A feature's name, for people; of a probability also whose it is.

    >>> title("steps", {}), title("0", {}), title("probability", {"labels": ["no", "yes"]})
    ('Steps in a row', 'Number 1', 'Probability of yes')
    """
    if name == "probability" and "labels" in told:
        return f"Probability of {told['labels'][1]}"
    return TITLES.get(name) or place(name)


def place(name: str) -> str:
    """Where one of several numbers stands, counted from one.

    >>> place("0"), place("1,0"), place("0,1,2")
    ('Number 1', 'Row 2, column 1', 'Place 1, 2, 3')
    """
    at = [str(int(number) + 1) if number.isdecimal() else number for number in name.split(",")]
    match at:
        case [one]:
            return f"Number {one}"
        case [row, column]:
            return f"Row {row}, column {column}"
    return f"Place {', '.join(at)}"


def labels(names: Sequence[str], counts: Sequence[float]) -> Facts:
    """A bar per label, and one for all others; in words the most frequent."""
    every = list(zip([*names, "others"], counts, strict=True))
    total, most, step = sum(counts), max(counts) or 1, WIDTH / len(counts)
    bars = [bar(number * step, step, count / most) for number, count in enumerate(counts)]
    first = sorted(every, key=lambda one: -one[1])[:MOST_NAMED]
    told = ", ".join(f"{name} {percent(count / total)}" for name, count in first if count)
    return {"bars": bars, "low": names[0], "high": "others", "text": f"Most frequent: {told}."}


def edges(at: Sequence[float], counts: Sequence[float], *, whole: bool, reads: Reads = digits) -> Facts:
    """A bar between each two edges; in words where the middle half lies."""
    inner = counts[1 : len(at)]
    low, high = at[0], at[-1]
    least = THINNEST * ((high - low) or 1)
    ranges = [(left, max(right - left, least)) for left, right in pairwise(at)]
    heights = [count / width for (_, width), count in zip(ranges, inner, strict=True)]
    most, scale = max(heights) or 1, WIDTH / max(high - low, least)
    bars = [
        bar((left - low) * scale, width * scale, height / most)
        for (left, width), height in zip(ranges, heights, strict=True)
    ]
    if low == high:
        return {"bars": bars, "low": reads(low), "high": reads(high), "text": f"Always {reads(low)}."}
    quarters = (quantile(share, at, inner) for share in (0.25, 0.5, 0.75))
    first, middle, third = map(round, quarters) if whole else quarters
    text = f"Half of all lie between {reads(first)} and {reads(third)}; the middle is {reads(middle)}."
    return {"bars": bars, "low": reads(low), "high": reads(high), "text": text}


def bar(left: float, width: float, share: float) -> Facts:
    """A rectangle that stands on the ground."""
    return {
        "x": round(left, 2),
        "width": round(width, 2),
        "y": round(HEIGHT * (1 - share), 2),
        "height": round(HEIGHT * share, 2),
    }
