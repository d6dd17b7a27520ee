"""What the report's pictures show, in words and in tables: for those who do not see them, and for all others.

A story is None where the figures behind a picture are not known.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from service.numbers import count, digits, percent

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""The heads of its columns, and its rows."""

MOST_TOLD = 3


def curves(report: Mapping[str, Any]) -> tuple[str, Table]:
    """How every figure went on the validation rows, and the whole history."""
    history, best = report["history"], report["best_epoch"]
    names = [name for name in history if f"val_{name}" in history]
    told = [name for name in names if not name.endswith("loss")] or ["loss"]
    courses = "; ".join(course(name, history[f"val_{name}"], best) for name in told)
    text = f"On the validation rows, over {count(len(history['loss']), 'epoch')}: {courses}. Epoch {best} was the best."
    columns = [column for name in sorted(names) for column in (name, f"val_{name}")]
    heads = ["Epoch", *(f"{spoken(name)}, {where}" for name in sorted(names) for where in ("training", "validation"))]
    rows = [
        [str(epoch), *map(digits, values)]
        for epoch, values in enumerate(zip(*(history[column] for column in columns), strict=True), 1)
    ]
    return text, (heads, rows)


def course(name: str, values: Sequence[float], best: int) -> str:
    """From the first epoch to the best one.

    >>> course("accuracy", [0.52, 0.98, 0.97], 2)
    'accuracy rises from 52 % to 98 %'
    """
    first, last = values[0], values[best - 1]
    reads = percent if name.endswith("accuracy") else digits
    if first == last:
        return f"{spoken(name)} is {reads(first)}"
    return f"{spoken(name)} {'rises' if last > first else 'falls'} from {reads(first)} to {reads(last)}"


def spoken(name: str) -> str:
    """A name of Keras' as words.

    >>> spoken("age_mae"), spoken("gender_accuracy")
    ('age mean error', 'gender accuracy')
    """
    return name.replace("mae", "mean error").replace("_", " ")


def confusion(found: Mapping[str, Any]) -> tuple[str, Table]:
    """How often each label is right, and what it is taken for."""
    names, counts = found["confusion"]["labels"], found["confusion"]["rows_true_columns_guessed"]
    total, right = sum(map(sum, counts)), sum(row[at] for at, row in enumerate(counts))
    wrong = [
        (row[guess], names[true], names[guess])
        for true, row in enumerate(counts)
        for guess in range(len(row))
        if guess != true
    ]
    wrong = sorted((one for one in wrong if one[0]), key=lambda one: -one[0])
    text = f"{right:,} of {count(total, 'row')} are right."
    if wrong:
        told = "; ".join(
            f"{true} taken for {guess} ({count(times, 'row')})" for times, true, guess in wrong[:MOST_TOLD]
        )
        text += f" The most frequent mistakes: {told}."
    rows = [
        [label, f"{sum(row):,}", percent(row[at] / sum(row)) if sum(row) else "–", mistaken(names, row, at)]
        for at, (label, row) in enumerate(zip(names, counts, strict=True))
    ]
    return text, (["Truth", "Rows", "Right", "Else mostly taken for"], rows)


def mistaken(names: Sequence[str], row: Sequence[int], at: int) -> str:
    """What a label is most often taken for."""
    times, guess = max((times, -guess) for guess, times in enumerate(row) if guess != at)
    return f"{names[-guess]} ({times:,})" if times else "–"


def calibration(found: Mapping[str, Any]) -> tuple[str, Table]:
    """Where what is said and what comes true are furthest apart."""
    bins = found["calibration"]
    worst = max(bins, key=lambda one: abs(one["said"] - one["came_true"]) * one["rows"])
    text = (
        f"What weighs most: of {count(worst['rows'], 'row')} for which it says {percent(worst['said'])}, "
        f"{percent(worst['came_true'])} come true."
    )
    rows = [[percent(one["said"]), percent(one["came_true"]), f"{one['rows']:,}"] for one in bins]
    return text, (["Probability said", "Came true", "Rows"], rows)


def roc(found: Mapping[str, Any]) -> tuple[str, None]:
    """The area under the curve."""
    return f"The area under the curve is {digits(found['metrics']['roc_auc'])}; 1 is perfect, 0.5 is chance.", None


def scatter(found: Mapping[str, Any], unit: str) -> tuple[str, None]:
    """How far answers are from the truth."""
    told = found["metrics"]
    error = f"{digits(told['mae'])} {unit}".rstrip()
    explained = "" if told["r2"] is None else f" R² is {digits(told['r2'])}, where 1 is perfect."
    return f"Answers are {error} from the truth, on average.{explained}", None


def layers(report: Mapping[str, Any], card: Mapping[str, Any]) -> tuple[str, Table | None]:
    """What goes in and comes out; and every layer, where the report lists them."""
    text = f"From {_titles(card['inputs'])} at the top to {_titles(card['outputs'])} at the bottom"
    text += f", with {count(card['parameters'], 'parameter')}."
    known = report.get("layers")
    if not known:
        return text, None
    rows = [[one["name"], one["kind"], one["shape"], ", ".join(one["takes"]) or "–"] for one in known]
    return f"{text} {count(len(rows), 'layer')}.", (["Layer", "Kind", "Shape", "Takes"], rows)


def _titles(described: Mapping[str, Any]) -> str:
    return " and ".join(one.get("title") or name for name, one in described.items())
