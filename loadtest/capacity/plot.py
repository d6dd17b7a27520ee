"""Pictures of a fleet's day, and of the minutes around a lost zone."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from loadtest.bench.plot import COLOURS, STYLE
from loadtest.capacity.curve import Curve, Second, percentiles
from loadtest.capacity.traffic import DAY, HOUR
from loadtest.capacity.worker import Floats

SHADES = ("#E69F00", "#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9")
"""Okabe and Ito's, which the colour-blind tell apart."""
MINUTES, SECONDS = 5, 5
"""Of a step."""
FEW = 4
"""Policies in the picture of the day: all would hide each other."""
SMALL = "Simulated: python -m loadtest.capacity.simulate; costs as measured, traffic and cluster as assumed there"
AROUND = int(20.1 * HOUR), int(20.4 * HOUR)


class Scene(NamedTuple):
    """Days by policy, requests a second, a worker's curve, and a pod's peak."""

    days: Mapping[str, Sequence[Second]]
    rates: Floats
    curve: Curve
    peak: float


def draw(scene: Scene, folder: Path) -> list[Path]:
    """The day in steps of minutes, the lost zone in steps of seconds; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    whole, near = folder / "fleet-day.png", folder / "fleet-zone.png"
    few = dict(list(scene.days.items())[:FEW])
    panels(scene._replace(days=few), range(0, DAY, 60 * MINUTES), whole)
    panels(scene, range(*AROUND, SECONDS), near)
    return [whole, near]


def panels(scene: Scene, starts: range, path: Path) -> None:
    """Over the same hours: what is asked and what could be answered, the 99th percentile, what is given up."""
    days, rates, curve, peak = scene
    step = starts.step
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.4, 8.2), layout="constrained")
        FigureCanvasAgg(figure)
        able, slow, lost = figure.subplots(3, 1, sharex=True)
        at = [start / HOUR for start in starts]
        asked = [float(np.mean(rates[start : start + step])) / 1e3 for start in starts]
        able.fill_between(at, asked, color="#C9CDD2", linewidth=0, label="asked")
        for (name, seconds), colour in zip(days.items(), SHADES, strict=False):
            parts = [list(seconds[start : start + step]) for start in starts]
            look: Any = {"color": colour, "linewidth": 1.5, "label": name}
            able.plot(at, [peak * np.mean([one.pods for one in part]) / 1e3 for part in parts], **look)
            slow.plot(at, [1e3 * percentiles(curve, part, [99])[0] for part in parts], **look)
            lost.plot(at, [100 * share(part) for part in parts], **look)
        able.set(title="Asked (grey), and what the pods could answer: thousand requests a second", ylim=(0, None))
        slow.set(title="99th percentile of the answers, milliseconds (logarithmic)", yscale="log")
        slow.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        lost.set(title="Given up after three tries, percent of what came", ylim=(0, None), xlabel="hour of the day")
        figure.supxlabel(SMALL, x=0.01, ha="left", fontsize=7, color="#3A3F45")
        if step == MINUTES * 60:
            lost.set(xlim=(0, 24), xticks=range(0, 25, 2))
        else:
            lost.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: clock(value)))
        figure.legend(handles=able.get_legend_handles_labels()[0], loc="outside upper left", ncols=3)
        save(figure, path)


def clock(hour: float) -> str:
    """An hour as a clock shows it.

    >>> clock(20.25)
    '20:15'
    """
    minutes = round(hour * 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def share(part: Sequence[Second]) -> float:
    """Given up, of what came."""
    return sum(one.given_up for one in part) / max(sum(one.came for one in part), 1)


def save(figure: Figure, path: Path) -> None:
    """Write a picture in few colours, a third as large."""
    drawn = io.BytesIO()
    figure.savefig(drawn)
    with Image.open(drawn) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
