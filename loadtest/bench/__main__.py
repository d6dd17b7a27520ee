"""python -m loadtest.bench --store STORE [--peers NAME,NAME]: throughput and latency against connections, with wrk."""

import argparse
import json
from pathlib import Path

from loadtest.bench import plot, report
from loadtest.bench.contenders import CONTENDERS
from loadtest.bench.measure import measure, needs_wrk
from loadtest.bench.plan import SCENARIOS, SUITES, Rounds, seconds
from loadtest.bench.results import EMPTY, OURS


def main() -> None:
    """Measure what has not been measured, then print and draw all of it."""
    given = arguments()
    needs_wrk()
    suite, plan = SUITES[given.suite]
    names = given.scenarios.split(",") if given.scenarios else suite
    plan = Rounds(
        given.rounds or plan.rounds,
        given.seconds or plan.seconds,
        tuple(numbers(given.connections)) or plan.connections,
    )
    servers = [OURS, EMPTY, *installed(given.peers)]
    given.out.mkdir(parents=True, exist_ok=True)
    print(f"{len(names)} scenarios: about {seconds(plan, len(names), len(servers)) / 60:.0f} minutes")
    for name in names:
        file = given.out / f"{name}.json"
        if given.resume and file.is_file():
            print(f"{name}: measured before")
            continue
        print(f"{name}:", flush=True)
        file.write_text(json.dumps(measure(SCENARIOS[name], servers, plan, given.store, given.port), indent=1) + "\n")
    documents = report.read(given.out)
    print(report.tables(documents))
    for path in plot.draw(documents, given.pictures, given.out.name):
        print(path)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("store"))
    parser.add_argument("--suite", choices=SUITES, default="quick")
    parser.add_argument("--scenarios", default="", help=f"instead of a suite's: {', '.join(SCENARIOS)}")
    parser.add_argument("--peers", default="", help=", ".join(name for name in CONTENDERS if name not in (OURS, EMPTY)))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of each run of wrk")
    parser.add_argument("--connections", default="", help="such as 1,8,32,128")
    parser.add_argument("--port", type=int, default=8500, help="the first of three for each server")
    parser.add_argument("--out", type=Path, default=Path("docs/measurements/alone"), help="where the raw JSON goes")
    parser.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--resume", action="store_true", help="leave out the scenarios that have been measured")
    return parser.parse_args()


def numbers(text: str) -> list[int]:
    """What stands between commas.

    >>> numbers("1,32"), numbers("")
    ([1, 32], [])
    """
    return [int(part) for part in text.split(",") if part]


def installed(peers: str) -> list[str]:
    """The named peers that are installed; the others are told."""
    named = [name for name in peers.split(",") if name]
    unknown = [name for name in named if name not in CONTENDERS]
    if unknown:
        raise SystemExit(f"no such peer: {', '.join(unknown)}; there are {', '.join(CONTENDERS)}")
    for name in named:
        if not CONTENDERS[name].installed():
            print(f"{name} is not installed, and left out; make peers installs it")
    return [name for name in named if CONTENDERS[name].installed()]


if __name__ == "__main__":
    main()
