"""python -m loadtest.bench.report FOLDER [PICTURES]: tables and pictures of measured scenarios."""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadtest.bench.machine import caption
from loadtest.bench.plan import SCENARIOS
from loadtest.bench.results import EMPTY, OURS, Document, Ratio, Row, held_to, ratios, rows

HEAD = (
    "| connections | server | requests/s (least–most) | × peer | median ms | p99 ms | CPU µs | checked | wrong | off |"
)
RULE = "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|"
"""× peer: over the fastest peer that answered rightly everywhere in the scenario."""
OUTCOME = "| scenario | figure | against | ratio | target | |\n|---|---|---|--:|--:|---|"


def main() -> None:
    """Print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pictures", type=Path, nargs="?")
    given = parser.parse_args()
    documents = read(given.folder)
    print(tables(documents))
    if given.pictures:
        from loadtest.bench import plot

        for path in plot.draw(documents, given.pictures, given.folder.name):
            print(path)


def read(folder: Path) -> list[Document]:
    """The scenarios measured there, in their own order; SystemExit if there is none."""
    documents = [
        json.loads((folder / f"{name}.json").read_text()) for name in SCENARIOS if (folder / f"{name}.json").is_file()
    ]
    if not documents:
        raise SystemExit(f"{folder} holds no measured scenario")
    return documents


def tables(documents: Sequence[Document]) -> str:
    """Markdown: what the targets came to, then a table of each scenario."""
    parts = [outcome(documents), *(table(document) for document in documents)]
    return "\n\n".join(part for part in parts if part) + "\n"


def outcome(documents: Sequence[Document]) -> str:
    """Every ratio beside its target; "" if there is none."""
    lines = [verdict(document["scenario"]["title"], ratio) for document in documents for ratio in ratios(document)]
    return "\n".join([OUTCOME, *lines]) if lines else ""


def verdict(title: str, ratio: Ratio) -> str:
    """A ratio's line.

    >>> verdict("qa", Ratio("throughput", "triton", 3.456, 3))
    '| qa | throughput | triton | 3.46 | 3 | met |'
    """
    met = "met" if ratio.met else "**missed**"
    return f"| {title} | {ratio.what} | {ratio.against} | {ratio.ratio:.3g} | {ratio.target:g} | {met} |"


def table(document: Document) -> str:
    """A scenario's rows, under its title and above what it was measured with."""
    title = f"### {document['scenario']['title']}\n"
    entries = [entry(row, fastest(document, row.connections)) for row in rows(document)]
    return "\n".join([title, HEAD, RULE, *entries, "", *small(document)])


def fastest(document: Document, connections: int) -> float | None:
    """The rate of the fastest peer that answered rightly, None without one."""
    return max((row.rate for row in held_to(document, "right", connections)), default=None)


def entry(row: Row, best: float | None) -> str:
    """A server's line."""
    name = f"**{row.server}**" if row.server == OURS else row.server
    broken = f" and {row.broken:,} broken off" if row.broken else ""
    ratio = f"{row.rate / best:.3g}" if best and row.server != EMPTY else ""
    spread = f"{row.rate:,.0f} ({row.slowest:,.0f}–{row.fastest:,.0f}) | {ratio}"
    figures = f"{spread} | {row.median:.3g} | {row.p99:.3g} | {row.cpu_us:,.0f}"
    off = "none" if math.isinf(row.worst) else f"{row.worst:.1e}"
    return f"| {row.connections} | {name} | {figures} | {row.answers:,} | {row.wrong:,}{broken} | {off} |"


def small(document: Document) -> Iterator[str]:
    """With what it was measured."""
    plan = document["plan"]
    yield f"Medians of {plan['rounds']} rounds of {plan['seconds']} s. {caption(document['machine'])}."
    for name, told in document["servers"].items():
        versions = ", ".join(f"{package} {version}" for package, version in told["versions"].items())
        yield f"{name}: ready after {told['start_seconds']:.1f} s, {told['resident_mb']:,} MB" + (
            f" ({versions})." if versions else "."
        )


if __name__ == "__main__":
    main()
