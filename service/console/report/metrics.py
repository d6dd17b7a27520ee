"""The figures of every output beside those of the trivial rule, in words."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from service.console.facts import Facts
from service.numbers import digits, percent


class Figure(NamedTuple):
    """What a figure is called, what it means, how it reads; and whether a model wants much of it."""

    title: str
    means: str
    reads: Callable[[float], str] = digits
    more_is_better: bool = True
    has_unit: bool = False


FIGURES: Mapping[str, Figure] = {
    "accuracy": Figure("Accuracy", "The share of rows whose answer is right.", percent),
    "roc_auc": Figure(
        "ROC AUC",
        "How often, of two rows with different answers, the right one gets the higher probability: 1 is always, "
        "0.5 is chance.",
    ),
    "calibration_error": Figure(
        "Calibration error",
        "How far a probability is, on average, from the share of rows for which it comes true. A rule that always "
        "says the same may do well here, and tell nothing.",
        percent,
        more_is_better=False,
    ),
    "mae": Figure(
        "Mean error", "How far an answer is from the truth, on average.", more_is_better=False, has_unit=True
    ),
    "rmse": Figure(
        "Root mean square error", "The same, but large errors weigh more.", more_is_better=False, has_unit=True
    ),
    "r2": Figure("R²", "The share of the differences between rows that the model explains: 1 is all, 0 is none."),
    "pearson": Figure("Pearson correlation", "How close answers and truth come to one straight line: 1 is on it."),
    "spearman": Figure("Spearman correlation", "How well the model puts rows in the right order: 1 is perfectly."),
}

RULES = {
    "majority": "always the most frequent answer",
    "median": "always the median",
    "mean": "always the mean",
}
"""What trivial rules do, by the names that training gives them."""


def outputs(card: Mapping[str, Any]) -> list[Facts]:
    """Every output of the card with its figures."""
    return [output(name, card["outputs"].get(name, {}), found) for name, found in card.get("metrics", {}).items()]


def output(name: str, described: Mapping[str, Any], found: Mapping[str, Any]) -> Facts:
    """One output: a row for each figure that the card has of it."""
    baseline = found["baseline"]
    unit = described.get("unit") or ""
    return {
        "name": name,
        "title": described.get("title") or name,
        "rule": RULES.get(baseline["name"], baseline["name"]),
        "figures": [row(key, found[key], baseline.get(key), unit) for key in FIGURES if key in found],
    }


def row(key: str, model: float | None, rule: float | None, unit: str) -> Facts:
    """One figure, of the model and of the rule."""
    figure = FIGURES[key]
    return {
        "title": figure.title,
        "means": figure.means,
        "model": value(figure, model, unit),
        "rule": value(figure, rule, unit),
        "verdict": verdict(figure, model, rule),
    }


def value(figure: Figure, number: float | None, unit: str) -> str:
    """A figure with its unit."""
    if number is None:
        return "not defined"
    text = figure.reads(number)
    return f"{text} {unit}" if unit and figure.has_unit else text


def verdict(figure: Figure, model: float | None, rule: float | None) -> str:
    """Whether the model does better than the rule.

    >>> verdict(FIGURES["mae"], 2.0, 7.0), verdict(FIGURES["accuracy"], 0.1, 0.2), verdict(FIGURES["r2"], 0.5, None)
    ('better', 'worse', 'cannot be compared')
    """
    if model is None or rule is None:
        return "cannot be compared"
    if model == rule:
        return "the same"
    return "better" if (model > rule) is figure.more_is_better else "worse"
