"""Pictures of what was measured: throughput and latency against connections, and the ratios beside their targets."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from PIL import Image

from loadtest.bench.machine import caption
from loadtest.bench.results import OURS, Document, Ratio, Row, ratios, rows, wrong

LOOKS = {
    "manifold": ("#0072B2", "o"),
    "triton": ("#E69F00", "s"),
    "triton-2ms": ("#D55E00", "P"),
    "mosec": ("#009E73", "^"),
    "mlserver": ("#CC79A7", "D"),
    "flask_plain": ("#56B4E9", "v"),
    "empty": ("#8A8F98", "x"),
}
"""Colour (Okabe and Ito's, which the colour-blind tell apart) and marker of each server."""

TITLES = {"empty": "an empty Flask view", "triton-2ms": "triton, 2 ms of queue delay"}
COLUMNS = 3
COLOURS = 96
"""Of a picture, which is then a third as large."""

STYLE: Any = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": "#8A8F98",
    "axes.grid": True,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "grid.color": "#E3E5E8",
    "grid.linewidth": 0.6,
    "font.size": 9,
    "legend.frameon": False,
    "figure.dpi": 110,
}


def draw(documents: Sequence[Document], folder: Path, name: str) -> list[Path]:
    """All pictures of a set of scenarios, called after it; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}-{what}.png" for what in ("throughput", "latency", "targets")]
    throughput(paths[0], documents)
    latency(paths[1], documents)
    found = [(document, ratio) for document in documents for ratio in ratios(document)]
    if not found:
        return paths[:2]
    targets(paths[2], found)
    return paths


def throughput(path: Path, documents: Sequence[Document]) -> None:
    """Requests a second: medians as lines, least to most as a band."""
    with panels(path, documents, "Throughput, requests per second") as axes:
        for axis, document in zip(axes, documents, strict=False):
            for server, lines in by_server(document):
                colour, marker = LOOKS[server]
                x = [row.connections for row in lines]
                axis.plot(x, [row.rate for row in lines], color=colour, marker=marker, **width(server))
                axis.fill_between(
                    x,
                    [row.slowest for row in lines],
                    [row.fastest for row in lines],
                    color=colour,
                    alpha=0.15,
                    linewidth=0,
                )


def latency(path: Path, documents: Sequence[Document]) -> None:
    """Milliseconds: the median as a line, the 99th percentile dashed."""
    with panels(path, documents, "Latency, milliseconds: median (line) and 99th percentile (dashes)") as axes:
        for axis, document in zip(axes, documents, strict=False):
            for server, lines in by_server(document):
                colour, marker = LOOKS[server]
                x = [row.connections for row in lines]
                axis.plot(x, [row.median for row in lines], color=colour, marker=marker, **width(server))
                axis.plot(x, [row.p99 for row in lines], color=colour, linewidth=1, linestyle=(0, (4, 2)))


def width(server: str) -> dict[str, float]:
    """Ours is drawn above the others."""
    return {"linewidth": 2.2, "zorder": 3} if server == OURS else {"linewidth": 1.4, "markersize": 5}


def by_server(document: Document) -> list[tuple[str, list[Row]]]:
    """Each server's rows, by connections."""
    found: dict[str, list[Row]] = {}
    for row in rows(document):
        found.setdefault(row.server, []).append(row)
    return [(server, found[server]) for server in LOOKS if server in found]


@contextmanager
def panels(path: Path, documents: Sequence[Document], title: str) -> Iterator[list[Any]]:
    """A panel for each scenario, both axes logarithmic, with one legend and the machine below."""
    columns = min(COLUMNS, len(documents))
    count = -(-len(documents) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * columns + 0.4, 2.75 * count + 1.1), layout="constrained")
        FigureCanvasAgg(figure)
        axes = list(figure.subplots(count, columns, squeeze=False).ravel())
        yield axes
        for axis, document in zip(axes, documents, strict=False):
            dress(axis, document)
        for axis in axes[len(documents) :]:
            axis.axis("off")
        heading = {"title": title, "alignment": "left", "title_fontproperties": {"size": 12, "weight": "bold"}}
        figure.legend(handles=legend(documents), loc="outside upper left", ncols=columns + 1, **heading)
        save(figure, path, documents)


def dress(axis: Any, document: Document) -> None:
    """A panel's axes: logarithmic, with plain numbers."""
    counts = sorted({row.connections for row in rows(document)})
    axis.set(xscale="log", yscale="log", xlabel="connections")
    axis.set_xticks(counts, [str(count) for count in counts])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: between(value)))
    axis.tick_params(axis="y", which="minor", labelsize=7, labelcolor="#5B6068")
    axis.set_title(document["scenario"]["title"])


def between(value: float) -> str:
    """A number between two powers of ten, if it is 2 or 5 times the lower one.

    >>> between(200.0), between(0.5), between(300.0)
    ('200', '0.5', '')
    """
    text = f"{value:,.10g}"
    return text if text.strip("0.,") in {"2", "5"} else ""


def legend(documents: Sequence[Document]) -> list[Any]:
    """An entry for each server; who answered wrongly is marked with the scenarios."""
    measured = {row.server for document in documents for row in rows(document)}
    entries = []
    for server, (colour, marker) in LOOKS.items():
        if server in measured:
            where = [document["scenario"]["name"] for document in documents if server in wrong(document)]
            label = TITLES.get(server, server) + (f" (wrong or no answers on {', '.join(where)})" if where else "")
            entries.append(mpl.lines.Line2D([], [], color=colour, marker=marker, label=label, **width(server)))
    return entries


def targets(path: Path, found: Sequence[tuple[Document, Ratio]]) -> None:
    """A bar for every ratio, a stroke at its target, on a logarithmic scale."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 0.36 * len(found) + 1.5), layout="constrained")
        FigureCanvasAgg(figure)
        axis = figure.subplots()
        places = range(len(found))
        for place, (_, ratio) in zip(places, found, strict=True):
            look = {"color": "#0072B2"} if ratio.met else {"color": "#D55E00", "hatch": "////", "edgecolor": "white"}
            axis.barh(place, ratio.ratio - 1, left=1, height=0.62, linewidth=0, **look)
            axis.plot([ratio.target] * 2, [place - 0.42, place + 0.42], color="black", linewidth=2)
            text = f"{ratio.ratio:.3g} × (target {ratio.target:g})"
            axis.text(1.02, place, text, transform=axis.get_yaxis_transform(), va="center")
        axis.set_yticks(places, [f"{document['scenario']['name']}: {of(ratio)}" for document, ratio in found])
        axis.axvline(1, color="#5B6068", linewidth=1)
        axis.set(xscale="log", xlabel="times better, logarithmic; black stroke: the target; hatched: missed")
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axis.grid(visible=False)
        axis.invert_yaxis()
        figure.suptitle("Ratios and targets", x=0.01, ha="left", fontsize=12, fontweight="bold")
        save(figure, path, [document for document, _ in found])


def of(ratio: Ratio) -> str:
    """What a bar stands for.

    >>> of(Ratio("throughput", "triton", 3.2, 3))
    'throughput / triton'
    """
    return f"{ratio.what} / {TITLES.get(ratio.against, ratio.against)}"


def save(figure: Figure, path: Path, documents: Sequence[Document]) -> None:
    """Write a picture with its small print."""
    plan = documents[0]["plan"]
    text = (
        f"wrk; medians of {plan['rounds']} rounds in turns of {plan['seconds']} s; {caption(documents[0]['machine'])}"
    )
    figure.supxlabel(text, x=0.01, ha="left", fontsize=7, color="#5B6068")
    drawn = io.BytesIO()
    figure.savefig(drawn)
    with Image.open(drawn) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
