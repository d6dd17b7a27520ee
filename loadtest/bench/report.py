"""python -m loadtest.bench.report FOLDER [PICTURES]: tables and pictures of measured scenarios."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadtest.bench.machine import caption
from loadtest.bench.plan import SCENARIOS
from loadtest.bench.results import OURS, Document, Ratio, Row, ratios, rows

HEAD = "| connections | server | requests/s (least–most) | median ms | p99 ms | µs of CPU | checked | wrong | off |"
RULE = "|--:|---|--:|--:|--:|--:|--:|--:|--:|"
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
    return "\n".join(
        [f"### {document['scenario']['title']}\n", HEAD, RULE, *map(entry, rows(document)), "", *small(document)]
    )


def entry(row: Row) -> str:
    """A server's line."""
    name = f"**{row.server}**" if row.server == OURS else row.server
    broken = f" and {row.broken:,} broken off" if row.broken else ""
    spread = f"{row.rate:,.0f} ({row.slowest:,.0f}–{row.fastest:,.0f})"
    figures = f"{spread} | {row.median:.3g} | {row.p99:.3g} | {row.cpu_us:,.0f}"
    return f"| {row.connections} | {name} | {figures} | {row.answers:,} | {row.wrong:,}{broken} | {row.worst:.1e} |"


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
