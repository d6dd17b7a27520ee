"""python -m tests.fuzz: every target, then a real server, then the OpenAPI document; ends with an error if one found.

It takes eight minutes on two cores. What was tried goes to docs/measurements/fuzz.json.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from loadtest.bench import machine
from tests.fuzz import hostile
from tests.fuzz.targets import TARGETS
from tests.service import artifacts
from tests.service.server import ROOT, running

FOUND = ROOT / "tests" / "fuzz" / "found"
REPORT = ROOT / "docs" / "measurements" / "fuzz.json"
REQUESTS = 100_000
EXAMPLES = 30
"""Of each operation and mode of the OpenAPI document; `make test` tries eight."""
DONE = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+)")


def main(arguments: Sequence[str]) -> int:
    """0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=[*TARGETS], help="parsers to try; all")
    parser.add_argument("--share", type=float, default=1.0, help="of the cases and requests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-parsers", action="store_true")
    chosen = parser.parse_args(arguments)
    report: dict[str, Any] = {"machine": machine.describe(), "seed": chosen.seed}
    with ThreadPoolExecutor(2) as pool:
        tried = pool.map(
            lambda name: guided(name, round(TARGETS[name].cases * chosen.share), chosen.seed), chosen.targets
        )
        report["parsers"] = dict(zip(chosen.targets, tried, strict=True))
    failed = [name for name, one in report["parsers"].items() if one["found"]]
    if not chosen.only_parsers:
        report["server"] = serve(round(REQUESTS * chosen.share), chosen.seed)
        report["openapi"] = schema(round(EXAMPLES * chosen.share))
        failed += [name for name in ("server", "openapi") if report[name].get("found")]
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
    print(f"found something: {', '.join(failed)}" if failed else "nothing found")
    return 1 if failed else 0


def guided(name: str, cases: int, seed: int) -> dict[str, Any]:
    """One target in a process of its own; what it finds is kept in FOUND, which `make test` tries from then on."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        command = [sys.executable, "-m", "tests.fuzz.guided", name, str(cases), str(seed), folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        found = sorted(Path(folder).glob("found-*"))
        for number, file in enumerate(found):
            (FOUND / f"{name}-{seed}-{number}").write_bytes(file.read_bytes())
    finished = DONE.search(done.stderr)
    if finished is None:
        print(done.stdout[-3000:], done.stderr[-3000:], sep="\n")
    report = {
        "cases": int(finished[1]) if finished else 0,
        "lines_reached": int(finished[2]) if finished else 0,
        "seconds": round(time.monotonic() - began, 1),
        "found": len(found) + (finished is None and not found),
    }
    print(f"{name:14}{report['cases']:>9,} cases {report['seconds']:6} s  {report['found']} found", flush=True)
    return report


def serve(count: int, seed: int) -> dict[str, Any]:
    """Two workers, the toys and whatever models the store of `make serve` has, under hostile requests."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        store = Path(folder) / "store"
        artifacts.toy(store)
        artifacts.shop(store)
        for version in sorted(Path(os.environ.get("FUZZ_STORE", ROOT / "store")).glob("*/[1-9]*")):
            if not (store / version.parent.name).exists():
                copied(version, store / version.parent.name / version.name)
        with running(store, Path(folder) / "log", workers=2, engine="onnx") as server:
            try:
                report = hostile.run(server, count, seed)
            except (hostile.Finding, OSError, ValueError) as finding:
                report = {"found": "".join(traceback.format_exception(finding))[:6000]}
    print(f"{'server':14}{count:>9,} requests  {json.dumps(report)[:2000]}", flush=True)
    return report


def copied(version: Path, to: Path) -> None:
    """A version without its reports and weights, which the twin has as well."""
    for file in [version / "saved_model.pb", *(version / "assets").glob("*"), *(version / "assets.extra").glob("*.*")]:
        if file.is_file():
            place = to / file.relative_to(version)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())


def schema(examples: int) -> dict[str, Any]:
    """The tests of the OpenAPI document, with more examples."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-x", "tests/service/test_openapi_fuzz.py"]
    environment = os.environ | {"OPENAPI_EXAMPLES": str(max(examples, 1))}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = round(time.monotonic() - began, 1)
    print(f"{'openapi':14}{examples:>9} examples of each  {seconds} s  {done.stdout.splitlines()[-1]}", flush=True)
    report: dict[str, Any] = {"examples_of_each": examples, "seconds": seconds}
    return report if done.returncode == 0 else {**report, "found": done.stdout[-3000:]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
