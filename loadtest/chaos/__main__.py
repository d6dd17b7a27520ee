"""python -m loadtest.chaos --store STORE: faults for minutes under clients that never stop, every answer checked.

Exit status 1 if anything happened that must not; --seed and --faults repeat it.
"""

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loadtest.bench import machine
from loadtest.bench.arguments import parser, save
from loadtest.chaos import leftovers, oracle, report
from loadtest.chaos.checker import Checker
from loadtest.chaos.clients import Crowd
from loadtest.chaos.door import Door
from loadtest.chaos.faults import DEVICE_FAULTS, FAULTS
from loadtest.chaos.operating import exchange
from loadtest.chaos.probe import Probe
from loadtest.chaos.scene import Fault, Scene
from loadtest.chaos.schedule import Event, play
from loadtest.chaos.stage import Stage
from loadtest.chaos.times import Excuses, Versions
from loadtest.chaos.waiting import Stuck

EACH = 8
"""Questions of every model in every form."""
WARM = 5.0
SHOWN = 8
"""Violations that are printed; the raw figures have more."""


@dataclass(frozen=True)
class Phase:
    """A server of its own: its models, in their newest version, its devices, its faults, and its share of the time.

    Where no devices compute, each model gets a second version, a twin made of the first, which no device would ask.
    """

    name: str
    models: Sequence[str]
    faults: Sequence[Fault]
    share: float
    devices: int = 0


PHASES = (
    Phase("twins in every worker", ("qa", "similarity", "profile"), FAULTS, 0.8),
    Phase("SavedModels on two devices", ("qa", "similarity"), DEVICE_FAULTS, 0.2, devices=2),
)


def main() -> None:
    """Run, print, save; exit status 1 if something was wrong."""
    add = parser(__doc__, seed=0, seconds=400.0, workers=2, rate=250.0, patience=1.0)
    add.add_argument("--faults", default="", help="only those whose names contain one of these words, after commas")
    given = add.parse_args()
    phases = []
    for phase in PHASES:
        faults = chosen(phase.faults, given.faults)
        if faults:
            with TemporaryDirectory() as work:
                phases.append(run(phase, faults, given, Path(work)))
            print(report.table(phases[-1]["events"]))
            print(report.summary(phases[-1]))
    violations = [violation for document in phases for violation in document["violations"]]
    save(given.out, "chaos", {"machine": machine.describe(), "seed": given.seed, "phases": phases})
    for violation in violations[:SHOWN]:
        print(report.told(violation), file=sys.stderr)
    raise SystemExit(int(bool(violations)))


def chosen(faults: Sequence[Fault], words: str) -> list[Fault]:
    """Those whose names contain one of the words, or all."""
    wanted = [word for word in words.split(",") if word]
    return [fault for fault in faults if not wanted or any(word in fault.name for word in wanted)]


def run(phase: Phase, faults: Sequence[Fault], given: Any, work: Path) -> dict[str, Any]:
    """One phase; everything that must not happen is among its violations."""
    before = leftovers.shared()
    stage = Stage(work, Door(given.port, given.port + 1), given.workers, phase.devices)
    versions = stage.furnish(given.store, phase.models, twice=[] if phase.devices else phase.models)
    if not phase.devices:
        versions |= stage.furnish_faulty()
    questions = oracle.ask(stage.shelf, stage.questions, list(versions), given.seed, EACH)
    print(f"  {phase.name}: {len(questions)} questions, the answers of every version known", flush=True)
    checker = Checker(Versions(), Excuses())
    for model, number in versions.items():
        checker.versions.allow(model, number)
    checker.excuses.begin((429, ""))  # a machine that is busy with a fault may say so at any time
    crowd = Crowd(stage.door, checker, questions, given.rate)
    events: list[Event] = []
    begun, first, last = time.monotonic(), {}, {}
    try:
        stage.start()
        crowd.start()
        time.sleep(WARM)
        first = leftovers.of_all(stage)
        scene = Scene(stage, checker, Probe(stage, questions), questions, random.Random(given.seed))
        play(faults, scene, given.seconds * phase.share, given.patience, events)
        checker.during = "the way back"
        for model, number in versions.items():
            if number not in checker.versions.now(model):
                exchange(scene, model)
        time.sleep(WARM)
        last = leftovers.of_all(stage)
        checker.during = "the end"
        with checker.excuses.excused("closed", "refused", 503):
            stage.stop()
            crowd.stop()
        for what in [*leftovers.grown(first, last), *leftovers.left(stage, before)]:
            checker.violate(what)
    except Stuck as stuck:
        checker.violate(str(stuck))
        print(stage.log(), file=sys.stderr)
    finally:
        crowd.stop()
        checker.lost()
        stage.kill()
    return {
        "phase": phase.name,
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
