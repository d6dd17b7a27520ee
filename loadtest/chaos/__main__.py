"""python -m loadtest.chaos --store STORE: faults for minutes under clients that never stop, every answer checked.

Exit status 1 if anything happened that must not; --seed and --faults repeat it.
"""

import random
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loadtest.bench import machine
from loadtest.bench.arguments import parser, save
from loadtest.chaos import leftovers, oracle, report
from loadtest.chaos.checker import Checker, Excuses, Versions
from loadtest.chaos.clients import Crowd
from loadtest.chaos.faults import FAULTS, Scene
from loadtest.chaos.probe import Probe
from loadtest.chaos.schedule import play
from loadtest.chaos.stage import Stage, Stuck

MODELS = {"qa": (1, 2), "similarity": (1,), "profile": (1,)}
"""By model, the versions of the store that are used; of those with one, a second is made."""
EACH = 8
"""Questions of every model in every form."""
WARM = 5.0
SHOWN = 8
"""Violations that are printed; the raw figures have more."""


def main() -> None:
    """Run, print, save; exit status 1 if something was wrong."""
    add = parser(__doc__, seed=0, seconds=400.0, workers=2, rate=250.0)
    add.add_argument("--faults", default="", help="only those whose names contain one of these words, after commas")
    given = add.parse_args()
    with TemporaryDirectory() as work:
        document = run(given, Path(work))
    save(given.out, "chaos", document)
    print(report.table([report.Event(**event) for event in document["events"]]))
    print(report.summary(document))
    for violation in document["violations"][:SHOWN]:
        print(report.told(violation), file=sys.stderr)
    raise SystemExit(int(bool(document["violations"])))


def run(given: Any, work: Path) -> dict[str, Any]:
    """The whole run; everything that must not happen is among its violations."""
    rng = random.Random(given.seed)
    words = [word for word in given.faults.split(",") if word]
    faults = [fault for fault in FAULTS if not words or any(word in fault.name for word in words)]
    before = leftovers.shared()
    stage = Stage(work, given.port, given.workers)
    stage.furnish(given.store, MODELS)
    questions = oracle.ask(stage.shelf, work, list(MODELS), given.seed, EACH)
    print(f"  {len(questions)} questions, the answers of every version known", flush=True)
    checker = Checker(Versions(), Excuses())
    for model, (first, *_) in MODELS.items():
        checker.versions.allow(model, first)
        checker.excuses.begin((404, f"{model}/{first + 1}"))  # while it is not published
    crowd = Crowd(stage.port, stage.grpc_port, checker, questions, given.rate, given.seed)
    events = []
    begun = time.monotonic()
    first = last = {}
    try:
        stage.start()
        crowd.start()
        time.sleep(WARM)
        first = leftovers.of_all(stage)
        scene = Scene(stage, checker, Probe(stage, questions), questions, rng)
        events = play(faults, scene, given.seconds, lambda line: print(f"  {line}", flush=True))
        last = leftovers.of_all(stage)
        checker.during = "the end"
        with checker.excuses.excused("closed", "refused", 503):
            stage.stop()
            crowd.stop()
    except Stuck as stuck:
        checker.violate(str(stuck))
        print(stage.log(), file=sys.stderr)
    finally:
        crowd.stop()
        checker.lost()
        for what in [*leftovers.grown(first, last), *leftovers.left(stage, before)]:
            checker.violate(what)
        stage.kill()
    return {
        "machine": machine.describe(),
        "seed": given.seed,
        "seconds": round(time.monotonic() - begun, 1),
        "questions": len(questions),
        "counts": dict(checker.counts),
        "worst": checker.worst,
        "held": {"first": first, "last": last},
        "events": [asdict(event) for event in events],
        "violations": checker.violations,
    }


if __name__ == "__main__":
    main()
