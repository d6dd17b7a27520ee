"""python -m loadtest.bench --store STORE [--peers NAME,NAME]: throughput and latency against connections, with wrk."""

import argparse
from pathlib import Path

from loadtest.bench import plot, report
from loadtest.bench.arguments import MEASUREMENTS, PICTURES, parser, save
from loadtest.bench.contenders import CONTENDERS
from loadtest.bench.measure import measure, needs_wrk
from loadtest.bench.plan import EMPTY, OURS, SCENARIOS, SUITES, Rounds, seconds, servers
from loadtest.bench.results import wrong


def main() -> None:
    """Measure what has not been measured, print and draw all of it; SystemExit if we were ever wrong."""
    given = arguments()
    needs_wrk()
    suite, plan = SUITES[given.suite]
    names = given.scenarios.split(",") if given.scenarios else suite
    plan = Rounds(
        given.rounds or plan.rounds,
        given.seconds or plan.seconds,
        tuple(numbers(given.connections)) or plan.connections,
    )
    peers = installed(given.peers)
    print(f"{len(names)} scenarios: about {seconds(plan, len(names), len(peers) + 1) / 60:.0f} minutes")
    for name in names:
        if given.resume and (given.out / f"{name}.json").is_file():
            print(f"{name}: measured before")
            continue
        print(f"{name}:", flush=True)
        save(given.out, name, measure(SCENARIOS[name], servers(name, peers), plan, given.store, given.port))
    documents = report.read(given.out)
    print(report.tables(documents))
    for path in plot.draw(documents, given.pictures, given.out.name):
        print(path)
    failed = [document["scenario"]["name"] for document in documents if OURS in wrong(document)]
    if failed:
        raise SystemExit(f"this service gave wrong answers, or none, on {', '.join(failed)}")


def arguments() -> argparse.Namespace:
    """The command line; without rounds, seconds and connections, the suite's."""
    add = parser(__doc__)
    add.set_defaults(out=MEASUREMENTS / "alone")
    add.add_argument("--suite", choices=SUITES, default="quick")
    add.add_argument("--scenarios", default="", help=f"instead of a suite's: {', '.join(SCENARIOS)}")
    add.add_argument("--peers", default="", help=", ".join(name for name in CONTENDERS if name not in (OURS, EMPTY)))
    add.add_argument("--rounds", type=int)
    add.add_argument("--seconds", type=int, help="of each run of wrk")
    add.add_argument("--connections", default="", help="such as 1,8,32,128")
    add.add_argument("--pictures", type=Path, default=PICTURES)
    add.add_argument("--resume", action="store_true", help="leave out the scenarios that have been measured")
    return add.parse_args()


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
