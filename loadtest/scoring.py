"""python -m loadtest.scoring URL STORE MODEL: rows scored by `predict --file`, and by asking a server of the store.

In turns, each beginning with the same rows on disk and ending with answers on disk: the command, from its start to its
end; the server, in requests of many rows one after another; the server, in requests of one row, of a part of the rows.
Rows a second, the median of the rounds.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests

from loadtest.ask import wait_until_ready
from loadtest.rows import row

TOGETHER = 256
ALONE = 1000
"""Rows that are asked for one by one."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("store")
    parser.add_argument("model")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    wait_until_ready(given.url)
    details = requests.get(f"{given.url}/models/{given.model}", timeout=10).json()
    dice = random.Random(8)
    rows = [row(details, dice, ids=False) for _ in range(given.rows)]
    with tempfile.TemporaryDirectory() as work:
        there, here = Path(work) / "rows.jsonl", Path(work) / "answers.jsonl"
        there.write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")
        command = [sys.executable, "-m", "service", "predict", given.model, "--store", given.store]
        ways: dict[str, Callable[[], int]] = {
            "predict --file": lambda: run([*command, "--file", str(there), "--out", str(here)], len(rows)),
            f"POST, {TOGETHER} rows at once": lambda: post(given, there, here, TOGETHER, len(rows)),
            "POST, one row at once": lambda: post(given, there, here, 1, min(ALONE, len(rows))),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                rates[name].append(way() / (time.perf_counter() - began))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, rate in medians.items():
        share = medians["predict --file"] / rate
        spread = f"{min(rates[name]):,.0f} to {max(rates[name]):,.0f}"
        print(f"{given.model} {name}: {rate:,.0f} rows/s ({spread}); predict is {share:.3g} times as fast")


def run(command: Sequence[str], rows: int) -> int:
    """The command, to its end."""
    subprocess.run(command, check=True)
    return rows


def post(given: Any, there: Path, here: Path, together: int, most: int) -> int:
    """Rows of the file asked of the server, so many a request."""
    with there.open(encoding="utf-8") as file, here.open("w", encoding="utf-8") as out, requests.Session() as session:
        rows = [json.loads(line) for line, _ in zip(file, range(most), strict=False)]
        for start in range(0, most, together):
            url = f"{given.url}/predict/{given.model}?top=0"
            answer = session.post(url, json=rows[start : start + together], timeout=60)
            answer.raise_for_status()
            out.writelines(f"{json.dumps(one)}\n" for one in answer.json())
    return most


if __name__ == "__main__":
    main()
