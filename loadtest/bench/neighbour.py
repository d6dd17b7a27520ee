"""python -m loadtest.bench.neighbour: how long a fast model waits for a slow one in the same service.

The fast model is asked at a constant rate, without and with a load on the slow one that fills its batches; the load's
own client is another process. Beside both stands the longest call of the slow engine, as its answers told: more than
that a request to the fast model should never have to wait.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from loadtest.bench import loops, machine
from loadtest.bench.arguments import parser, save
from loadtest.bench.measure import Asked
from loadtest.bench.plan import SCENARIOS, Scenario

Figures = Mapping[str, float]


def main() -> None:
    """Measure, print, save."""
    add = parser(__doc__, rounds=5, seconds=5.0, rate=100.0, connections=16)
    add.add_argument("--fast", default="majority", help="a scenario")
    add.add_argument("--slow", default="profile", help="a scenario")
    given = add.parse_args()
    rounds = measure(SCENARIOS[given.fast], SCENARIOS[given.slow], given)
    save(
        given.out,
        "neighbour",
        {"machine": machine.describe(), "fast": given.fast, "slow": given.slow, "rounds": rounds},
    )
    print(table(rounds))


def measure(fast: Scenario, slow: Scenario, given: Any) -> list[Mapping[str, Figures]]:
    """Percentiles of each round: alone, and beside the load."""
    rounds = []
    with loops.together((fast, slow), given.store, given.port) as (quick, heavy):
        for _ in range(given.rounds):
            alone = loops.opened(quick, given.connections, given.rate, given.seconds)
            _, heard = loops.closed(heavy, given.connections, 2.0)
            with loaded(heavy, given.connections, given.seconds + 1):
                beside = loops.opened(quick, given.connections, given.rate, given.seconds)
            rounds.append({"alone": alone, "beside": beside, "slow": {"call": heard.longest_call}})
            print(f"  {rounds[-1]}", flush=True)
    return rounds


@contextmanager
def loaded(heavy: Asked, connections: int, seconds: float) -> Iterator[None]:
    """A client of its own process that keeps the slow model busy for so long; SystemExit if it was answered wrongly."""
    load = get_context("fork").Process(target=loops.closed, args=(heavy, connections, seconds))
    load.start()
    try:
        yield
    finally:
        load.join()
    if load.exitcode:
        raise SystemExit("the load on the slow model failed")


def table(rounds: Sequence[Mapping[str, Figures]]) -> str:
    """Markdown: medians of the rounds."""
    lines = [line(name, rounds) for name in ("alone", "beside")]
    call = statistics.median(one["slow"]["call"] for one in rounds)
    head = ["| the fast model | median ms | p99 ms | p99.9 ms | longest ms |", "|---|--:|--:|--:|--:|"]
    return "\n".join([*head, *lines, "", f"The longest call of the slow engine: {call:.3g} ms."])


def line(name: str, rounds: Sequence[Mapping[str, Figures]]) -> str:
    """A line of medians."""
    figures = [statistics.median(one[name][of] for one in rounds) for of in ("median", "p99", "p999", "most")]
    return f"| {name} | " + " | ".join(f"{figure:.3g}" for figure in figures) + " |"


if __name__ == "__main__":
    main()
