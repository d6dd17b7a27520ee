"""`python -m loadtest.dashboard --prometheus URL --out FILE.png`: Grafana's dashboard as a picture, without Grafana.

Every panel of deploy/grafana/manifold.json stands where it stands there, with its own queries, unit and legend, over
the last minutes that a Prometheus has. What Grafana alone draws, such as thresholds and sparklines, is left out.
"""

import argparse
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import requests

mpl.use("agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

DASHBOARD = Path(__file__).parents[1] / "deploy/grafana/manifold.json"
ANY = dict.fromkeys(("job", "model", "version", "dialect"), ".*")
COLUMNS, ROWS_PER_INCH = 24, 2.6
MOST_TOLD = 8
"""Lines of a legend."""

Query = Callable[..., list[dict[str, Any]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--step", type=float, default=5, help="seconds; Prometheus' own, or more")
    parser.add_argument("--out", type=Path, default=Path("dashboard.png"))
    given = parser.parse_args()
    panels = json.loads(DASHBOARD.read_text())["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = plt.figure(figsize=(16, height / ROWS_PER_INCH))
    for panel in panels:
        at = panel["gridPos"]
        axes = figure.add_axes(place(at, height))
        axes.set_title(panel["title"], loc="left", fontsize=9, fontweight="bold")
        DRAW[panel["type"]](axes, panel, asking(given.prometheus, 60 * given.minutes, given.step))
    figure.savefig(given.out, dpi=80)


def place(at: Mapping[str, int], height: int) -> tuple[float, float, float, float]:
    """A panel's left, bottom, width and height, in shares of the picture."""
    left, right, above, below = 1.0, 0.2, 0.9, 0.6
    width, tall = at["w"] - left - right, max(at["h"] - above - below, 0.1)
    return (at["x"] + left) / COLUMNS, 1 - (at["y"] + above + tall) / height, width / COLUMNS, tall / height


def asking(url: str, seconds: float, step: float) -> Query:
    """What asks for the series of an expression: of all that time, or now."""
    rate = f"{4 * step:g}s"

    def ask(target: Mapping[str, str], now: bool = False) -> list[dict[str, Any]]:
        expression = re.sub(r"\$(\w+)", lambda name: {"__rate_interval": rate, **ANY}[name[1]], target["expr"])
        end = time.time()
        span = {"time": end} if now else {"start": end - seconds, "end": end, "step": step}
        path = "query" if now else "query_range"
        answer = requests.get(f"{url}/api/v1/{path}", {"query": expression, **span}, timeout=30).json()
        if answer["status"] != "success":
            raise SystemExit(f"{expression}: {answer['error']}")
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    return ask


def series(axes: Axes, panel: Mapping[str, Any], ask: Query) -> None:
    """Lines over time, with the last value of each in the legend."""
    unit = UNITS[panel["fieldConfig"]["defaults"]["unit"]]
    for target in panel["targets"]:
        for one in ask(target):
            times, values = zip(*[(at, float(value)) for at, value in one["values"]], strict=True)
            name = re.sub(r"{{(\w+)}}", lambda label: one["metric"].get(label[1], ""), target["legendFormat"])  # noqa: B023 - called at once
            last = "no data" if math.isnan(values[-1]) else unit(values[-1])
            axes.plot([(at - times[-1]) / 60 for at in times], values, linewidth=1, label=f"{name}  {last}")
    axes.margins(y=0.6)  # for the legend
    axes.set_ylim(bottom=0, top=panel["fieldConfig"]["defaults"].get("max"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: unit(value)))
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)
    handles, names = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles[:MOST_TOLD], names[:MOST_TOLD], fontsize=6, loc="upper left", framealpha=0.6)
    else:
        axes.text(0.5, 0.5, "no data", ha="center", transform=axes.transAxes, fontsize=8)


def stat(axes: Axes, panel: Mapping[str, Any], ask: Query) -> None:
    """One number."""
    unit = UNITS[panel["fieldConfig"]["defaults"]["unit"]]
    found = [unit(float(one["value"][1])) for one in ask(panel["targets"][0], now=True)]
    axes.text(0.5, 0.45, ", ".join(found) or "no data", ha="center", va="center", fontsize=16)
    axes.set_xticks([])
    axes.set_yticks([])


def table(axes: Axes, panel: Mapping[str, Any], ask: Query) -> None:
    """A row for each series, a column for each label."""
    columns = panel["transformations"][0]["options"]["indexByName"]
    cells = [[one["metric"].get(name, "") for name in columns] for one in ask(panel["targets"][0], now=True)]
    axes.set_axis_off()
    if cells:
        axes.table(sorted(cells), colLabels=list(columns), loc="upper center", cellLoc="left")


def row(axes: Axes, panel: Mapping[str, Any], ask: Query) -> None:
    """A heading."""
    axes.set_axis_off()


DRAW = {"timeseries": series, "stat": stat, "table": table, "row": row}


def scaled(value: float, steps: Mapping[str, float], digits: int = 3) -> str:
    """A number in the largest unit that it reaches, the smallest below.

    >>> scaled(0.0025, {"s": 1, "ms": 1e-3}), scaled(0, {"s": 1, "ms": 1e-3})
    ('2.5 ms', '0 ms')
    """
    name, size = next((one for one in steps.items() if abs(value) >= one[1]), list(steps.items())[-1])
    return f"{value / size:.{digits}g} {name}"


UNITS: Mapping[str, Callable[[float], str]] = {
    "s": lambda value: scaled(value, {"d": 86400, "h": 3600, "min": 60, "s": 1, "ms": 1e-3, "µs": 1e-6}),
    "bytes": lambda value: scaled(value, {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "B": 1}),
    "percentunit": lambda value: f"{100 * value:.3g} %",
    "reqps": lambda value: scaled(value, {"k req/s": 1e3, "req/s": 1}),
    "rowsps": lambda value: scaled(value, {"k rows/s": 1e3, "rows/s": 1}),
    "short": lambda value: f"{value:.4g}",
    "bool_yes_no": lambda value: "Yes" if value else "No",
}


if __name__ == "__main__":
    main()
