"""The report's pictures with their headings, how to read them, and what they show."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.console.facts import Facts
from service.console.report import stories
from service.console.report.pictures import Picture

Story = tuple[str, stories.Table | None]
"""In words, and as a table."""

READ = {
    "learning_curves": (
        "Learning curves",
        (
            "One line for the rows it learnt from, one for the validation rows it did not. Where the second turns away "
            "from the first, the model begins to learn by heart; the dotted line is the epoch that is served."
        ),
    ),
    "layers": ("Layer graph", "A box for every layer, with the shape of what it hands on; an arrow for every tensor."),
    "confusion": (
        "Right and mistaken",
        "A row per true label, a column per answer, in percent; the diagonal is right.",
    ),
    "roc": (
        "ROC curve",
        (
            "Each point is a threshold: how many it would rightly find, over how many it would wrongly find. "
            "The nearer to the upper left corner, the better; the diagonal is chance."
        ),
    ),
    "calibration": (
        "Calibration",
        (
            "What came true over the probability that was said; the larger a dot, the more rows. "
            "On the diagonal a probability means what it says."
        ),
    ),
    "scatter": ("Answers and truth", "A dot per row: the model's answer over the truth. On the line it is right."),
}
"""By the last part of a picture's name: its heading, and how to read it."""

BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of a card or report that is not as training writes them."""
TOLD = {"findings"}
"""The page draws them itself, from the card."""


def gallery(pictures: Sequence[Picture], report: Mapping[str, Any], card: Mapping[str, Any]) -> list[Facts]:
    """All pictures but the layer graph's, the learning curves first."""
    shown = [picture for picture in pictures if kind(picture) not in {"layers", *TOLD}]
    return [described(one, report, card) for one in sorted(shown, key=lambda one: kind(one) != "learning_curves")]


def layer_graph(pictures: Sequence[Picture], report: Mapping[str, Any], card: Mapping[str, Any]) -> Facts | None:
    """The layer graph, and every layer as text."""
    found = [picture for picture in pictures if kind(picture) == "layers"]
    return described(found[-1], report, card) if found else None


def kind(picture: Picture) -> str:
    """What it shows: the last part of its name.

    >>> kind(Picture("gender.roc.png", 1, 1)), kind(Picture("layers.png", 1, 1))
    ('roc', 'layers')
    """
    return picture.name.rpartition(".")[0].rpartition(".")[2]


def described(picture: Picture, report: Mapping[str, Any], card: Mapping[str, Any]) -> Facts:
    """One picture: what to read beside it."""
    what = kind(picture)
    output = picture.name.removesuffix(f"{what}.png").removesuffix(".")
    title = card.get("outputs", {}).get(output, {}).get("title") or output
    heading, how = READ.get(what, (picture.name, ""))
    told, table = story(what, output, report, card)
    return {
        "name": picture.name,
        "kind": what,
        "width": picture.width,
        "height": picture.height,
        "heading": f"{heading}: {title}" if output and len(card.get("outputs", {})) > 1 else heading,
        "how": how,
        "text": told or "Its figures are not known.",
        "table": table,
    }


def story(what: str, output: str, report: Mapping[str, Any], card: Mapping[str, Any]) -> Story:
    """What it shows; "" where that is not known, or makes no sense."""
    try:
        if what == "learning_curves":
            return stories.curves(report)
        if what == "layers":
            return stories.layers(report, card)
        found = report["outputs"][output]
        if what == "scatter":
            return stories.scatter(found, card["outputs"][output].get("unit") or "")
        return {"confusion": stories.confusion, "roc": stories.roc, "calibration": stories.calibration}[what](found)
    except BROKEN:
        return "", None
