"""A picture of a model: a box per layer with its shape, inputs on top, outputs at the bottom, an arrow per tensor.

    model ─ wiring ─▶ boxes and arrows ─ layout ─▶ where they stand ─ draw ─▶ PNG

A shared layer has an arrow for every call, numbered, and one colour per call. Several lines in one box are layers that
follow one another, each with its shape. What is grey is a bare operation.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve
from PIL import Image

from training.reports.layout import GAP, Point, arrange
from training.reports.pictures import BLUE, GREY, ORANGE, STYLE
from training.reports.wiring import Arrow, Graph, Layer, fold, graph

LETTER, LEADING, PADDING = 0.066, 0.165, 0.11  # Inches: an average letter, a line, the margin of a box.
DPI, LARGEST = 130, 4_000  # Pixels an inch, and of the longer side.
COLOURS = 128  # Of the file: a third of its size.
DARK, PALE = "#5b6068", "#f4f5f6"
CALLS = (BLUE, ORANGE, "#3f8f5f", "#9b4f96")
"""A colour for each call of a shared layer; the fifth has the first's again."""


def draw(model: keras.Model, path: Path) -> None:
    """Write a PNG of at most 4,000 pixels a side. ValueError for a model that is no graph of layers."""
    whole = fold(graph(model))
    sizes = [_size(box) for box in whole.boxes]
    layout = arrange(whole, sizes)
    title = f"{model.name}: {model.count_params():,} parameters"
    corners = [np.add(layout.middles, np.multiply(sizes, share)) for share in (-0.5, 0.5)]
    points = np.concatenate([*corners, *map(np.asarray, layout.lines)])
    (left, low), (right, high) = points.min(axis=0) - GAP, points.max(axis=0) + GAP
    high += 2 * LEADING
    right = max(right, left + 0.1 * len(title) + 2 * GAP)
    width, height = right - left, high - low
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), dpi=min(DPI, LARGEST / max(width, height)))
        canvas: Any = FigureCanvasAgg(figure)
        axis = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(low, high))
        axis.axis("off")
        axis.text(left + GAP, high - GAP, title, weight="bold", fontsize=10, va="center")
        for arrow, line in zip(whole.arrows, layout.lines, strict=True):
            _draw_arrow(axis, whole, arrow, line)
        for box, middle, size in zip(whole.boxes, layout.middles, sizes, strict=True):
            _draw_box(axis, box, middle, size)
        canvas.draw()
    Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def _draw_arrow(axis: Any, whole: Graph, arrow: Arrow, line: Sequence[Point]) -> None:
    """A smooth line; in the colour of the call where a shared layer makes or takes the tensor."""
    makes, takes = (any(layer.calls > 1 for layer in whole.boxes[at]) for at in (arrow.source, arrow.target))
    call = arrow.taken if takes else arrow.made
    colour = CALLS[(call - 1) % len(CALLS)] if makes or takes else GREY
    points, codes = [line[0]], [Curve.MOVETO]
    for (x, y), (far, low) in pairwise(line):
        points += [(x, (y + low) / 2), (far, (y + low) / 2), (far, low)]
        codes += [Curve.CURVE4] * 3
    head: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 8, "shrinkA": 0, "shrinkB": 0}
    axis.add_patch(FancyArrowPatch(path=Curve(points, codes), color=colour, linewidth=1.0, **head))
    if takes:
        (near, above), (x, y) = line[-2:]
        aside = 0.05 if near <= x or arrow.source == arrow.target else -0.05
        style: dict[str, Any] = {"ha": "left" if aside > 0 else "right", "va": "center", "fontsize": 6.5}
        axis.text(x + aside, y + (0.1 if above > y else -0.1), str(arrow.taken), color=colour, **style)


def _size(box: Sequence[Layer]) -> Point:
    """Width and height in inches."""
    lines = _text(box)
    letters = max(sum(map(len, line)) + 2 * (len(line) - 1) for line in lines)
    return letters * LETTER + 2 * PADDING, len(lines) * LEADING + 2 * PADDING * 0.6


def _text(box: Sequence[Layer]) -> list[tuple[str, ...]]:
    """Lines of one part, to be centred, and of two: what a layer is, and its shape."""
    if len(box) > 1:
        return _list(box)
    (layer,) = box
    if layer.role == "operation" and not layer.output:
        return [(f"{layer.kind} {layer.shape}",)]
    output = layer.output if layer.output not in (layer.name, layer.kind) else ""
    kind = layer.kind if layer.role != "input" else ""
    shared = f"shared, called {layer.calls} times" if layer.calls > 1 else ""
    lines = [layer.name, output, kind, "" if layer.within else layer.shape, shared]
    return [(line,) for line in lines if line] + _list(layer.within)


def _list(layers: Sequence[Layer]) -> list[tuple[str, ...]]:
    return [(" ".join(filter(None, [layer.name, layer.kind])), layer.shape) for layer in layers]


def _draw_box(axis: Any, box: Sequence[Layer], middle: Point, size: Point) -> None:
    (x, y), (width, height) = middle, size
    left, low = x - width / 2, y - height / 2
    edge, fill, thick = _look(box)
    corner = "round,pad=0,rounding_size=0.06"
    axis.add_patch(FancyBboxPatch((left, low), width, height, corner, edgecolor=edge, facecolor=fill, linewidth=thick))
    if box[0].role == "model":
        inner = FancyBboxPatch((left + 0.04, low + 0.04), width - 0.08, height - 0.08, corner)
        inner.set(edgecolor=edge, facecolor="none")
        axis.add_patch(inner)
    lines = _text(box)
    listed = list(box if len(box) > 1 else box[0].within)
    style: dict[str, Any] = {"fontsize": 8, "va": "center_baseline"}
    for number, line in enumerate(lines):
        at = y + ((len(lines) - 1) / 2 - number) * LEADING
        if len(line) == 2:
            faint = listed[number - len(lines)].role == "operation"
            axis.text(left + PADDING, at, line[0], ha="left", color=GREY if faint else "black", **style)
            axis.text(left + width - PADDING, at, line[1], ha="right", color=GREY, **style)
            continue
        first = number == 0 and (box[0].role != "operation" or box[0].output != "")
        weight, colour = ("bold", "black") if first else ("normal", DARK)
        axis.text(x, at, line[0], ha="center", weight=weight, color=colour, **style)


def _look(box: Sequence[Layer]) -> tuple[str, str, float]:
    """Edge, fill and the width of the edge."""
    if len(box) > 1:
        return GREY, "white", 0.8
    (layer,) = box
    if layer.output:
        return ORANGE, "#fbeedd", 1.2
    if layer.role == "input":
        return BLUE, "#e3edf6", 1.2
    if layer.calls > 1 or layer.role == "model":
        return BLUE, "white", 1.6
    return (GREY, "white", 0.8) if layer.role == "layer" else ("#d5d8dc", PALE, 0.6)
