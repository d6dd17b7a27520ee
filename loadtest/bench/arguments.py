"""What the commands of the benchmark have in common: where the models are, where the raw JSON goes, how often."""

import argparse
import json
from pathlib import Path
from typing import Any

MEASUREMENTS, PICTURES = Path("docs/measurements"), Path("docs/pictures")


def parser(about: str | None, **defaults: float) -> argparse.ArgumentParser:
    """A parser with --store, --port and --out, and an option for each of `defaults`, of its type."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--store", type=Path, default=Path("store"))
    made.add_argument("--port", type=int, default=8500, help="the first that is used")
    made.add_argument("--out", type=Path, default=MEASUREMENTS, help="where the raw JSON goes")
    for name, default in defaults.items():
        made.add_argument(f"--{name}", type=type(default), default=default)
    return made


def save(out: Path, name: str, document: Any) -> None:
    """Write the raw JSON, and say where."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{name}.json"
    file.write_text(json.dumps(document, indent=1) + "\n")
    print(f"raw figures: {file}")
